"""Update equations as a block of readable text."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from studio.theme import theme

_TOKEN = re.compile(r"(←|=|≥|≤|>|<)|(?<![\w.])(\d+(?:\.\d+)?(?:e-?\d+)?)")


class EquationBlock(QFrame):
    """Lines in a fixed-width font; long ones wrap with an indent.  They can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(self.palette().ColorRole.Base)
        self.text = QLabel()
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        flags = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.text.setTextInteractionFlags(flags)
        self.text.setToolTip("What one time step computes, with the values of this node")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.addWidget(self.text)

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show these equations."""
        self.text.setText("".join(_paragraph(line) for line in lines))


def _paragraph(line: str) -> str:
    style = "margin:0 0 3px 16px; text-indent:-16px"
    return f'<p style="{style}">{_TOKEN.sub(_coloured, html.escape(line, quote=False))}</p>'


def _coloured(found: re.Match[str]) -> str:
    role = "accent" if found[1] else "role.population"
    return f'<span style="color:{theme.colour(role).name()}">{found[0]}</span>'
