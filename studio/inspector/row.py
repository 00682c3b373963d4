"""One parameter: its name, editor, what it becomes, help while it has the focus, and the way back."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from nodes.spec import Param
from studio.fields import MIXED, editor_for
from studio.inspector import words
from studio.inspector.label import ScrubLabel
from studio.theme import theme


class Row(QWidget):
    """Shows one value; ``wanted`` (name, value, whether a scrub goes on) is for the page to write."""

    wanted = Signal(str, object, bool)
    released = Signal()
    learning_wanted = Signal(str, bool)

    def __init__(self, name: str, param: Param, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.param = name, param
        self.editor = editor_for(param, self)
        self.label = ScrubLabel(title or words.plain(name), self.editor.scrubs, self)
        self.label.setBuddy(self.editor)
        self.label.setToolTip(words.tooltip(name, param))
        self.reset = self._button("reset", f"Reset to {words.shown(param.default, param.unit)}")
        self.learn = self._learn_button() if param.trainable else None
        self._info: QLabel | None = None
        self._problem, self._meaning, self._focused = "", "", False
        self._marked = ""
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        keep = self.reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(keep)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(6)
        self.grid.setVerticalSpacing(1)
        top = Qt.AlignmentFlag.AlignTop if self.param.kind == "names" else Qt.AlignmentFlag.AlignVCenter
        self.grid.addWidget(self.label, 0, 0, top)
        self.grid.addWidget(self.editor, 0, 1)
        self.grid.addWidget(self.reset, 0, 2, top)
        self.grid.setColumnStretch(1, 1)

    def _connect(self) -> None:
        self.editor.changed.connect(lambda value, more: self.wanted.emit(self.name, value, more))
        self.editor.finished.connect(self.released)
        self.editor.refused.connect(self._on_refused)
        self.reset.clicked.connect(lambda: self.wanted.emit(self.name, self.param.default, False))
        if self.editor.scrubs:
            self.label.dragged.connect(self.editor.scrub)  # type: ignore[attr-defined]
            self.label.released.connect(self.editor.end_scrub)  # type: ignore[attr-defined]

    def _button(self, icon: str, help: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(theme.icon(icon, "muted"))
        button.setAutoRaise(True)
        button.setToolTip(help)
        button.setAccessibleName(help)
        return button

    def _learn_button(self) -> QToolButton:
        button = self._button("train", f"Learn {words.plain(self.name)} in training, one value per neuron")
        button.setCheckable(True)
        button.toggled.connect(lambda on: button.setIcon(theme.icon("train", "accent" if on else "muted")))
        button.clicked.connect(lambda on: self.learning_wanted.emit(self.name, on))
        self.editor.row.addWidget(button)
        return button

    def set_folder(self, folder: Path) -> None:
        """Where relative paths begin."""
        self.editor.folder = folder

    def show_value(self, value: Any, meaning: str = "", learned: bool = False) -> None:
        """Show a value and what it becomes; a value that is not the default has its name in bold."""
        self.editor.show_value(value)
        changed = value is not MIXED and (value != self.param.default)
        font = self.label.font()
        if font.bold() != changed:
            font.setBold(changed)
            self.label.setFont(font)
        self.reset.setVisible(changed or value is MIXED)
        if self.learn:
            self.learn.setChecked(learned)
        self._meaning = meaning
        self._show_info()

    def mark(self, severity: str) -> None:
        """Show that a problem is about this parameter (the page says which), or that none is."""
        if severity != self._marked:
            self._marked = severity
            palette = self.label.palette()
            palette.setColor(QPalette.ColorRole.WindowText, theme.colour(severity or "text"))
            self.label.setPalette(palette)

    def set_focused(self, focused: bool) -> None:
        """Show the line of help while the editor has the focus."""
        self._focused = focused
        self._show_info()

    def _on_refused(self, problem: str) -> None:
        self._problem = problem
        self._show_info()

    def _show_info(self) -> None:
        lines = []
        if self._problem:
            lines.append(_coloured(f"{words.plain(self.name)} {self._problem}", "error"))
        if self._meaning:
            lines.append(_coloured(self._meaning, "muted"))
        if self._focused:
            lines.append(_coloured(words.help_line(self.param), "text"))
        if lines or self._info:
            self._info_label().setText("<br>".join(lines))
            self._info_label().setVisible(bool(lines))

    def _info_label(self) -> QLabel:
        """Made when there is first something to say: most rows never have."""
        if self._info is None:
            self._info = QLabel(self)
            self._info.setTextFormat(Qt.TextFormat.RichText)
            self._info.setWordWrap(True)
            self._info.setContentsMargins(2, 0, 0, 4)
            self.grid.addWidget(self._info, 1, 1, 1, 2)
        return self._info


def _coloured(text: str, role: str) -> str:
    return f'<span style="color:{theme.colour(role).name()}">{html.escape(text)}</span>'
