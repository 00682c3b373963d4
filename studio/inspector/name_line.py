"""A name that can be changed in place."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.fields._line import Line


class NameLine(Line):
    """Tells a new name when Enter is pressed or the line is left; Esc restores the old one."""

    renamed = Signal(str)

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._name = ""
        self.setToolTip(what)
        self.setAccessibleName(what)
        self.setPlaceholderText("no name")
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.editingFinished.connect(self.commit)
        self.escaped.connect(self.give_up)

    def show_name(self, name: str) -> None:
        """Show a name; what is being typed stays unless the name is another."""
        if not self.isModified() or name != self._name:
            self._name = name
            self._write(name)

    def commit(self) -> None:
        """Take what is typed."""
        wanted = self.text().strip()
        if self.isModified() and wanted != self._name:
            self.setModified(False)
            self.renamed.emit(wanted)

    def give_up(self) -> None:
        """Show the old name again."""
        self._write(self._name)

    def _write(self, name: str) -> None:
        if name != self.text():
            place = self.cursorPosition()
            self.setText(name)
            self.setCursorPosition(min(place, len(name)) if self.hasFocus() else 0)
        self.setModified(False)
