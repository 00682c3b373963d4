"""A draft: a copy of the document on which the steps of one edit are tried out, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.document import Document, EditError, End, Wire, new_node
from engine.document.document import distinct
from engine.document.ops import add_node, add_wire, set_op, unset_op
from nodes import registry

Ops = list[dict[str, Any]]
Point = Sequence[float]


class Draft:
    """``document``: as it will be.  ``ops``: what leads there.  The real document is left alone."""

    def __init__(self, document: Document) -> None:
        self.document = document.copy()
        self.ops: Ops = []

    def do(self, ops: Iterable[dict[str, Any]]) -> None:
        """Take further steps; EditError if one is not possible."""
        self.ops += self.document.edit("It cannot be drawn", ops).ops

    def add(self, type: str, at: Point, group: str | None = None) -> str:
        """Add a node of ``type`` with its top-left corner ``at``; its id."""
        id = self.document.fresh_id()
        name = distinct(first_name(type), self.document.names())
        self.do([add_node(id, new_node(type, name)), self.place(id, at)])
        self.enter(group, [id])
        return id

    def place(self, id: str, at: Point) -> dict[str, Any]:
        """The operation that puts something ``at`` whole scene units."""
        return set_op(
            ["layout", id], {**self.document.layout.get(id, {}), "at": [round(at[0]), round(at[1])]}
        )

    def wire(self, source: End, target: End) -> str:
        """Add a wire; its id."""
        id = self.document.fresh_id()
        self.do([add_wire(id, Wire(source, target))])
        return id

    def unwire(self, wires: Iterable[str]) -> None:
        """Delete wires with their reroute points."""
        doomed = sorted(set(wires))
        self.do(unset_op(["layout", id]) for id in doomed if id in self.document.layout)
        self.do({"op": "del_wire", "id": id} for id in doomed)

    def enter(self, group: str | None, nodes: Sequence[str]) -> None:
        """Make nodes that are in no group members of one."""
        if group is not None and nodes:
            path = ["groups", group, "nodes"]
            self.do([set_op(path, [*self.document.groups[group]["nodes"], *nodes])])


def first_name(type: str) -> str:
    """What a new node is called: the label of its type in small letters, without what is in brackets."""
    spec = registry.get(type)
    label = spec.label.partition("(")[0].strip().lower() if spec else ""
    return label or type.rsplit(".", 1)[-1]


def known(document: Document, *nodes: str) -> None:
    """EditError unless these nodes are there."""
    for node in nodes:
        if node not in document.nodes:
            raise EditError(f"there is no node {node}")


def corner(document: Document, id: str) -> tuple[float, float]:
    """Where the top-left corner of something lies; the origin if it has no place yet."""
    x, y = document.layout.get(id, {}).get("at", (0, 0))
    return float(x), float(y)


def group_of(document: Document, node: str) -> str | None:
    """The group whose direct member a node is."""
    return next((id for id, group in document.groups.items() if node in group["nodes"]), None)
