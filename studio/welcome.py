"""The welcome page: what to open, and what Myelin can do, before there is a document."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QIcon, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio import gallery
from studio.card import Card
from studio.files import Files
from studio.flow import Flow
from studio.made import made
from studio.theme import ICONS, theme

SIDE = 264
NARROW = 820
"""Below this width (px) the gallery stands under the rest instead of beside it."""

RECENT = 6
STEPS = (
    "Open a project and press <b>Space</b>: it runs, and again: it pauses.",
    "<b>Tab</b> or a double click on the canvas adds a node.",
    "Drag from port to port to connect; what fits glows.",
    "<b>Ctrl+Enter</b> trains, <b>Ctrl+Z</b> takes anything back.",
    "<b>?</b> lists all keys.",
)


class Welcome(QScrollArea):
    """Start, recent files and first steps on the left, the gallery beside them."""

    def __init__(self, files: Files) -> None:
        super().__init__()
        self.files = files
        self.setWidgetResizable(True)
        self.setAccessibleName("Welcome")
        page = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(36)
        self._below, self._beside, self._steps = QVBoxLayout(), QVBoxLayout(), _steps()
        side = self._side()
        side.addLayout(self._beside)
        side.addStretch(1)
        self._columns.addLayout(side)
        self._columns.addLayout(self._gallery(), 1)
        column = QVBoxLayout(page)
        column.setContentsMargins(36, 28, 36, 28)
        column.setSpacing(28)
        column.addLayout(_head())
        column.addLayout(self._columns)
        column.addLayout(self._below)
        column.addStretch(1)
        self.setWidget(page)
        for ground in (page, self.viewport()):
            ground.setAutoFillBackground(False)
        files.recent_changed.connect(self._fill_recent)
        theme.changed.connect(self._colour)
        self._fill_recent()
        self._colour()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One column or two."""
        narrow = self.width() < NARROW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._columns.setDirection(direction)
        (self._below if narrow else self._beside).addWidget(self._steps)
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Look anew which recent files are still there."""
        self._fill_recent()
        super().showEvent(event)

    def _side(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(_heading("Start"))
        self.new = _button("New network", "new", "Begin an empty document (Ctrl+N)")
        self.new.clicked.connect(self.files.new)
        self.open = _button("Open\N{HORIZONTAL ELLIPSIS}", "open", "Open a document from a file (Ctrl+O)")
        self.open.clicked.connect(self.files.open_asking)
        column.addWidget(self.new)
        column.addWidget(self.open)
        column.addSpacing(18)
        column.addWidget(_heading("Recent"))
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column.addLayout(self._recent)
        return column

    def _gallery(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(12)
        column.addWidget(_heading("Gallery"))
        flow = Flow()
        self.cards = [Card(project) for project in gallery.projects()]
        for card in self.cards:
            card.clicked.connect(lambda _=False, card=card: self.files.open_copy(card.project.path))
            flow.addWidget(card)
        column.addLayout(flow)
        column.addStretch(1)
        return column

    def _fill_recent(self) -> None:
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        paths = self.files.recent[:RECENT]
        for path in paths:
            self._recent.addWidget(self._recent_button(path))
        if not paths:
            self._recent.addWidget(QLabel("What you open or save will be listed here.", wordWrap=True))

    def recent_buttons(self) -> list[QPushButton]:
        """The lines of recent files."""
        items = (self._recent.itemAt(row) for row in range(self._recent.count()))
        return [button for item in items if item and isinstance(button := item.widget(), QPushButton)]

    def _recent_button(self, path: Path) -> QPushButton:
        there = path.is_file()
        button = QPushButton(path.stem if there else f"{path.stem} (not found)", flat=True)
        button.setToolTip(str(path) if there else f"{path} is not there any more")
        button.setEnabled(there)
        button.setFixedWidth(SIDE)
        button.clicked.connect(lambda: self.files.open(path))
        return button

    def _colour(self) -> None:
        for button, name in ((self.new, "new"), (self.open, "open")):
            button.setIcon(theme.icon(name))


def _head() -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(16)
    picture = QLabel()
    picture.setPixmap(QIcon(str(ICONS / "app.svg")).pixmap(QSize(56, 56)))
    words = QVBoxLayout()
    words.setSpacing(2)
    title = QLabel("Myelin Studio")
    title.setFont(_larger(title.font(), 2.0, QFont.Weight.DemiBold))
    line = QLabel("Draw spiking networks, watch them live, train their delays.", wordWrap=True)
    line.setFont(_larger(line.font(), 1.1, QFont.Weight.Normal))
    words.addWidget(title)
    words.addWidget(line)
    row.addWidget(picture)
    row.addLayout(words, 1)
    return row


def _steps() -> QWidget:
    steps = QWidget()
    column = QVBoxLayout(steps)
    column.setContentsMargins(0, 18, 0, 0)
    column.addWidget(_heading("First steps"))
    for step in STEPS:
        column.addWidget(made(QLabel(step, wordWrap=True), minimumWidth=SIDE))
    steps.setMaximumWidth(SIDE)
    return steps


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setFont(_larger(label.font(), 1.2, QFont.Weight.DemiBold))
    return label


def _button(text: str, icon: str, help: str) -> QPushButton:
    button = made(QPushButton(theme.icon(icon), text), toolTip=help)
    button.setFixedWidth(SIDE)
    button.setMinimumHeight(36)
    button.setStyleSheet("text-align: left; padding-left: 12px;")
    return button


def _larger(font: QFont, factor: float, weight: QFont.Weight) -> QFont:
    font = QFont(font)
    font.setPointSizeF(font.pointSizeF() * factor)
    font.setWeight(weight)
    return font
