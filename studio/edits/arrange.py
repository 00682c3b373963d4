"""Aligning and distributing what is selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.document import Document, EditError
from engine.document.groups import members
from studio.canvas.moves import move_ops
from studio.edits.boxes import Box, box
from studio.edits.draft import Ops

Place = Callable[[Box, Box], tuple[float, float]]
"""From the box of one thing, and that around all, to the corner of the one."""

EDGES: dict[str, Place] = {
    "left": lambda one, all: (all.left, one.top),
    "right": lambda one, all: (all.right - one.width, one.top),
    "centre": lambda one, all: (all.left + (all.width - one.width) / 2, one.top),
    "top": lambda one, all: (one.left, all.top),
    "bottom": lambda one, all: (one.left, all.bottom - one.height),
    "middle": lambda one, all: (one.left, all.top + (all.height - one.height) / 2),
}


def align(document: Document, ids: Iterable[str], edge: str) -> Ops:
    """Bring things onto one line: ``left right centre`` move across, ``top bottom middle`` up and down."""
    found = _boxes(document, ids, 2, "align")
    everything = _around(list(found.values()))
    return _moves(document, {id: EDGES[edge](one, everything) for id, one in found.items()})


def distribute(document: Document, ids: Iterable[str], axis: str) -> Ops:
    """Leave equal gaps between things ``horizontally`` or ``vertically``; the outermost stay."""
    found = _boxes(document, ids, 3, "distribute")
    across = axis == "horizontally"
    order = sorted(found, key=lambda id: (found[id].left if across else found[id].top, id))
    everything = _around(list(found.values()))
    used = sum(one.width if across else one.height for one in found.values())
    gap = ((everything.width if across else everything.height) - used) / (len(order) - 1)
    places, here = {}, everything.left if across else everything.top
    for id in order:
        one = found[id]
        places[id] = (here, one.top) if across else (one.left, here)
        here += (one.width if across else one.height) + gap
    return _moves(document, places)


def _boxes(document: Document, ids: Iterable[str], least: int, verb: str) -> dict[str, Box]:
    found = {id: known for id in sorted(set(ids)) if (known := box(document, id)) is not None}
    within = {node for id in found.keys() & document.groups.keys() for node in members(document.groups)[id]}
    found = {id: one for id, one in found.items() if id not in within}
    if len(found) < least:
        raise EditError(f"select at least {'two' if least == 2 else 'three'} things to {verb} first")
    return found


def _around(found: list[Box]) -> Box:
    left, top = min(one.left for one in found), min(one.top for one in found)
    right, bottom = max(one.right for one in found), max(one.bottom for one in found)
    return Box(left, top, right - left, bottom - top)


def _moves(document: Document, places: dict[str, tuple[float, float]]) -> Ops:
    """The operations that put things at corners, with what belongs to them."""
    ops: Ops = []
    for id, (x, y) in sorted(places.items()):
        old = box(document, id)
        if old is not None and (round(x - old.left), round(y - old.top)) != (0, 0):
            dx, dy = round(x) - old.left, round(y) - old.top
            ops += move_ops(document, [id], dx, dy, {id: (old.left, old.top)})
    return ops
