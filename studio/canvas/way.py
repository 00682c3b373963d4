"""Where a wire runs: from port to port, back in a lane of its own, or out of the entered group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.canvas.face import ATTACHED

if TYPE_CHECKING:
    from engine.document import End
    from studio.canvas.scene import CanvasScene

LEAD, LANE = -10.0, 24.0
"""From how far back a wire takes a lane, and how far that is from the nodes."""
STUB, APART = 60.0, 26.0
"""How far a wire that leaves the entered group is drawn, and how far from the next one at its node."""


@dataclass(frozen=True)
class Way:
    """Both ends of a wire, and the height at which it runs back.

    ``leaves``: the side, ``in`` or ``out``, of the end that is shown where the other lies outside of the
    entered group; ``outside`` names that other end.
    """

    start: QPointF
    end: QPointF
    lane: float | None = None
    leaves: str = ""
    outside: str = ""


def way_of(scene: CanvasScene, key: str) -> Way | None:
    """The way of a wire; None if it is not shown."""
    wire = scene.session.document.wires.get(key)
    if wire is None:
        return None
    stand_in = scene.shown.stand_in
    source, target = stand_in.get(wire.source.node), stand_in.get(wire.target.node)
    if (source is None and target is None) or (source == target and source in scene.shown.collapsed):
        return None
    start = scene.port_pos(wire.source.node, wire.source.port, "out")
    end = scene.port_pos(wire.target.node, wire.target.port, "in")
    if source is None:
        return Way(_far_end(scene, key, "in", end), end, None, "in", _name(scene, "from", wire.source))
    if target is None:
        return Way(start, _far_end(scene, key, "out", start), None, "out", _name(scene, "to", wire.target))
    return Way(start, end, _lane(scene, source, target, start, end))


def _lane(scene: CanvasScene, source: str, target: str, start: QPointF, end: QPointF) -> float | None:
    """Where a wire that runs back is seen: between its two nodes, or above both."""
    if end.x() > start.x() + LEAD:
        return None
    rects = (scene.node_rect(source), scene.node_rect(target))
    upper, lower = sorted(rects, key=lambda rect: rect.top())
    if lower.top() - upper.bottom() >= LANE:
        return (upper.bottom() + lower.top()) / 2
    return upper.top() - LANE


def _far_end(scene: CanvasScene, key: str, side: str, near: QPointF) -> QPointF:
    """Where a wire that leaves the scope ends: beside its node, one below the other; attachments below."""
    wire = scene.session.document.wires[key]
    if scene.wiring.kind(*wire.source) in ATTACHED:
        return near + QPointF(0, STUB if side == "in" else -STUB)
    leaving = _leaving(scene, wire.target.node if side == "in" else wire.source.node, side)
    heights = [y for y, _ in leaving]
    place = [other for _, other in leaving].index(key)
    middle = sum(heights) / len(heights)
    y = middle + (place - (len(leaving) - 1) / 2) * APART
    return QPointF(near.x() + (STUB if side == "out" else -STUB), y)


def _leaving(scene: CanvasScene, node: str, side: str) -> list[tuple[float, str]]:
    """The wires that leave the scope at this side of a node, by the heights of their ports."""
    wires, stand_in = scene.session.document.wires, scene.shown.stand_in
    found = []
    for key in scene.wiring.of(node):
        near, far = wires[key].target, wires[key].source
        if side == "out":
            near, far = far, near
        attached = scene.wiring.kind(*wires[key].source) in ATTACHED
        if near.node == node and far.node not in stand_in and not attached:
            found.append((scene.port_pos(node, near.port, side).y(), key))
    return sorted(found)


def _name(scene: CanvasScene, word: str, end: End) -> str:
    record = scene.session.document.nodes[end.node]
    return f"{word} {record.name or record.type} · {end.port}"
