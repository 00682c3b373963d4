"""Frames and comments: they exist in the layout alone and change nothing that is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.document import Document, EditError
from engine.document.ops import set_op
from studio.canvas.shown import is_note
from studio.edits.boxes import around
from studio.edits.draft import Ops, Point

MARGIN, TITLE = 24.0, 32.0


def frame(
    document: Document, ids: Iterable[str], title: str = "Frame", group: str | None = None
) -> tuple[Ops, str]:
    """A titled frame around what is selected; its id."""
    found = around(document, ids)
    if found is None:
        raise EditError("select what the frame shall surround first")
    at = [round(found.left - MARGIN), round(found.top - MARGIN - TITLE)]
    size = [round(found.width + 2 * MARGIN), round(found.height + 2 * MARGIN + TITLE)]
    return _note(document, {"at": at, "size": size, "frame": title, "colour": "accent"}, group)


def comment(
    document: Document, at: Point, text: str = "Comment", group: str | None = None
) -> tuple[Ops, str]:
    """A comment with its corner ``at``; its id."""
    place = {"at": [round(at[0]), round(at[1])], "size": [220, 90], "comment": text}
    return _note(document, place, group)


def write(document: Document, note: str, text: str) -> Ops:
    """Change the title of a frame or the text of a comment."""
    if not is_note(document, note):
        raise EditError("there is no such frame or comment")
    key = "frame" if "frame" in document.layout[note] else "comment"
    return [set_op(["layout", note, key], text)]


def _note(document: Document, place: Mapping[str, object], group: str | None) -> tuple[Ops, str]:
    id = document.fresh_id(document.layout)
    inside = {} if group is None else {"group": group}
    return [set_op(["layout", id], {**place, **inside})], id
