"""The files of a run, for a client on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.run.worker.errors import RefusedError
from engine.runs import LOCK, RECORD

PIECE = 2**20


def listing(folder: str) -> list[dict[str, Any]]:
    """Name and size of every file of a run."""
    root = _run(folder)
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.name != LOCK)
    return [{"name": path.relative_to(root).as_posix(), "size": path.stat().st_size} for path in paths]


def piece(folder: str, name: str, offset: int) -> dict[str, Any]:
    """At most a mebibyte of a file from ``offset`` on, and the size of all of it."""
    root = _run(folder)
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise RefusedError(f"the run {folder} has no file {name!r}")
    with path.open("rb") as file:
        file.seek(offset)
        return {"data": file.read(PIECE), "size": path.stat().st_size}


def _run(folder: str) -> Path:
    """Nothing but folders of runs is given away."""
    root = Path(folder).resolve()
    if not (root / RECORD).is_file():
        raise RefusedError(f"there is no run in {folder}")
    return root
