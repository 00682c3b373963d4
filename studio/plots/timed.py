"""Plots over time: one axis in ms for all of a session; the wheel zooms it, a drag scrubs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt

from studio.plots.base import Graph, Table
from studio.records import SPANS, Window


class TimeBox(pg.ViewBox):  # type: ignore[misc]
    """The inside of a plot over time, as the mouse meets it."""

    def __init__(self, plot: TimePlot) -> None:
        super().__init__(enableMouse=False, enableMenu=False)
        self.plot = plot
        self._from = 0

    def wheelEvent(self, event: Any, axis: Any = None) -> None:
        """Show more or less time."""
        self.plot.zoom(-1 if event.delta() > 0 else 1)
        event.accept()

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:
        """Take hold of the past and pull it here."""
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        records = self.plot.records
        if event.isStart():
            self._from = records.at
        pulled = event.pos().x() - event.buttonDownPos().x()
        records.go_to(round(self._from - pulled / max(self.width(), 1) * records.span / records.dt))

    def mouseClickEvent(self, event: Any) -> None:
        """Tell the plot which point was clicked."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.plot.clicked(self.mapToView(event.pos()))
            event.accept()


class TimePlot(Graph):
    """A graph whose horizontal axis is the shown part of the records."""

    x_label: ClassVar[str] = "time (ms)"

    def make_box(self) -> pg.ViewBox:
        """The mouse zooms and scrubs."""
        return TimeBox(self)

    def build(self) -> None:
        """Listen to the mouse over the graph."""
        self.canvas.scene().sigMouseMoved.connect(self._on_mouse)

    def redraw(self) -> None:
        """Draw over the shown part."""
        dt = self.records.dt
        first, last = self.shown
        self.reach_x(first * dt, last * dt, padding=0)
        super().redraw()

    def zoom(self, direction: int) -> None:
        """The next longer or shorter time that one can show."""
        nearest = min(range(len(SPANS)), key=lambda i: abs(SPANS[i] - self.records.span))
        self.records.show(SPANS[min(max(nearest + direction, 0), len(SPANS) - 1)])

    def columns(self, window: Window | None) -> Table:
        """Time, and a column a neuron, as they are exported."""
        if window is None:
            return ["time (ms)"], [np.empty(0)]
        names = [f"{self.port} of {neuron}" for neuron in window.neurons]
        return ["time (ms)", *names], [window.steps * self.records.dt, *window.values.T]

    def clicked(self, point: QPointF) -> None:
        """A point of the graph was clicked."""

    def tell(self, point: QPointF) -> str:
        """What lies at a point, in words; "" for nothing worth telling."""
        return ""

    def _on_mouse(self, position: QPointF) -> None:
        box = self.graph.getViewBox()
        inside = box.sceneBoundingRect().contains(position)
        self.header.read(self.tell(box.mapSceneToView(position)) if inside else "")


class ImagePlot(TimePlot):
    """A row a neuron, a column a moment."""

    def build(self) -> None:
        """One image."""
        super().build()
        self.image = pg.ImageItem(axisOrder="row-major")
        self.graph.addItem(self.image)

    def y_label(self) -> str:
        """Neurons have no unit."""
        return "neuron"
