"""A text field over a frame, comment or group, to write in its title or text where it stands."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QGraphicsView, QPlainTextEdit

from studio.canvas.box import TITLE
from studio.canvas.shown import is_note
from studio.edits import grouping, notes
from studio.session import Session

SMALLEST = (180, 34)


class Writer(QPlainTextEdit):
    """Leaving takes what is written, as does Enter (in a comment Ctrl+Enter); Escape does not."""

    def __init__(self, view: QGraphicsView, session: Session, key: str, area: QRectF) -> None:
        super().__init__(view.viewport())
        self._view, self._session, self._key = view, session, key
        self._entry = session.document.layout.get(key, {})
        self._long = is_note(session.document, key) and "comment" in self._entry
        self._done = False
        self.setAccessibleName("Text of the comment" if self._long else "Title")
        self.setToolTip(
            f"{'Ctrl+Enter' if self._long else 'Enter'} takes the text, Escape leaves it as it was"
        )
        self.setTabChangesFocus(True)
        self._lay_over(area)
        self.setPlainText(self._text())
        self.selectAll()
        session.edited.connect(self.give_up)
        session.scope_changed.connect(self.give_up)
        for bar in (view.horizontalScrollBar(), view.verticalScrollBar()):
            bar.valueChanged.connect(self.take)
        self.show()
        self.setFocus()

    def event(self, event: QEvent) -> bool:
        """While one writes, no key is a shortcut."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes, Escape gives up."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
            self._view.setFocus()
        elif enter and (not self._long or event.modifiers() & Qt.KeyboardModifier.ControlModifier):
            self.take()
            self._view.setFocus()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Leaving takes what is written; a menu of the field itself is no leaving."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.take()

    def take(self) -> None:
        """Write the text into the document, if it is another."""
        text = self.toPlainText()
        changed = not self._done and text != self._text()
        self.give_up()
        if changed:
            self._session.attempt(lambda: self._write(text))

    def give_up(self) -> None:
        """Close without an edit."""
        if not self._done:
            self._done = True
            self.hide()
            self.deleteLater()

    def _write(self, text: str) -> None:
        document = self._session.document
        if self._key in document.groups:
            self._session.edit("Rename group", grouping.rename(document, self._key, text))
        else:
            label = "Write comment" if self._long else "Rename frame"
            self._session.edit(label, notes.write(document, self._key, text))

    def _text(self) -> str:
        groups = self._session.document.groups
        if self._key in groups:
            return str(groups[self._key]["name"])
        return str(self._entry.get("comment" if self._long else "frame", ""))

    def _lay_over(self, area: QRectF) -> None:
        """Cover a comment, or the title of anything else."""
        if not self._long:
            area = QRectF(area.left(), area.top(), area.width(), TITLE)
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        place = self._view.mapFromScene(area).boundingRect()
        self.setGeometry(place)
        self.resize(max(place.width(), SMALLEST[0]), max(place.height(), SMALLEST[1]))
