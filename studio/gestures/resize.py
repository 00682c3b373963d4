"""Resizing a frame or a comment by its corner."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Qt

from engine.document.ops import set_op
from studio.canvas.box import TITLE, BoxItem
from studio.canvas.face import GRID
from studio.gestures import Gesture, Pointer, gesture

SMALLEST = (3 * GRID, TITLE + GRID)


@gesture(order=14)
class Resize(Gesture):
    """Drag the lower right corner of a frame or comment."""

    def press(self, pointer: Pointer) -> bool:
        """Take hold of a corner."""
        item = self._corner(pointer.scene)
        if item is None or pointer.button is not Qt.MouseButton.LeftButton:
            return False
        self._item = item
        self._size = [item.box.width, item.box.height]
        self.session.select({item.key})
        return True

    def move(self, pointer: Pointer) -> None:
        """Show the new size."""
        corner = self.view.snapped(pointer.scene) - self._item.pos()
        self._size = [max(corner.x(), SMALLEST[0]), max(corner.y(), SMALLEST[1])]
        self._item.display(replace(self._item.box, width=self._size[0], height=self._size[1]))

    def release(self, pointer: Pointer) -> None:
        """Make it one edit."""
        self.session.edit("Resize", [set_op(["layout", self._item.key, "size"], self._size)])

    def cancel(self) -> None:
        """Show the size that the document says."""
        self.scene.refresh([self._item.key])

    def hover(self, pointer: Pointer) -> bool:
        """Show that the corner can be dragged."""
        if self._corner(pointer.scene) is None:
            return False
        self.view.viewport().setCursor(Qt.CursorShape.SizeFDiagCursor)
        return True

    def _corner(self, at: QPointF) -> BoxItem | None:
        for item in self.scene.items(at, Qt.ItemSelectionMode.IntersectsItemBoundingRect):
            if isinstance(item, BoxItem) and item.box.kind != "group" and item.handle_rect().contains(at):
                return item
        return None
