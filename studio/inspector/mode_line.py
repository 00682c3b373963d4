"""A line that says that nodes are muted or bypassed, and takes them in again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from studio.edits import modes
from studio.inspector.page import words
from studio.session import Session
from studio.theme import theme

SAYS = {
    "mute": "Muted: left out of the network",
    "bypass": "Bypassed: signals pass it unchanged",
}


class ModeLine(QWidget):
    """Hidden while none of the nodes has a mode."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._ids: list[str] = []
        self.icon, self.text = QLabel(self), words("", self)
        self.button = QPushButton("Take in again", self)
        self.button.setToolTip("Let it be a part of the network again")
        self.button.clicked.connect(self._take_in)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.hide()

    def show_nodes(self, session: Session, ids: Sequence[str]) -> None:
        """Show the mode of these nodes."""
        self._session = session
        found = {id: str(mode) for id in ids if (mode := modes.mode_of(session.document, id)) in modes.MODES}
        self._ids = sorted(found)
        self.setVisible(bool(found))
        if found:
            kinds = set(found.values())
            kind = kinds.pop() if len(kinds) == 1 else "mute"
            self.icon.setPixmap(theme.icon(kind, "warning").pixmap(QSize(18, 18)))
            self.text.setText(SAYS[kind] if len(ids) == 1 else _counted(list(found.values()), len(ids)))

    def _take_in(self) -> None:
        session = self._session
        if session is not None:
            session.edit("Take in again", modes.take_in(session.document, self._ids))


def _counted(found: list[str], all_nodes: int) -> str:
    said = [
        f"{n} {word}"
        for mode, word in (("mute", "muted"), ("bypass", "bypassed"))
        if (n := found.count(mode))
    ]
    return f"{' and '.join(said)} of {all_nodes} nodes"
