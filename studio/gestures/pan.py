"""Moving the view: middle drag, or Space and drag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from studio.gestures import Gesture, Pointer, gesture

if TYPE_CHECKING:
    from studio.canvas.view import CanvasView


@gesture(order=8)
class Pan(Gesture):
    """Drag with the middle button, or with the left while Space is held.

    Space pressed and released without a drag does what the shortcut on it says.
    """

    _last = QPoint()
    _space = _dragged = False

    def press(self, pointer: Pointer) -> bool:
        """Take hold of the canvas."""
        middle = pointer.button is Qt.MouseButton.MiddleButton
        if not middle and not (self._space and pointer.button is Qt.MouseButton.LeftButton):
            return False
        self._last, self._dragged = pointer.view, True
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

    def claims(self, event: QKeyEvent) -> bool:
        """Space is not a shortcut yet: only its release tells what it means."""
        return _is_space(event)

    def key(self, event: QKeyEvent) -> bool:
        """Space goes down."""
        if not _is_space(event):
            return False
        if not event.isAutoRepeat():
            self._space, self._dragged = True, False
        return True

    def key_up(self, event: QKeyEvent) -> bool:
        """Space goes up: without a drag it was a tap."""
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat() or not self._space:
            return False
        self.forget_keys()
        if not self._dragged:
            _tap(self.view)
        return True

    def forget_keys(self) -> None:
        """The release of Space goes to somebody else."""
        self._space = False
        self.view.viewport().unsetCursor()

    def end(self) -> None:
        """Let go."""
        self.view.viewport().unsetCursor()


def _is_space(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Space and not event.modifiers()


def _tap(view: CanvasView) -> None:
    """Do what the shortcut on Space would have done."""
    for entry in view.actions():
        if QKeySequence(Qt.Key.Key_Space) in entry.shortcuts():
            entry.trigger()
