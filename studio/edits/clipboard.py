"""Copy, paste and duplicate: the clipboard holds plain text, itself a small document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine import document as documents
from engine.document import Document, DocumentError, EditError, dumps, loads
from engine.document.ops import set_op
from studio.canvas.shown import is_note
from studio.edits.boxes import around
from studio.edits.draft import Draft, Ops, Point
from studio.edits.remove import groups_within, with_members

STEP = (40.0, 40.0)
"""How far (scene units) a duplicate lies from what it was made of."""


def copy(document: Document, ids: Iterable[str]) -> str:
    """The selected nodes, groups, frames and comments, with the wires among them, as text; '' for nothing."""
    chosen = set(ids)
    nodes, notes = with_members(document, chosen), [id for id in chosen if is_note(document, id)]
    if not nodes and not notes:
        return ""
    whole = document.copy()
    inside = groups_within(document, chosen & document.groups.keys())
    whole.groups = {id: entry for id, entry in document.groups.items() if id in inside}
    for id in inside:
        if whole.groups[id]["parent"] not in inside:
            whole.groups[id] = {**whole.groups[id], "parent": None}
    part = loads(documents.copy(whole, nodes))
    for id in notes:
        part.layout[id] = {key: value for key, value in document.layout[id].items() if key != "group"}
    return dumps(part)


def paste(
    document: Document, text: str, at: Point | None = None, group: str | None = None
) -> tuple[Ops, list[str]]:
    """Add what was copied, its top-left corner ``at`` (by default beside it), into the group entered.

    The second value: the ids to select.
    """
    source = _read(text)
    offset = _offset(source, at)
    draft = Draft(document)
    if source.nodes:
        draft.do(documents.paste(draft.document, text, offset))
    nodes = draft.document.nodes.keys() - document.nodes.keys()
    groups = draft.document.groups.keys() - document.groups.keys()
    notes = [_paste_note(draft, entry, offset, group) for entry in _notes(source)]
    tops = sorted(id for id in groups if draft.document.groups[id]["parent"] is None)
    grouped = {node for id in groups for node in draft.document.groups[id]["nodes"]}
    if group is not None:
        draft.do([set_op(["groups", id, "parent"], group) for id in tops])
        draft.enter(group, sorted(nodes - grouped))
    return draft.ops, [*sorted(nodes - grouped), *tops, *notes]


def duplicate(document: Document, ids: Iterable[str], group: str | None = None) -> tuple[Ops, list[str]]:
    """A second one of everything selected, a little to the side."""
    text = copy(document, ids)
    if not text:
        raise EditError("nothing is selected that could be duplicated")
    return paste(document, text, group=group)


def _read(text: str) -> Document:
    """The document in a text; EditError in words that fit a clipboard."""
    try:
        source = loads(text, "the clipboard")
    except DocumentError as error:
        if '"myelin"' in text:
            raise EditError(str(error)) from None
        raise EditError(
            "the clipboard holds no network: copy nodes, or the text of a .myelin file, first"
        ) from None
    if not source.nodes and not _notes(source):
        raise EditError("the clipboard holds an empty network")
    return source


def _notes(source: Document) -> list[dict[str, Any]]:
    return [source.layout[id] for id in sorted(source.layout) if is_note(source, id)]


def _offset(source: Document, at: Point | None) -> Point:
    everything = around(source, [*source.nodes, *source.groups, *(id for id in source.layout)])
    if at is None or everything is None:
        return STEP
    return [round(at[0] - everything.left), round(at[1] - everything.top)]


def _paste_note(draft: Draft, entry: dict[str, Any], offset: Point, group: str | None) -> str:
    id = draft.document.fresh_id(draft.document.layout)
    x, y = entry.get("at", (0, 0))
    place = {key: value for key, value in entry.items() if key != "group"}
    draft.do([set_op(["layout", id], {**place, "at": [x + offset[0], y + offset[1]]})])
    if group is not None:
        draft.do([set_op(["layout", id, "group"], group)])
    return id
