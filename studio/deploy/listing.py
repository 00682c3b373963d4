"""The targets, in groups, each with its badge."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from studio.deploy.badges import VERDICTS, WAITING, Badge
from studio.deploy.judge import Judged
from studio.theme import theme

ID = int(Qt.ItemDataRole.UserRole)
GROUPS = ("Code", "Exchange", "Simulators", "Hardware", "Documents")


class Listing(QTreeWidget):
    """A row a target; ``chosen`` when another is selected."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(10)
        self.setIconSize(QSize(16, 16))
        self.setAccessibleName("Targets")
        self.setObjectName("targets")
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.badges: dict[str, Badge] = {}
        self._rows: dict[str, QTreeWidgetItem] = {}
        self.currentItemChanged.connect(self._on_current)

    def fill(self, judged: dict[str, Judged]) -> None:
        """Show these targets; the first that takes the drawing is chosen."""
        self.clear()
        self._rows = {}
        groups = sorted({one.target.group for one in judged.values()}, key=_place)
        for group in groups:
            head = QTreeWidgetItem([group, ""])
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            head.setForeground(0, QBrush(theme.colour("muted")))
            self.addTopLevelItem(head)
            for id, one in judged.items():
                if one.target.group == group:
                    self._add(head, id, one)
            head.setExpanded(True)
        if self._rows:
            possible = (id for id, one in judged.items() if one.verdict != "impossible")
            self.choose(next(possible, next(iter(self._rows))))

    def choose(self, id: str) -> None:
        """Select a target."""
        self.setCurrentItem(self._rows[id])

    def mark(self, id: str, badge: Badge) -> None:
        """Give a target a badge."""
        row = self._rows[id]
        self.badges[id] = badge
        row.setIcon(0, theme.icon(badge.icon, badge.role))
        row.setText(1, badge.word)
        row.setForeground(1, QBrush(theme.colour(badge.role)))
        row.setToolTip(0, badge.help)
        row.setToolTip(1, badge.help)

    def redraw(self) -> None:
        """In the colours of the theme."""
        for id, badge in list(self.badges.items()):
            self.mark(id, badge)

    def _add(self, head: QTreeWidgetItem, id: str, one: Judged) -> None:
        row = QTreeWidgetItem([one.target.label, ""])
        row.setData(0, ID, id)
        head.addChild(row)
        self._rows[id] = row
        self.mark(id, VERDICTS.get(one.verdict, WAITING))

    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        id = item.data(0, ID) if item else None
        if id:
            self.chosen.emit(id)


def _place(group: str) -> tuple[int, str]:
    return (GROUPS.index(group) if group in GROUPS else len(GROUPS), group)
