"""Moving the view: middle drag, or Space and drag."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent

from studio.gestures import Gesture, Pointer, gesture


@gesture(order=8)
class Pan(Gesture):
    """Drag with the middle button, or with the left while Space is held.

    Space alone is left to the action on that key: it counts as pressed for panning only with a drag.
    """

    _last = QPoint()
    _space = False

    def press(self, pointer: Pointer) -> bool:
        """Take hold of the canvas."""
        middle = pointer.button is Qt.MouseButton.MiddleButton
        if not middle and not (self._space and pointer.button is Qt.MouseButton.LeftButton):
            return False
        self._last = pointer.view
        self.view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        return True

    def move(self, pointer: Pointer) -> None:
        """Let the canvas follow the hand."""
        self.view.pan_by(pointer.view - self._last)
        self._last = pointer.view

    def hover(self, pointer: Pointer) -> bool:
        """Show an open hand while Space is held."""
        if self._space:
            self.view.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        return self._space

    def key(self, event: QKeyEvent) -> bool:
        """Space goes down."""
        if event.key() != Qt.Key.Key_Space or event.modifiers():
            return False
        self._space = True
        return True

    def key_up(self, event: QKeyEvent) -> bool:
        """Space goes up."""
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        self._space = False
        self.view.viewport().unsetCursor()
        return True

    def end(self) -> None:
        """Let go."""
        self.view.viewport().unsetCursor()
