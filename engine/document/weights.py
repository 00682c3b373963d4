"""The tensors that a network starts from: ``meta.weights``, a file named from the document's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.document.ops import set_op, unset_op
from engine.document.records import Json

if TYPE_CHECKING:
    from engine.document.document import Document

PATH = ["meta", "weights"]


def place(document: Document, folder: Path | None) -> Path | None:
    """The file of a document that lies in ``folder``; None where its weights are drawn from its seed."""
    given = document.meta.get("weights")
    return (folder or Path()) / given if given else None


def starting_from(document: Document, file: Path | None, folder: Path | None) -> list[Json]:
    """The ops that let a document in ``folder`` (None: not saved yet) start from a file, None for none."""
    if file is None:
        return [unset_op(PATH)] if "weights" in document.meta else []
    return [set_op(PATH, _named(file, folder))]


def moved(document: Document, before: Path | None, after: Path) -> list[Json]:
    """The ops by which a document that is saved in another folder still names the same file."""
    file = place(document, before)
    ops = starting_from(document, file, after) if file else []
    return [op for op in ops if op["value"] != document.meta["weights"]]


def _named(file: Path, folder: Path | None) -> str:
    if folder is None:
        return file.absolute().as_posix()
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # another drive
        return file.absolute().as_posix()
