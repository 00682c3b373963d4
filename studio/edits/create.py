"""New nodes: on empty canvas, on a wire, beside another node, at the loose end of a wire."""

from __future__ import annotations

from engine.document import Document, EditError, End
from nodes import registry
from studio.canvas.face import node_size
from studio.edits.draft import Draft, Ops, Point, corner, group_of, known
from studio.edits.ports import Ports
from studio.edits.wiring import GAP, free_place, join, put_on

FEEDING = ("dataset", "encoder", "offline", "delays", "rule")
"""Roles of nodes that are there to give others something."""
ATTACHED = ("delays", "rule")


def add(document: Document, type: str, at: Point, group: str | None = None) -> tuple[Ops, str]:
    """A node with its top-left corner ``at``; its id."""
    draft = Draft(document)
    return draft.ops, _new(draft, type, at, group)


def _new(draft: Draft, type: str, at: Point, group: str | None) -> str:
    if registry.get(type) is None:
        raise EditError(f"the node type {type} is not installed")
    return draft.add(type, at, group)


def add_centred(
    document: Document, type: str, at: Point, group: str | None = None, grid: int = 1
) -> tuple[Ops, str]:
    """A node whose middle lies ``at``, as where the mouse lets go of one, on a grid; its id."""
    draft = Draft(document)
    id = _new(draft, type, at, group)
    _centre(draft, id, at)
    x, y = corner(draft.document, id)
    draft.do([draft.place(id, (round(x / grid) * grid, round(y / grid) * grid))])
    return draft.ops, id


def _centre(draft: Draft, id: str, at: Point) -> None:
    width, height = node_size(draft.document, id)
    draft.do([draft.place(id, (at[0] - width / 2, at[1] - height / 2))])


def add_wired(
    document: Document, type: str, at: Point, end: End, outgoing: bool, group: str | None = None
) -> tuple[Ops, str]:
    """A node at the loose end of a wire from ``end``, joined by its best port; its id.

    ``outgoing``: whether the wire leaves an output (and enters the new node).
    """
    known(document, end.node)
    draft = Draft(document)
    id = _new(draft, type, at, group)
    width, _ = node_size(draft.document, id)
    if not outgoing:
        draft.do([draft.place(id, (at[0] - width, at[1]))])
    _join_best(draft, end, id, outgoing)
    return draft.ops, id


def _join_best(draft: Draft, end: End, node: str, outgoing: bool) -> None:
    ports = Ports(draft.document)
    among = ports.inputs(node) if outgoing else ports.outputs(node)
    best = ports.best(end, outgoing, among)
    if best is None:
        raise EditError(f"'{draft.document.nodes[node].name}' has no port that fits")
    join(draft, *((end, best) if outgoing else (best, end)))


def add_on_wire(
    document: Document, type: str, at: Point, wire: str, group: str | None = None
) -> tuple[Ops, str]:
    """A node in the middle of a wire; its id."""
    draft = Draft(document)
    id = _new(draft, type, at, group)
    _centre(draft, id, at)
    put_on(draft, id, wire)
    return draft.ops, id


def add_beside(document: Document, type: str, node: str) -> tuple[Ops, str]:
    """A node next to another and joined to it: before it if it feeds it, else behind; its id."""
    known(document, node)
    draft = Draft(document)
    id = _new(draft, type, corner(document, node), group_of(document, node))
    ports = Ports(draft.document)
    behind = [(a, b) for a in ports.outputs(node) for b in ports.inputs(id)]
    before = [(a, b) for a in ports.outputs(id) for b in ports.inputs(node)]
    ordered = [*before, *behind] if _role(type) in FEEDING else [*behind, *before]
    fitting = [pair for pair in ordered if not ports.reason(*pair)]
    if not fitting:
        names = draft.document.nodes[id].name, draft.document.nodes[node].name or node
        raise EditError("'{}' and '{}' have no ports that fit each other".format(*names))
    source, target = min(fitting, key=lambda pair: ports.rank(*pair))
    _place_beside(draft, id, node, behind=source.node == node)
    join(draft, source, target)
    return draft.ops, id


def _role(type: str) -> str:
    found = registry.get(type)
    return found.role if found else "unknown"


def _place_beside(draft: Draft, id: str, node: str, behind: bool) -> None:
    (x, y), (width, height) = corner(draft.document, node), node_size(draft.document, node)
    own, _ = node_size(draft.document, id)
    room = GAP * 4  # for a projection between
    at = (x + width + room, y) if behind else (x - own - room, y)
    if _role(draft.document.nodes[id].type) in ATTACHED:
        at = (x + (width - own) / 2, y + height + GAP)
    draft.do([draft.place(id, free_place(draft.document, at, id))])
