"""Snapping of what is dragged: to the neighbours' edges and middles first, else to the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtWidgets import QGraphicsLineItem

from studio.canvas import style
from studio.canvas.face import GRID
from studio.canvas.node import NodeItem

if TYPE_CHECKING:
    from studio.canvas.scene import CanvasScene
    from studio.canvas.view import CanvasView

REACH = 6.0
"""Pixels within which an edge snaps to another."""
Z_GUIDE = 90.0


class Guides:
    """Lines that tell what the dragged things are aligned with.

    ``key`` is what the mouse holds; its top left goes to the grid where nothing else aligns.
    """

    def __init__(self, scene: CanvasScene, key: str, moved: set[str], view: CanvasView) -> None:
        self._scene = scene
        self._held, self._box = scene.node_rect(key), scene.extent(moved)
        self._reach = REACH / view.zoom
        still = [
            item.area()
            for item in scene.items(view.visible_area())
            if isinstance(item, NodeItem) and item.key not in moved
        ]
        self._across = sorted({(x, rect.top(), rect.bottom()) for rect in still for x in _columns(rect)})
        self._down = sorted({(y, rect.left(), rect.right()) for rect in still for y in _rows(rect)})
        self._lines = [QGraphicsLineItem(), QGraphicsLineItem()]
        for line in self._lines:
            line.setZValue(Z_GUIDE)
            line.setVisible(False)
            scene.addItem(line)

    def snapped(self, by: QPointF) -> QPointF:
        """The move, changed a little so that something lies in line; shows with what."""
        box = self._box.translated(by)
        dx, column = _nearest(_columns(box), self._across, self._reach)
        dy, row = _nearest(_rows(box), self._down, self._reach)
        grid = self._held.topLeft() + by
        x = by.x() + (dx if column else round(grid.x() / GRID) * GRID - grid.x())
        y = by.y() + (dy if row else round(grid.y() / GRID) * GRID - grid.y())
        box = self._box.translated(x, y)
        for line, found, upright in ((self._lines[0], column, True), (self._lines[1], row, False)):
            line.setVisible(found is not None)
            if found is not None:
                line.setPen(style.thin("accent"))
                line.setLine(_between(found, box, upright))
        return QPointF(x, y)

    def hide(self) -> None:
        """Remove the lines."""
        for line in self._lines:
            line.setVisible(False)
            if line.scene() is not None:
                self._scene.removeItem(line)


Edge = tuple[float, float, float]


def _columns(rect: QRectF) -> tuple[float, float, float]:
    return rect.left(), rect.center().x(), rect.right()


def _rows(rect: QRectF) -> tuple[float, float, float]:
    return rect.top(), rect.center().y(), rect.bottom()


def _nearest(own: tuple[float, ...], others: list[Edge], reach: float) -> tuple[float, Edge | None]:
    """How far to go to the nearest of the others' lines, and which; None if all are out of reach."""
    found = [(abs(edge[0] - mine), edge[0] - mine, edge) for edge in others for mine in own]
    distance, by, edge = min(found, default=(reach + 1, 0.0, None))
    return (by, edge) if distance <= reach else (0.0, None)


def _between(edge: Edge, box: QRectF, upright: bool) -> QLineF:
    """The line from the neighbour's edge to the dragged box."""
    at, first, last = edge
    if upright:
        return QLineF(at, min(first, box.top()) - 8, at, max(last, box.bottom()) + 8)
    return QLineF(min(first, box.left()) - 8, at, max(last, box.right()) + 8, at)
