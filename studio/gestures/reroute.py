"""Reroute points: places that a wire is led over."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Qt

from studio.canvas.wire import WireItem
from studio.edits import wiring
from studio.gestures import Gesture, Pointer, gesture

REACH = 9.0
"""How near to a point the pointer must be, in pixels."""


@gesture(order=16)
class Reroute(Gesture):
    """Drag a point of a wire.  Double click or Alt+click on a wire adds one, on a point removes it."""

    _item: WireItem | None = None

    def press(self, pointer: Pointer) -> bool:
        """Take hold of a point, or with Alt make one."""
        if pointer.button is not Qt.MouseButton.LeftButton or self._covered(pointer):
            return False
        found = self._point_at(pointer.scene)
        if found is None and pointer.held("alt"):
            self._add(pointer)
            found = self._point_at(pointer.scene)
            return found is not None and self._take(*found)
        if found is not None and pointer.held("alt"):
            self._delete(*found)
            return True
        return found is not None and pointer.held() and self._take(*found)

    def move(self, pointer: Pointer) -> None:
        """Show the wire led over the pointer."""
        item = self._item
        if item is None:
            return
        self._at = self.view.snapped(pointer.scene)
        points = [*item.look.points]
        points[self._index] = (self._at.x(), self._at.y())
        item.display(replace(item.look, points=tuple(points)), item.start, item.end)
        self._moved = True

    def release(self, pointer: Pointer) -> None:
        """Leave the point here."""
        if self._item is None:
            return
        if not self._moved:
            self.session.select({self._item.key})
            return
        at = (self._at.x(), self._at.y())
        ops = wiring.move_point(self.session.document, self._item.key, self._index, at)
        self.session.edit("Move point", ops)

    def cancel(self) -> None:
        """Lead the wire as before."""
        if self._item is not None:
            self.scene.refresh([self._item.key])

    def end(self) -> None:
        """Let go of the point."""
        self._item = None

    def hover(self, pointer: Pointer) -> bool:
        """Show that a point can be dragged."""
        if self._covered(pointer) or self._point_at(pointer.scene) is None:
            return False
        self.view.viewport().setCursor(Qt.CursorShape.SizeAllCursor)
        return True

    def double_click(self, pointer: Pointer) -> bool:
        """Add a point to the wire here, or remove the point here."""
        if self._covered(pointer):
            return False
        found = self._point_at(pointer.scene)
        if found is not None:
            return self._delete(*found)
        return self._add(pointer)

    def _take(self, item: WireItem, index: int) -> bool:
        self._item, self._index, self._moved = item, index, False
        return True

    def _add(self, pointer: Pointer) -> bool:
        wire = self.scene.wire_at(pointer.scene)
        item = self.scene.items_by_id.get(wire or "")
        if not isinstance(item, WireItem):
            return False
        index = place_of(item, pointer.scene)
        at = (pointer.scene.x(), pointer.scene.y())
        return self.session.edit("Add point", wiring.add_point(self.session.document, item.key, at, index))

    def _delete(self, item: WireItem, index: int) -> bool:
        return self.session.edit("Remove point", wiring.delete_point(self.session.document, item.key, index))

    def _covered(self, pointer: Pointer) -> bool:
        """Whether a node lies above the wires here."""
        return self.scene.node_at(pointer.scene) is not None

    def _point_at(self, at: QPointF) -> tuple[WireItem, int] | None:
        reach = REACH / min(self.view.zoom, 1.0)
        for item in self.scene.items_by_id.values():
            if isinstance(item, WireItem):
                for index, (x, y) in enumerate(item.look.points):
                    if (at - QPointF(x, y)).manhattanLength() <= reach:
                        return item, index
        return None


def place_of(item: WireItem, at: QPointF) -> int:
    """How many of a wire's points come before a place on it."""
    path = item.path()
    steps = [path.pointAtPercent(step / 100) for step in range(101)]
    here = _nearest(steps, at)
    return sum(_nearest(steps, QPointF(x, y)) < here for x, y in item.look.points)


def _nearest(steps: list[QPointF], at: QPointF) -> int:
    return min(range(len(steps)), key=lambda step: (steps[step] - at).manhattanLength())
