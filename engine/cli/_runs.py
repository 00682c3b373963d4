"""Where runs lie, ``<document>.runs/<time>-<id>/``, and how the command line finds them."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from safetensors import SafetensorError, safe_open

from engine.cli._failures import UsageError
from engine.cli._settings import Settings
from engine.document import Document, DocumentError
from engine.document.store import read_bytes
from engine.runs import RECORD, WEIGHTS, origin

NEWEST = "newest"  # on the command line, instead of a path
FIRST_ARM = "learned"  # of a comparison

Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="RUN|FILE",
        help="Folder of a run or a checkpoint; by default what the document names, else the newest run.",
    ),
]


def runs_of(file: Path) -> Path:
    """The folder of all runs of a document."""
    return file.with_suffix(".runs")


def new_run(file: Path) -> Path:
    """A folder for a new run; not made yet."""
    return runs_of(file) / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def newest(file: Path) -> Path:
    """The folder of the run of a document that was trained last."""
    if not file.exists():
        raise UsageError(f"cannot open {file}: there is no such file or folder")
    found = [
        path
        for pattern in (f"*/{WEIGHTS}", f"*/{FIRST_ARM}/{WEIGHTS}")
        for path in runs_of(file).glob(pattern)
    ]
    if not found:
        raise UsageError(
            f"{file} has no trained weights in {runs_of(file)}: train it first, or name some with --weights"
        )
    return max(found, key=lambda path: path.stat().st_mtime_ns).parent


def weights_of(given: Path | None, file: Path) -> Path:
    """The checkpoint to read: a file, that of a run's folder, or that of the document's newest run."""
    place = newest(file) if given is None or str(given) == NEWEST else given
    if place.is_file():
        return place
    if not place.exists():
        raise UsageError(f"{place}: there is no such file or folder")
    folder = next((f for f in (place, place / FIRST_ARM) if (f / WEIGHTS).exists()), None)
    if folder is None:
        raise UsageError(f"{place} holds no {WEIGHTS}: name the folder of a training run, or the file itself")
    return folder / str(read_record(folder).get("weights", WEIGHTS))


def read_record(folder: Path) -> dict[str, Any]:
    """What a run says of itself; nothing where it says nothing."""
    if not (folder / RECORD).exists():
        return {}
    try:
        found = json.loads(read_bytes(folder / RECORD))
    except (ValueError, DocumentError):
        raise UsageError(
            f"{folder / RECORD} is damaged: remove it, or name the checkpoint file itself"
        ) from None
    return found if isinstance(found, dict) else {}


def settings_of(checkpoint: Path) -> Settings:
    """How the command line had changed the document: what the file itself says, else the run it lies in."""
    own = _header(checkpoint).get("settings")
    return Settings.of(read_record(checkpoint.parent).get("settings", {}) if own is None else own)


def _header(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says of itself; nothing where it cannot be read, which its reader will tell."""
    try:
        with safe_open(checkpoint, "np") as file:
            found = json.loads((file.metadata() or {}).get("myelin", "{}"))
    except (OSError, ValueError, SafetensorError):
        return {}
    return found if isinstance(found, dict) else {}


def about(document: Document, file: Path, settings: Settings, device: str) -> dict[str, Any]:
    """What a record says of where its numbers come from."""
    return {"file": str(file), "settings": settings.as_dict(), **origin(document, device)}
