"""Everything that an export cannot take or converts, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QStackedLayout, QWidget

from engine.compile import Diagnostic
from engine.compile.diagnostics import SEVERITIES
from studio.theme import theme

NODES = int(Qt.ItemDataRole.UserRole)
NOTHING = "Nothing is changed: this target takes the network as it is drawn."
HELP = {
    "error": "This keeps the network from being exported here",
    "limit": "This breaks a limit of the chip",
    "warning": "This changes something; the report says how much",
    "info": "For the record: this changes no spike",
}


@dataclass(frozen=True)
class Line:
    """A sentence with its severity and the nodes it is about."""

    severity: str
    text: str
    nodes: tuple[str, ...] = ()


def from_check(found: Iterable[Diagnostic]) -> list[Line]:
    """What a check says."""
    return [Line(d.severity, d.message + (f" ({d.hint})" if d.hint else ""), d.nodes) for d in found]


class Changes(QWidget):
    """A list, the worst first; a click shows the nodes on the canvas."""

    shown = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setIconSize(QSize(16, 16))
        self.list.setSpacing(2)
        self.list.setAccessibleName("What the export changes")
        self.words = QLabel(NOTHING, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.list)
        self.stack.addWidget(self.words)
        self.list.itemActivated.connect(self._on_item)
        self.list.itemClicked.connect(self._on_item)

    def show_lines(self, lines: list[Line]) -> None:
        """Show these sentences."""
        order = SEVERITIES
        self.lines = sorted(dict.fromkeys(lines), key=lambda line: order.index(line.severity))
        self.list.clear()
        for line in self.lines:
            item = QListWidgetItem(theme.icon(line.severity, line.severity), line.text)
            item.setData(NODES, line.nodes)
            item.setToolTip(HELP[line.severity])
            self.list.addItem(item)
        self.stack.setCurrentWidget(self.list if self.lines else self.words)

    def _on_item(self, item: QListWidgetItem) -> None:
        nodes = item.data(NODES)
        if nodes:
            self.shown.emit(tuple(nodes))
