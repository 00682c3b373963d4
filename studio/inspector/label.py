"""The name of a parameter: a drag on it changes the value."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLabel, QWidget


class ScrubLabel(QLabel):
    """Says how far it is dragged to the right (pixels; Shift ten times as far, Ctrl a tenth)."""

    dragged = Signal(float)
    released = Signal()

    def __init__(self, text: str, scrubs: bool, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._scrubs = scrubs
        self._pressed_at: float | None = None
        if scrubs:
            self.setCursor(Qt.CursorShape.SizeHorCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin."""
        if self._scrubs and event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.globalPosition().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The drag goes on."""
        if self._pressed_at is not None:
            self.dragged.emit((event.globalPosition().x() - self._pressed_at) * _speed(event.modifiers()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The drag is over."""
        if self._pressed_at is not None:
            self._pressed_at = None
            self.released.emit()


def _speed(modifiers: Qt.KeyboardModifier) -> float:
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return 10.0
    return 0.1 if modifiers & Qt.KeyboardModifier.ControlModifier else 1.0
