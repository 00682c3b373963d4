"""A comment of several lines."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget


class Note(QPlainTextEdit):
    """Tells its text when it is left, or on Ctrl+Enter."""

    written = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.setPlaceholderText("Write a comment; it is saved with the drawing")
        self.setToolTip("A comment of any length; Ctrl+Enter takes it")
        self.setAccessibleName("Note")
        self.setTabChangesFocus(True)
        self.setFixedHeight(4 * self.fontMetrics().lineSpacing() + 16)

    def show_text(self, text: str) -> None:
        """Show a text; what is being typed stays unless the text is another."""
        if text != self._text or not self.document().isModified():
            self._text = text
            if text != self.toPlainText():
                place = self.textCursor().position()
                self.setPlainText(text)
                cursor = self.textCursor()
                cursor.setPosition(min(place, len(text)))
                self.setTextCursor(cursor)
            self.document().setModified(False)

    def commit(self) -> None:
        """Take what is typed."""
        if self.document().isModified() and self.toPlainText() != self._text:
            self.document().setModified(False)
            self.written.emit(self.toPlainText())

    def give_up(self) -> None:
        """Forget what is being typed."""
        self.document().setModified(False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Leaving takes the text."""
        super().focusOutEvent(event)
        self.commit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Enter takes the text."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.commit()
        else:
            super().keyPressEvent(event)
