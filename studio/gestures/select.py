"""Selecting: a click on a wire, and the rubber band."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGraphicsRectItem

from studio.canvas import style
from studio.canvas.box import BoxItem
from studio.canvas.node import NodeItem
from studio.gestures import Gesture, Pointer, gesture

Z_BAND = 100.0


@gesture(order=60)
class SelectWire(Gesture):
    """Click on a wire: select it; with Shift or Ctrl add it or take it away."""

    def press(self, pointer: Pointer) -> bool:
        """Select the wire here."""
        key = self.scene.wire_at(pointer.scene)
        if key is None or pointer.button is not Qt.MouseButton.LeftButton:
            return False
        more = pointer.held("shift") or pointer.held("ctrl")
        self.session.select(self.session.selection ^ {key} if more else {key})
        return True


@gesture(order=90)
class RubberBand(Gesture):
    """Drag on empty canvas: to the right selects what lies inside, to the left what is touched.

    Shift adds to the selection, Ctrl takes away from it.  A click on empty canvas selects nothing.
    """

    _band: QGraphicsRectItem | None = None

    def press(self, pointer: Pointer) -> bool:
        """Begin a band on empty canvas."""
        if pointer.button is not Qt.MouseButton.LeftButton:
            return False
        self._from, self._before = pointer.scene, self.session.selection
        self._pressed = pointer
        self._band = QGraphicsRectItem()
        self._band.setZValue(Z_BAND)
        self._band.setBrush(style.brush("select", 30))
        self.scene.addItem(self._band)
        return True

    def move(self, pointer: Pointer) -> None:
        """Span the band; solid where it must contain, dashed where a touch is enough."""
        assert self._band is not None
        touch = pointer.scene.x() < self._from.x()
        pen = style.thin("select")
        if touch:
            pen = type(pen)(pen)
            pen.setStyle(Qt.PenStyle.DashLine)
        self._band.setPen(pen)
        area = QRectF(self._from, pointer.scene).normalized()
        self._band.setRect(area)
        self._choose(self._inside(area, touch))

    def release(self, pointer: Pointer) -> None:
        """A click without a drag clears the selection."""
        if self._band is not None and self._band.rect().isNull():
            self._choose(set())

    def cancel(self) -> None:
        """Select what was selected before."""
        self.session.select(self._before)

    def end(self) -> None:
        """Remove the band."""
        if self._band is not None:
            self.scene.removeItem(self._band)
            self._band = None

    def key(self, event: QKeyEvent) -> bool:
        """Escape clears the selection."""
        if event.key() != Qt.Key.Key_Escape or not self.session.selection:
            return False
        self.session.select(())
        return True

    def _choose(self, found: set[str]) -> None:
        if self._pressed.held("shift"):
            self.session.select(self._before | found)
        elif self._pressed.held("ctrl"):
            self.session.select(self._before - found)
        else:
            self.session.select(found)

    def _inside(self, area: QRectF, touch: bool) -> set[str]:
        """Nodes and comments by their boxes; frames only whole; wires between nodes that are in."""
        found = set()
        for item in self.scene.items(area, Qt.ItemSelectionMode.IntersectsItemBoundingRect):
            if not isinstance(item, (NodeItem, BoxItem)):
                continue
            whole = area.contains(item.area())
            if whole or (touch and isinstance(item, NodeItem) and area.intersects(item.area())):
                found.add(item.key)
        wires = self.session.document.wires
        touching = {wire for key in found for wire in self.scene.wiring.of(key)}
        return found | {w for w in touching if {wires[w].source.node, wires[w].target.node} <= found}
