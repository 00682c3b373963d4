"""Where things lie: the rectangles of nodes, groups, frames and comments as they are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from engine.document import Document
from engine.document.groups import members
from studio.canvas.face import group_face, node_size
from studio.canvas.shown import exposed, is_collapsed, is_note
from studio.edits.draft import corner

NO_SIZE = [200.0, 120.0]


class Box(NamedTuple):
    """A rectangle in scene units."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height


def box(document: Document, id: str) -> Box | None:
    """The rectangle of a node, group, frame or comment; None for anything else."""
    if id in document.nodes:
        return Box(*corner(document, id), *node_size(document, id))
    if id in document.groups and is_collapsed(document, id):
        return Box(*corner(document, id), *_group_size(document, id))
    if id in document.groups:
        return around(document, members(document.groups)[id])
    if is_note(document, id):
        width, height = document.layout[id].get("size", NO_SIZE)
        return Box(*corner(document, id), float(width), float(height))
    return None


def around(document: Document, ids: Iterable[str]) -> Box | None:
    """The smallest rectangle around all of these; None around nothing."""
    found = [known for id in ids if (known := box(document, id)) is not None]
    if not found:
        return None
    left, top = min(one.left for one in found), min(one.top for one in found)
    right, bottom = max(one.right for one in found), max(one.bottom for one in found)
    return Box(left, top, right - left, bottom - top)


def _group_size(document: Document, group: str) -> tuple[float, float]:
    ports = [exposed(document, group, side) for side in ("in", "out")]
    face = group_face(document.groups[group]["name"], "", *ports)
    return face.width, face.height
