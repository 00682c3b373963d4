"""Cutting wires with a line across them."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QPainterPath
from PySide6.QtWidgets import QGraphicsPathItem

from studio.canvas import style
from studio.canvas.wire import WireItem
from studio.edits import wiring
from studio.gestures import Gesture, Pointer, gesture

Z_CUT = 100.0
HELD = (("ctrl", "alt"), ("ctrl", "shift"))


@gesture(order=6)
class Slice(Gesture):
    """Ctrl+Alt (or Ctrl+Shift) drag: cut the wires under the line."""

    _line: QGraphicsPathItem | None = None

    def press(self, pointer: Pointer) -> bool:
        """Set the knife down."""
        if pointer.button is not Qt.MouseButton.LeftButton or not any(pointer.held(*keys) for keys in HELD):
            return False
        self._track = [pointer.scene]
        self._cut: set[str] = set()
        self._line = QGraphicsPathItem()
        self._line.setPen(style.pen("error", 2.0 / min(self.view.zoom, 1.0), "dash"))
        self._line.setZValue(Z_CUT)
        self.scene.addItem(self._line)
        self.view.viewport().setCursor(Qt.CursorShape.CrossCursor)
        return True

    def move(self, pointer: Pointer) -> None:
        """Draw the line on; wires that it crosses fade."""
        assert self._line is not None
        piece = QLineF(self._track[-1], pointer.scene)
        self._track.append(pointer.scene)
        path = QPainterPath(self._track[0])
        for point in self._track[1:]:
            path.lineTo(point)
        self._line.setPath(path)
        area = path.boundingRect().adjusted(-1, -1, 1, 1)  # else a line straight down has no area at all
        for item in self.scene.items(area, Qt.ItemSelectionMode.IntersectsItemBoundingRect):
            if isinstance(item, WireItem) and item.key not in self._cut and crosses(item.path(), piece):
                self._cut.add(item.key)
                item.setOpacity(0.3)

    def release(self, pointer: Pointer) -> None:
        """Delete the wires."""
        self.move(pointer)
        if self._cut:
            label = "Cut wire" if len(self._cut) == 1 else f"Cut {len(self._cut)} wires"
            self.session.edit(label, wiring.delete_wires(self.session.document, self._cut))

    def end(self) -> None:
        """Remove the line."""
        if self._line is not None:
            self.scene.removeItem(self._line)
            self._line = None
        for key in self._cut:
            item = self.scene.items_by_id.get(key)
            if item is not None:
                item.setOpacity(1.0)
        self.view.viewport().unsetCursor()


def crosses(path: QPainterPath, line: QLineF) -> bool:
    """Whether a line crosses an open path."""
    points: list[QPointF] = [point for polygon in path.toSubpathPolygons() for point in polygon.toList()]
    bounded = QLineF.IntersectionType.BoundedIntersection
    return any(line.intersects(QLineF(a, b))[0] == bounded for a, b in pairwise(points))
