"""Artefacts appear whole or not at all."""

from __future__ import annotations

import errno
import glob
import io
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import MyelinError

if TYPE_CHECKING:
    import h5py

MARK = "myelin-export.json"  # in every artefact that is a folder; only such a folder is ever replaced

ABANDONED_S = 3600.0
"""No export writes for so long."""


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """An empty folder beside ``path`` to write into; gone afterwards, whatever happens.

    Folders above it that are missing are made; they stay only if something was published.  What a process
    left that was killed while it wrote goes with the next export to the same place.
    """
    path = path.absolute()  # what writes into the folder may work in another one
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _clear_away(path)
            folder = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
            folder.mkdir()  # with the rights that a folder of this user has, unlike tempfile's
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            with suppress(OSError):  # not empty: something was published there
                for above in missing:
                    above.rmdir()
    except OSError as error:
        raise MyelinError(f"cannot write {path}: {_reason(path, error)}") from None


def _reason(path: Path, error: OSError) -> str:
    file = next((above for above in path.parents if above.is_file()), None)
    if file is not None:
        return f"{file} is a file, not a folder"
    if error.errno == errno.ENOSPC:
        return "the disk is full; make room, or choose another place"
    return (error.strerror or str(error)).lower()


@contextmanager
def hdf5(path: Path, **options: Any) -> Iterator[h5py.File]:
    """An HDF5 file, made in memory and then written at once: libhdf5 crashes when the disk is full."""
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as file:
        yield file
    path.write_bytes(memory.getvalue())


def _clear_away(path: Path) -> None:
    """Remove what nobody can be writing any more."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        if time.time() - left.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(left, ignore_errors=True)


def publish(made: Path, path: Path) -> None:
    """Move what was made, a file or a folder, to ``path`` in one step.

    A file is replaced, a folder only if it is an artefact of ours; MyelinError else.
    """
    require_replaceable(path, folder=made.is_dir())
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


def require_replaceable(path: Path, *, folder: bool) -> None:
    """MyelinError where a file, or a folder, must not be put at ``path``."""
    if folder and path.is_dir() and not (path / MARK).exists() and any(path.iterdir()):
        raise MyelinError(f"{path} is a folder with other things in it; export to a new one")
    if folder and path.is_file():
        raise MyelinError(f"{path} is a file, and this export is a folder; choose another name")
    if not folder and path.is_dir():
        raise MyelinError(f"{path} is a folder, and this export is a file; choose another name")


def _sync(made: Path) -> None:
    for path in [made] if made.is_file() else made.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
