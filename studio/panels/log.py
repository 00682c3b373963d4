"""Every message of the status bar, with its time, to be read again and copied."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from studio.made import made
from studio.panels import panel
from studio.theme import theme
from studio.workspace import Workspace

MOST = 5000
"""Older lines are dropped."""


@panel("log", "Log", area="bottom", icon="log", order=90, shown=False)
class Log(QWidget):
    """A text that only grows, and buttons that copy or clear it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.text = QPlainTextEdit(readOnly=True, maximumBlockCount=MOST)
        self.text.setAccessibleName("Log")
        self.text.setPlaceholderText("Messages will be listed here.")
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.copy = _button("copy", "Copy the whole log")
        self.clear = _button("clear", "Clear the log")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        self.clear.clicked.connect(self.text.clear)
        buttons = QVBoxLayout()
        buttons.addWidget(self.copy)
        buttons.addWidget(self.clear)
        buttons.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 4, 4)
        row.addLayout(buttons)
        row.addWidget(self.text, 1)
        workspace.message.connect(self.add)
        theme.changed.connect(self._draw_icons)

    def add(self, text: str) -> None:
        """Another line."""
        self.text.appendPlainText(f"{datetime.now():%H:%M:%S}  {text}")

    def _draw_icons(self) -> None:
        self.copy.setIcon(theme.icon("copy"))
        self.clear.setIcon(theme.icon("clear"))


def _button(icon: str, help: str) -> QToolButton:
    button = made(QToolButton(autoRaise=True), toolTip=help)
    button.setIcon(theme.icon(icon))
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(help)
    return button
