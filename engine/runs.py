"""What a run leaves in its folder, and what its record says of where its numbers come from."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from engine.document import Document, DocumentError, dumps, save, weights
from engine.document.store import digest, put
from engine.errors import MyelinError
from engine.versions import installed, own_version

RECORD = "run.json"
LOCK = ".running"
DRAWN = "document.myelin"  # the document as it ran
WEIGHTS = "checkpoint.safetensors"
EPOCHS = "epochs.jsonl"  # what was seen in every epoch: rates, gradients, delays, weights, confusion
BEST = "best.safetensors"  # of the epoch that a validation split chose


@contextmanager
def folder_of_run(folder: Path) -> Iterator[None]:
    """The folder of a run, for it alone while it is computed; what fails leaves no new empty folder behind.

    MyelinError, before anything is computed, where nothing can be written or another run is writing.
    """
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise MyelinError(f"another run is writing to the folder {folder}: name another one") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MyelinError(f"cannot write to the folder {folder}: {reason}; name another one") from None
    try:
        yield
    except BaseException:
        _let_go(lock, folder)
        with suppress(OSError):  # it holds something
            for place in new:
                place.rmdir()
        raise
    _let_go(lock, folder)


def _let_go(lock: BaseFileLock, folder: Path) -> None:
    lock.release()
    with suppress(OSError):  # someone else may have it already
        (folder / LOCK).unlink(missing_ok=True)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Replace ``run.json`` in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        put((json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode(), folder / RECORD)
    except DocumentError as error:
        raise MyelinError(str(error)) from None


def begin(folder: Path, document: Document, home: Path | None, record: dict[str, Any]) -> None:
    """What a run keeps from its first step on, so that it can be resumed after a crash.

    ``home``: the folder of the document, from which it names the weights that it starts from.
    """
    write_record(folder, record)
    kept = document.copy()
    kept.edit("move", weights.moved(document, home, folder))
    save(kept, folder / DRAWN)


def origin(document: Document, device: str) -> dict[str, Any]:
    """What a record says of where its numbers come from."""
    versions = {name: installed(name) for name in ("torch", "lightning", "numpy")}
    return {
        "title": document.meta.get("title", ""),
        "document": digest(dumps(document).encode()),
        "seed": document.meta.get("seed", 0),
        "device": device,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": platform.platform(),
        "versions": {"myelin": own_version(), "python": platform.python_version(), **versions},
    }


def protocol(validation: float) -> str:
    """By which rule the epoch was chosen whose accuracy is reported."""
    if validation:
        part = f"{100 * validation:.0f} % of the training split"
        return f"held-out split, epoch chosen on {part}"
    return "held-out split, last epoch"
