"""What the plots of training share: the style of the live plots, a title, and their export by right click."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from studio.plots import export, style
from studio.plots.base import Table
from studio.session import Session
from studio.theme import theme

HEAD = 30
STEPS = [base * 10**power for power in range(6) for base in (1, 2, 5)]


class Panel(QWidget):
    """A titled plot; the right mouse button exports it.  ``title``: what it shows, and names its files.

    ``beside``: what stands to the right of the title, such as a list to choose from.
    """

    def __init__(self, title: str, beside: QWidget | None = None) -> None:
        super().__init__()
        self.title = title
        self.session: Session | None = None
        self.heading = QLabel(title)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.body = self.make_body()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.top = head(self.heading, beside)
        column.addWidget(self.top)
        column.addWidget(self.body, 1)
        self.setMinimumSize(200, 120)

    def make_body(self) -> QWidget:
        """The widget under the title."""
        raise NotImplementedError

    def data(self) -> Table:
        """What is shown: names and columns for a CSV file."""
        raise NotImplementedError

    def sizeHint(self) -> QSize:
        """Wide enough for a legend."""
        return QSize(300, 200)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the exports."""
        if self.session is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        exported = cast("Any", self)
        for form in export.FORMS:
            text = f"Export {form.upper()} …"
            menu.addAction(theme.icon("export"), text, lambda form=form: export.ask(exported, form))
        menu.popup(event.globalPos())


NOTHING = "Drawn after each epoch."
"""Above axes that have nothing to show yet."""


class Graph(Panel):
    """A plot with axes, ``graph``, and a caption above it, which is part of its picture."""

    def __init__(self, title: str, x: str, y: str, beside: QWidget | None = None) -> None:
        super().__init__(title, beside)
        self.x_label, self.y_label = x, y
        theme.changed.connect(self.dress)

    def make_body(self) -> QWidget:
        """The caption, and a graphics view with one graph that leaves the mouse alone."""
        self.caption = QLabel(wordWrap=True)
        self.caption.setTextFormat(Qt.TextFormat.RichText)
        self.caption.setContentsMargins(8, 3, 8, 0)
        self.canvas: Any = pg.GraphicsLayoutWidget()
        self.canvas.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.canvas.setMinimumSize(120, 70)
        self.canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.graph = self.canvas.addPlot(viewBox=pg.ViewBox(enableMouse=False, enableMenu=False))
        self.graph.hideButtons()
        self.graph.setMenuEnabled(False)
        self.canvas.ci.layout.setContentsMargins(4, 4, 10, 2)
        body = QWidget()
        body.setAutoFillBackground(True)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addWidget(self.canvas, 1)
        return body

    def dress(self) -> None:
        """Take the colours of the theme, and draw anew."""
        palette = self.body.palette()
        palette.setColor(QPalette.ColorRole.Window, theme.colour("canvas"))
        self.body.setPalette(palette)
        self.canvas.setBackground(theme.colour("canvas"))
        style.dress(self.graph, self.x_label, self.y_label)
        self.redraw()

    def say(self, text: str) -> None:
        """Put something into the caption."""
        if self.caption.text() != text:
            self.caption.setText(text)
        self.caption.setVisible(bool(text))

    def redraw(self) -> None:
        """Draw everything anew."""
        raise NotImplementedError


def head(left: QWidget, right: QWidget | None) -> QWidget:
    """A row of one height, as every plot has above it."""
    top = QWidget()
    top.setFixedHeight(HEAD)
    row = QHBoxLayout(top)
    row.setContentsMargins(8, 2, 8, 2)
    row.addWidget(left)
    row.addStretch(1)
    if right is not None:
        row.addWidget(right)
    return top


class EpochAxis(pg.AxisItem):  # type: ignore[misc]
    """Epochs are whole."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """Steps of 1, 2, 5, 10, ... so that labels stay apart."""
        room = max(size / 40.0, 1.0)
        whole = next((n for n in STEPS if (high - low) / n <= room), STEPS[-1])
        return [(whole, 0.0)]


def columns(names: list[str], rows: list[tuple[Any, ...]]) -> Table:
    """Rows as columns."""
    return names, [np.array(column, object) for column in zip(*rows, strict=True)]
