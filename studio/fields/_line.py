"""The line of text that most editors type into, and what is common to those editors."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from nodes.spec import Param
from studio.fields import MIXED, FieldEditor
from studio.theme import theme

_UNDO = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class Line(QLineEdit):
    """A line that shows a unit at its end, steps by arrows and wheel, and leaves undo to the document."""

    stepped = Signal(float)
    """Up or down was asked for: so many steps."""
    released = Signal()
    """The arrow key is up again."""
    escaped = Signal()

    def __init__(self, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit = unit
        advance = self.fontMetrics().horizontalAdvance
        margin = advance(unit) + 6 if unit else 0
        self.setTextMargins(0, 0, margin, 0)
        self.setMinimumWidth(advance("0.0000") + margin + 22)

    def event(self, event: QEvent) -> bool:
        """Let Ctrl+Z reach the document unless there is typing of its own to take back."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = self.isModified() and (self.isUndoAvailable() or self.isRedoAvailable())
            if not own and any(event.matches(key) for key in _UNDO):
                event.ignore()
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows step (Shift ten, Ctrl a tenth), Esc gives up what is typed."""
        keys = {
            Qt.Key.Key_Up: 1.0,
            Qt.Key.Key_Down: -1.0,
            Qt.Key.Key_PageUp: 10.0,
            Qt.Key.Key_PageDown: -10.0,
        }
        if event.key() == Qt.Key.Key_Escape and self.isModified():
            self.escaped.emit()
        elif event.key() in keys:
            self.stepped.emit(keys[Qt.Key(event.key())] * factor(event.modifiers()))
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The end of a held arrow is the end of a movement."""
        if not event.isAutoRepeat():
            self.released.emit()
        super().keyReleaseEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step while the line has the focus; else let the panel scroll."""
        if not self.hasFocus():
            event.ignore()
            return
        turned = event.angleDelta().y() or event.angleDelta().x()
        self.stepped.emit(turned / 120 * factor(event.modifiers()))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text, and the unit in a quieter colour."""
        super().paintEvent(event)
        if self._unit:
            painter = QPainter(self)
            painter.setPen(theme.colour("muted"))
            right = QPointF(-8.0, 0.0)
            box = self.rect().translated(right.toPoint())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)


def factor(modifiers: Qt.KeyboardModifier) -> float:
    """Shift takes ten steps at once, Ctrl a tenth."""
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return 10.0
    return 0.1 if modifiers & Qt.KeyboardModifier.ControlModifier else 1.0


class LineField(FieldEditor):
    """An editor that types: Enter or leaving takes the text, Esc restores the value."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self.line = Line(param.unit, self)
        self.line.setAccessibleName(param.doc)
        self.row.addWidget(self.line, 1)
        self.setFocusProxy(self.line)
        self.line.editingFinished.connect(self.commit)
        self.line.escaped.connect(self.restore)
        self.line.textEdited.connect(self._on_typed)
        self._complained = False

    def parse(self, text: str) -> Any:
        """The value a text means; ValueError with a sentence if it means none."""
        raise NotImplementedError

    def text_of(self, value: Any) -> str:
        """The text of a value."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value; what is being typed stays unless the value is another."""
        if self.line.isModified() and value == self.value:
            return
        self.value = value
        self._write("" if value is MIXED else self._safe_text(value))
        self.line.setPlaceholderText("mixed" if value is MIXED else self.empty_text())
        self._complain("")

    def empty_text(self) -> str:
        """What an empty line means: what the parameter's help says after ``empty:``."""
        return self.param.doc.partition("empty: ")[2]

    def commit(self) -> None:
        """Take what is typed, or say why not and keep it."""
        if not self.line.isModified():
            return
        text = self.line.text()
        if self.value is MIXED and not text:
            self.restore()
            return
        problem, value = self._judge(text)
        self._complain(problem)
        if problem:
            return
        self.line.setModified(False)
        if value == self.value and type(value) is type(self.value):
            self._write(self._safe_text(value))
        else:
            self.changed.emit(value, False)

    def _judge(self, text: str) -> tuple[str, Any]:
        try:
            value = self.parse(text)
        except ValueError as error:
            return str(error), None
        return self.problem(value), value

    def _safe_text(self, value: Any) -> str:
        return self.text_of(value) if not self.problem(value) else str(value)

    def _write(self, text: str) -> None:
        """Replace the text, the cursor staying where it was."""
        if text != self.line.text():
            place, chosen = self.line.cursorPosition(), self.line.selectedText() == self.line.text() != ""
            self.line.setText(text)
            self.line.setCursorPosition(min(place, len(text)) if self.line.hasFocus() else 0)
            if chosen:
                self.line.selectAll()
        self.line.setModified(False)

    def restore(self) -> None:
        """Give up what is typed."""
        self.line.setModified(False)
        self.show_value(self.value)

    def _on_typed(self, text: str) -> None:
        if self._complained:
            self._complain(self._judge(text)[0])

    def _complain(self, problem: str) -> None:
        self._complained = bool(problem)
        self.line.setToolTip(problem)
        self.refused.emit(problem)
