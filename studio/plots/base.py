"""What every plot has: a header, its records, words instead of an empty axis, drawing when its turn comes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QContextMenuEvent, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from studio.plots import export, style, table
from studio.plots.header import Header
from studio.plots.redraws import Redraws
from studio.plots.views import View, change_plot, kind_of, name_of, remove_plot, view_of
from studio.records import Records
from studio.session import Session
from studio.theme import theme

Table = tuple[list[str], list[np.ndarray]]
"""Names and columns of numbers, as they are written to a CSV file."""


class Plot(QWidget):
    """One view of a document: says what it needs (``streams``), draws (``draw``), tells numbers (``data``).

    Everything it shows is of the steps ``shown``.
    """

    complained = Signal(str)
    choosable: ClassVar[bool] = True
    """Whether one can choose neurons."""

    shows: ClassVar[str] = ""
    """What the header says beside the node; the port where that says it all."""

    def __init__(self, session: Session, view_id: str) -> None:
        super().__init__()
        self.session, self.view_id = session, view_id
        self.records = Records.of(session)
        self._last_view: View = dict(view_of(session.document, view_id) or {})
        self.header = Header(self)
        self.body = self.make_body()
        self._words = QLabel(self)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words.setWordWrap(True)
        self._words.setAutoFillBackground(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.body, 1)
        self.setMinimumSize(180, 120)
        self.records.updated.connect(self.ask)
        self.records.moved.connect(self.ask)
        session.edited.connect(self._on_edit)
        session.checked.connect(self._on_checked)
        session.runner.state_changed.connect(self._on_state)
        theme.changed.connect(self.restyle)
        self.restyle()
        self._want()

    # --- what a plot is made of; a kind of plot fills these in

    def make_body(self) -> QWidget:
        """The widget under the header."""
        raise NotImplementedError

    def streams(self) -> list[list[Any]]:
        """What the worker should send (see Runner.want)."""
        raise NotImplementedError

    def draw(self) -> str:
        """Show the records as they are now; "", or words why there is nothing to show."""
        raise NotImplementedError

    def data(self) -> Table:
        """What is shown, as columns."""
        raise NotImplementedError

    def dress(self) -> None:
        """Take on the colours of the theme."""

    # --- what is plotted

    @property
    def view(self) -> View:
        """The view in the document; the last one known when it is gone."""
        return view_of(self.session.document, self.view_id) or self._last_view

    @property
    def node(self) -> str:
        """The node whose port is plotted."""
        return str(self.view.get("node", ""))

    @property
    def port(self) -> str:
        """The port, or ``weights`` or ``delays``."""
        return str(self.view.get("port", ""))

    @property
    def kind(self) -> str | None:
        """The kind of the port."""
        return kind_of(self.session.document, self.node, self.port)

    @property
    def title(self) -> str:
        """What the header says."""
        return f"{name_of(self.session.document, self.node)} · {self.shows or self.port}"

    @property
    def count(self) -> int | None:
        """How many neurons the port has; None as long as nobody knows."""
        program: Any = self.session.problems.program
        shape = self.session.runner.signals.get(self.node, {}).get(self.port)
        if shape is None and program is not None and self.node in program.ops:
            shape = program.ops[self.node].shapes.get(self.port)
        return None if shape is None else math.prod(shape)

    @property
    def chosen(self) -> list[int] | None:
        """The neurons that the view names; None for those that the plot takes by itself."""
        neurons = self.view.get("neurons")
        size = self.count
        if not isinstance(neurons, list):
            return None
        return [n for n in neurons if isinstance(n, int) and (size is None or n < size)] or None

    def sampled(self, most: int) -> list[int] | None:
        """The chosen neurons, or of more than ``most`` so many, evenly spread; None for all."""
        size = self.count
        if self.chosen is not None or size is None or size <= most:
            return self.chosen
        return [i * size // most for i in range(most)]

    @property
    def neurons_shown(self) -> list[int] | None:
        """The neurons that are looked at; None for all."""
        return self.chosen

    def choose(self, neurons: list[int] | None) -> None:
        """Show these neurons: an edit."""
        change_plot(self.session, self.view_id, "Choose neurons", neurons=neurons)

    # --- drawing

    @property
    def shown(self) -> tuple[int, int]:
        """The steps that are shown, the same for all plots of a session."""
        return Redraws.of(self.records).shown

    def ask(self) -> None:
        """Draw soon, if anybody sees it."""
        if self.isVisible():
            Redraws.of(self.records).ask(self)

    def redraw(self) -> None:
        """Draw now."""
        self._say(self._nothing() or self.draw())

    def _nothing(self) -> str:
        if self.node not in self.session.document.nodes:
            return "The node of this plot is gone."
        if not self.records.empty:
            return ""
        if self.session.runner.state == "loading":
            return "Loading the network …"
        if self.session.runner.state == "running":
            return "Waiting for the first steps …"
        return "Press Play (F5): nothing has run yet."

    def absent(self, what: str) -> str:
        """Words for a signal of which nothing is known."""
        runner = self.session.runner
        if runner.signals and self.port not in runner.signals.get(self.node, {}):
            name = name_of(self.session.document, self.node)
            return f"{name} has no part in what runs: nothing depends on it."
        return f"No {what} recorded here yet."

    def _say(self, words: str) -> None:
        self._words.setVisible(bool(words))
        self._words.setText(words)
        if words:
            self._words.setGeometry(self.body.geometry())
            self._words.raise_()

    def restyle(self) -> None:
        """The theme is another."""
        palette = self._words.palette()
        palette.setColor(QPalette.ColorRole.Window, theme.colour("canvas"))
        palette.setColor(QPalette.ColorRole.WindowText, theme.colour("muted"))
        self._words.setPalette(palette)
        self.header.restyle()
        self.dress()
        self.ask()

    # --- following

    def _want(self) -> None:
        self.session.runner.want(self, self.streams())

    def _on_checked(self, checked: object) -> None:
        """How many neurons there are may be known now."""
        self.header.refresh()
        self._want()

    def _on_edit(self, edit: object) -> None:
        found = view_of(self.session.document, self.view_id)
        if found is not None:
            self._last_view = dict(found)
            self.header.refresh()
            self._want()
            self.ask()

    def _on_state(self, state: str) -> None:
        self.header.refresh()
        self._want()
        self.ask()

    def release(self) -> None:
        """The plot is taken away: ask for nothing more."""
        self.session.runner.want(self, [])
        Redraws.of(self.records).forget(self)

    def remove(self) -> None:
        """Take the view out of the document."""
        remove_plot(self.session, self.view_id)

    def pin(self) -> None:
        """Move between the panel and the canvas."""
        change_plot(self.session, self.view_id, "Pin plot", pinned=not self.view.get("pinned"))

    # --- events

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask for nothing more."""
        self.release()
        super().closeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was not worth drawing unseen."""
        super().showEvent(event)
        self.ask()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The words lie over the body."""
        super().resizeEvent(event)
        self._words.setGeometry(self.body.geometry())
        self.ask()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What the header offers, under the mouse."""
        menu = QMenu(self)
        self.fill_menu(menu)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def fill_menu(self, menu: QMenu) -> None:
        """Exports, pin and close; a kind of plot may put its own before."""
        export.fill(menu, self)
        menu.addSeparator()
        pinned = bool(self.view.get("pinned"))
        menu.addAction(theme.icon("pin"), "Move to the panel" if pinned else "Pin to the canvas", self.pin)
        menu.addAction(theme.icon("close"), "Close the plot", self.remove)

    def sizeHint(self) -> QSize:
        """Room for a useful picture."""
        return QSize(420, 240)

    @property
    def view_type(self) -> str:
        """The id of this sort of plot."""
        return str(self._last_view["plot"])

    @property
    def plot_title(self) -> str:
        """What sort of plot this is."""
        return table()[self.view_type].title


class Graph(Plot):
    """A plot with axes: ``self.graph`` is pyqtgraph's PlotItem."""

    x_label: ClassVar[str] = "time (ms)"

    def make_body(self) -> QWidget:
        """A graphics view with one graph."""
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.canvas.setMinimumSize(120, 80)
        self.canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.graph = self.canvas.addPlot(viewBox=self.make_box())
        self.graph.hideButtons()
        self.graph.setMenuEnabled(False)
        self.canvas.ci.layout.setContentsMargins(4, 6, 10, 2)
        self.build()
        body: QWidget = self.canvas
        return body

    def make_box(self) -> pg.ViewBox:
        """How the graph answers the mouse: not at all."""
        return pg.ViewBox(enableMouse=False, enableMenu=False)

    def build(self) -> None:
        """Put curves and images into the graph."""

    def reach_x(self, low: float, high: float, padding: float = 0.0) -> None:
        """The horizontal axis; Python's numbers, for pyqtgraph overflows on smaller floats."""
        self.graph.setXRange(float(low), float(high), padding=padding)

    def reach_y(self, low: float, high: float, padding: float = 0.0) -> None:
        """The vertical axis."""
        self.graph.setYRange(float(low), float(high), padding=padding)

    def y_label(self) -> str:
        """Label of the vertical axis, with its unit."""
        return ""

    def dress(self) -> None:
        """Colours of background and axes."""
        self.canvas.setBackground(theme.colour("canvas"))
        style.dress(self.graph, self.x_label, self.y_label())


@contextmanager
def quiet(plot: Plot) -> Iterator[None]:
    """No repaint in between."""
    plot.body.setUpdatesEnabled(False)
    try:
        yield
    finally:
        plot.body.setUpdatesEnabled(True)
