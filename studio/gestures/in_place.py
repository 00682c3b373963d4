"""Double-click, F2 or Enter: change a value or the name of a node where it is painted."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent

from studio.canvas.node import FULL, TITLE, NodeItem
from studio.canvas.overlay import NAME, Overlay, Spot, spots
from studio.gestures import Gesture, Pointer, gesture

ROOM = 0.5
"""The zoom that it takes to read what is edited."""


@gesture(order=44)
class EditInPlace(Gesture):
    """Double-click on a value or name of a node to change it there; F2 or Enter changes the name."""

    overlay: Overlay | None = None

    def double_click(self, pointer: Pointer) -> bool:
        """Open an editor over what lies under the pointer."""
        key = self.scene.node_at(pointer.scene)
        item = self.scene.items_by_id.get(key or "")
        known = isinstance(item, NodeItem) and item.key in self.session.document.nodes
        if not isinstance(item, NodeItem) or not known or self.view.zoom < TITLE:
            return False
        at, spots_there = pointer.scene - item.pos(), self._spots(item)
        found = next((spot for spot in spots_there if spot[1].contains(at)), None)
        if self.view.zoom < FULL:  # the name alone is painted, in the middle
            found = next((spot for spot in spots_there if spot[0] == NAME), None)
        return found is not None and self._open(item, found)

    def key(self, event: QKeyEvent) -> bool:
        """F2 and Enter name the only selected node."""
        if event.key() not in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter) or event.modifiers():
            return False
        chosen = self.session.selection - self.session.document.wires.keys()
        item = self.scene.items_by_id.get(next(iter(chosen))) if len(chosen) == 1 else None
        if not isinstance(item, NodeItem) or item.key not in self.session.document.nodes:
            return False
        found = next((spot for spot in self._spots(item) if spot[0] == NAME), None)
        return found is not None and self._open(item, found)

    def _spots(self, item: NodeItem) -> list[Spot]:
        node = self.session.document.nodes[item.key]
        return spots(item.face, node.type, node.params)

    def _open(self, item: NodeItem, spot: Spot) -> bool:
        if self.view.zoom < ROOM:
            self.view.set_zoom(1.0, self.view.mapFromScene(item.pos()))
        name, area = spot
        place = QRectF(item.pos() + QPointF(area.topLeft()), area.size())
        self.overlay = Overlay(self.view, self.session, item.key, name, place)
        return True
