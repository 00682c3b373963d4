"""What moving means for the document: which things go along, and the operations.  No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.document import Document
from engine.document.groups import members
from engine.document.ops import set_op

Ops = list[dict[str, Any]]


def goes_along(document: Document, keys: Iterable[str]) -> set[str]:
    """Everything with a place of its own that moves with these: members of groups, wires between them."""
    moved = set(keys)
    inside = members(document.groups)
    for group in list(moved & inside.keys()):
        moved |= inside[group]
        moved |= {inner for inner, nodes in inside.items() if nodes and nodes <= inside[group]}
    for key in document.layout.keys() & document.wires.keys():
        wire = document.wires[key]
        if wire.source.node in moved and wire.target.node in moved:
            moved.add(key)
    return moved


def move_ops(
    document: Document, keys: Iterable[str], dx: float, dy: float, places: dict[str, tuple[float, float]]
) -> Ops:
    """The operations that move these by (dx, dy); ``places``: where those are that have no place yet."""
    ops: Ops = []
    for key in sorted(goes_along(document, keys)):
        entry = document.layout.get(key, {})
        if key in document.wires:
            ops += _points(key, entry, dx, dy)
        elif "at" in entry:
            x, y = entry["at"]
            ops.append(set_op(["layout", key, "at"], [_whole(x + dx), _whole(y + dy)]))
        elif key in places:
            x, y = places[key]
            ops.append(set_op(["layout", key], {**entry, "at": [_whole(x + dx), _whole(y + dy)]}))
    return ops


def place_ops(document: Document, places: dict[str, tuple[float, float]]) -> Ops:
    """The operations that put things at these places."""
    return [
        set_op(["layout", key], {**document.layout.get(key, {}), "at": [_whole(x), _whole(y)]})
        for key, (x, y) in sorted(places.items())
    ]


def _points(key: str, entry: dict[str, Any], dx: float, dy: float) -> Ops:
    points = entry.get("points")
    if not points:
        return []
    moved = [[_whole(x + dx), _whole(y + dy)] for x, y in points]
    return [set_op(["layout", key, "points"], moved)]


def _whole(value: float) -> float | int:
    """A short number in the file: whole where it is, else with one decimal."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
