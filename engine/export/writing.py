"""Artefacts appear whole or not at all."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import MyelinError

MARK = "myelin-export.json"  # in every artefact that is a folder; only such a folder is ever replaced

ABANDONED_S = 600.0
"""No export writes for so long."""


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """An empty folder beside ``path`` to write into; gone afterwards, whatever happens.

    What a process left that was killed while it wrote goes with the next export to the same place.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_away(path)
        folder = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
        folder.mkdir()  # with the rights that a folder of this user has, unlike tempfile's
    except OSError as error:
        raise MyelinError(f"cannot write {path}: {error.strerror or error}") from None
    try:
        yield folder
    except OSError as error:
        raise MyelinError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_away(path: Path) -> None:
    """Remove what nobody can be writing any more."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        if time.time() - left.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(left, ignore_errors=True)


def publish(made: Path, path: Path) -> None:
    """Move what was made, a file or a folder, to ``path`` in one step.

    A file is replaced, a folder only if it is an artefact of ours; MyelinError else.
    """
    _require_replaceable(made, path)
    _sync(made)
    if made.is_dir() and path.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
        path.rename(old / path.name)
        try:
            made.rename(path)
        except OSError:
            (old / path.name).rename(path)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
        return
    made.replace(path)


def _require_replaceable(made: Path, path: Path) -> None:
    if made.is_dir() and path.is_dir() and not (path / MARK).exists() and any(path.iterdir()):
        raise MyelinError(f"{path} is a folder with other things in it; export to a new one")
    if made.is_dir() and path.is_file():
        raise MyelinError(f"{path} is a file, and this export is a folder; choose another name")
    if made.is_file() and path.is_dir():
        raise MyelinError(f"{path} is a folder, and this export is a file; choose another name")


def _sync(made: Path) -> None:
    for path in [made] if made.is_file() else made.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
