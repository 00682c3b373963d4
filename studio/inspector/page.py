"""What every page of the inspector is: bound to the selection, shown again after edits and checks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.inspector.form import Form
from studio.inspector.name_line import NameLine
from studio.inspector.note import Note
from studio.inspector.row import Row
from studio.inspector.section import Section
from studio.session import Session


class Page(QWidget):
    """A column of widgets about the selection of a session."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(12, 10, 8, 12)
        self.column.setSpacing(6)

    def bind(self, session: Session) -> None:
        """Show the selection of this session from now on."""
        self.session = session
        self.refresh()

    def refresh(self) -> None:
        """Show the document as it is now."""

    def show_problems(self) -> None:
        """The document was checked anew."""

    def forms(self) -> list[Form]:
        """All forms of the page that exist by now."""
        return self.findChildren(Form)

    def row(self, name: str) -> Row | None:
        """The row of a parameter, brought to light; None if there is none."""
        for section in self.findChildren(Section):
            if name in section.names:
                section.open(True)
        return next((form.rows[name] for form in self.forms() if name in form.rows), None)

    def here(self) -> bool:
        """Whether what the page is about is still in the document."""
        return True

    def commit(self) -> None:
        """Take what is being typed."""
        for form in self.forms():
            form.commit()

    def leave(self) -> None:
        """Take what is being typed, unless there is nothing any more that it could be written to."""
        if self.here():
            self.commit()
            return
        typed: list[Form | NameLine | Note] = [*self.forms()]
        for line in [*typed, *self.findChildren(NameLine), *self.findChildren(Note)]:
            line.give_up()


def quiet(text: str = "", parent: QWidget | None = None) -> QLabel:
    """A label in the quieter colour that wraps its lines and can be selected."""
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def words(text: str = "", parent: QWidget | None = None) -> QLabel:
    """A label that wraps its lines and can be selected."""
    label = quiet(text, parent)
    label.setForegroundRole(label.palette().ColorRole.WindowText)
    return label
