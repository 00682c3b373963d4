"""Live plots of the document in front, tiled, under the timeline of its run."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.panels import panel
from studio.plots import table
from studio.plots.base import Plot
from studio.plots.header import VIEW_MIME
from studio.plots.menu import fill, suggestions
from studio.plots.pulse import PulseBox
from studio.plots.timeline import SpeedBox, Timeline
from studio.plots.views import add_plot, move_plot, views
from studio.session import Session
from studio.theme import theme
from studio.workspace import Workspace

WIDTH, HEIGHT = 300, 150
"""Pixels that a plot needs at least to be of use."""

NARROWEST = 88
"""Pixels that a box of the tools can do with."""


@panel("plots", "Plots", area="bottom", icon="raster", order=0)
class Plots(QWidget):
    """The unpinned views of the current session."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.session: Session | None = None
        self.board: Board | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        workspace.current_changed.connect(self._follow)
        workspace.session_closed.connect(self._on_closed)
        self._follow(workspace.current)

    def _follow(self, session: Session | None) -> None:
        self._clear()
        self.session = session
        if session is not None:
            self.board = Board(session)
            self._column.addWidget(self.board)

    def _on_closed(self, session: Session) -> None:
        if session is self.session:
            self._clear()

    def _clear(self) -> None:
        if self.board is not None:
            self.board.release()
            self._column.removeWidget(self.board)
            self.board.hide()
            self.board.deleteLater()
            self.board = None


class Board(QWidget):
    """Tools, timeline and plots of one session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.plots: dict[str, Plot] = {}
        self._tiles = Tiles(session)
        self._area = QScrollArea(widgetResizable=True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidget(self._tiles)
        self._empty = Empty(session)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._tools())
        column.addWidget(self._area, 1)
        column.addWidget(self._empty, 1)
        session.edited.connect(self.refresh)
        session.runner.stale_changed.connect(self.stale.setVisible)
        self.refresh()

    def refresh(self, edit: object = None) -> None:
        """The views of the document, each in a widget of its own."""
        wanted = {str(view["id"]): view for view in views(self.session.document) if not view.get("pinned")}
        for view_id, plot in list(self.plots.items()):
            if view_id not in wanted or wanted[view_id]["plot"] != plot.view_type:
                self._drop(view_id)
        for view_id, view in wanted.items():
            if view_id not in self.plots:
                self.plots[view_id] = table()[view["plot"]].make(self.session, view_id)
        self._tiles.show_plots([self.plots[view_id] for view_id in wanted])
        self._area.setVisible(bool(wanted))
        self._empty.setVisible(not wanted)
        if not wanted:
            self._empty.refresh()

    def release(self) -> None:
        """Ask for no more records."""
        for view_id in list(self.plots):
            self._drop(view_id)

    def _drop(self, view_id: str) -> None:
        plot = self.plots.pop(view_id)
        plot.release()
        plot.hide()
        plot.setParent(None)
        plot.deleteLater()

    def _tools(self) -> QWidget:
        tools = QWidget()
        self.add = QToolButton()
        self.add.setText("Add plot")
        self.add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add.setToolTip("Plot a signal of the selected nodes, or of any node")
        menu = QMenu(self.add)
        menu.aboutToShow.connect(lambda: fill(menu, self.session))
        self.add.setMenu(menu)
        self.stale = QPushButton("Restart")
        self.stale.setToolTip(
            "The drawing has changed, and the old network still runs: run the new one from its beginning"
        )
        self.stale.clicked.connect(self.session.runner.play)
        self.stale.setVisible(self.session.runner.stale)
        row = QHBoxLayout(tools)
        row.setContentsMargins(8, 0, 4, 0)
        row.addWidget(self.add)
        row.addWidget(SpeedBox(self.session))
        row.addWidget(self._steps())
        row.addWidget(PulseBox(self.session))
        row.addWidget(self.stale)
        self.timeline = Timeline(self.session)
        row.addWidget(self.timeline, 1)
        self._draw_icons()
        theme.changed.connect(self._draw_icons)
        return tools

    def _steps(self) -> QWidget:
        """How many steps a press of Step makes."""
        box = QSpinBox(minimum=1, maximum=100_000, prefix="step by ", value=self.session.runner.step_size)
        box.setMinimumWidth(NARROWEST)
        box.setToolTip("Time steps that one press of Step (F10) makes")
        box.setAccessibleName("Steps of Step")
        box.valueChanged.connect(self._set_step)
        return box

    def _set_step(self, steps: int) -> None:
        self.session.runner.step_size = steps

    def _draw_icons(self) -> None:
        self.add.setIcon(theme.icon("add"))
        self.stale.setIcon(theme.icon("reset"))


class Tiles(QWidget):
    """Plots beside and under one another, as many in a row as have room; drag a header to move one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 0, 4, 0)
        self._grid.setSpacing(4)
        self._shown: list[Plot] = []
        self._columns = 0
        self.setAcceptDrops(True)

    def show_plots(self, plots: list[Plot]) -> None:
        """These, in this order."""
        if plots != self._shown:
            self._shown = plots
            self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may have room for more or fewer in a row."""
        super().resizeEvent(event)
        if self._fitting() != self._columns:
            self._arrange()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A plot's header is dragged here."""
        if event.mimeData().hasFormat(VIEW_MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Put the plot before the one it is dropped on, at the end if there is none."""
        at = event.position().toPoint()
        before = next((plot.view_id for plot in self._shown if plot.geometry().contains(at)), None)
        move_plot(self.session, _dragged(event.mimeData()), before)
        event.acceptProposedAction()

    def _fitting(self) -> int:
        return max(1, min(len(self._shown), self.width() // WIDTH))

    def _arrange(self) -> None:
        self._columns = self._fitting()
        while self._grid.count():
            self._grid.takeAt(0)
        for number, plot in enumerate(self._shown):
            plot.setMinimumHeight(HEIGHT)
            self._grid.addWidget(plot, number // self._columns, number % self._columns)
            plot.show()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(column < self._columns))


class Empty(QWidget):
    """Words, and a button for each plot that suits the document, where there is none yet."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.words = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._buttons = QHBoxLayout()
        self._shown: list[tuple[str, str, str, str]] | None = None
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self.words)
        column.addLayout(self._buttons)
        column.addStretch(1)

    def refresh(self) -> None:
        """Suggest what suits the document as it is."""
        found = suggestions(self.session.document)
        if found == self._shown:
            return
        self._shown = found
        while item := self._buttons.takeAt(0):
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.words.setText(
            "No plots yet: choose one, or drag in the drawing and come back."
            if not found
            else "No plots yet. Watch for instance:"
        )
        self._buttons.addStretch(1)
        for text, plot, node, port in found:
            button = QPushButton(theme.icon(table()[plot].icon), text)
            button.setToolTip("Add this plot")
            button.clicked.connect(lambda _=False, p=plot, n=node, o=port: add_plot(self.session, p, n, o))
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)


def _dragged(data: QMimeData) -> str:
    return bytes(data.data(VIEW_MIME).data()).decode()
