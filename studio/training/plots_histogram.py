"""A histogram that may be compared with how it was before, and a band around a place on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from studio.plots.base import Table
from studio.theme import theme
from studio.training.plots_base import NOTHING, Graph, columns


@dataclass(frozen=True)
class Bars:
    """``counts`` of equal bins from ``low`` to ``high``; ``before``: the counts of the first epoch."""

    low: float
    high: float
    counts: tuple[int, ...]
    before: tuple[int, ...] = ()

    def edges(self) -> np.ndarray:
        """Where the bins begin and end."""
        return np.linspace(self.low, self.high, len(self.counts) + 1)


class Histogram(Graph):
    """``band``: (middle, half width) of what is shaded, such as the kernel of delays."""

    def __init__(self, title: str, x: str, beside: QWidget | None = None) -> None:
        super().__init__(title, x, "synapses", beside)
        self.bars: Bars | None = None
        self.band: tuple[float, float] | None = None
        self.words = ""
        self.dress()

    def show_bars(self, bars: Bars | None, band: tuple[float, float] | None = None, words: str = "") -> None:
        """Show these, or nothing; ``words`` stand above."""
        if (bars, band, words) != (self.bars, self.band, self.words):
            self.bars, self.band, self.words = bars, band, words
            self.redraw()

    def redraw(self) -> None:
        """Draw everything anew."""
        self.graph.clear()
        bars = self.bars
        self.say(self.words if bars else NOTHING)
        if bars is None:
            return
        edges = bars.edges()
        self.graph.setXRange(bars.low, bars.high, padding=0.02)
        self.graph.setYRange(0.0, 1.05 * max((*bars.counts, *bars.before, 1)), padding=0.0)
        if self.band:
            self._shade(*self.band)
        middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
        brush = pg.mkBrush(theme.colour("plot.1", 190))
        pen = pg.mkPen(theme.colour("panel"), width=1)
        self.graph.addItem(pg.BarGraphItem(x=middle, height=bars.counts, width=width, brush=brush, pen=pen))
        if bars.before and len(bars.before) == len(bars.counts):
            outline = pg.mkPen(theme.colour("plot.2"), width=1.5, style=Qt.PenStyle.DashLine)
            self.graph.addItem(pg.PlotCurveItem(edges, np.array(bars.before), stepMode="center", pen=outline))

    def _shade(self, middle: float, half: float) -> None:
        assert self.bars is not None
        ends = (max(middle - half, self.bars.low), min(middle + half, self.bars.high))
        band = pg.LinearRegionItem(ends, movable=False, brush=pg.mkBrush(theme.colour("plot.3", 60)))
        for line in band.lines:
            line.setPen(pg.mkPen(theme.colour("plot.3"), width=1.5))
        band.setZValue(-10)
        self.graph.addItem(band)

    def data(self) -> Table:
        """A row for each bin."""
        edges = self.bars.edges().tolist() if self.bars else []
        counts = self.bars.counts if self.bars else ()
        return columns(["from", "to", "synapses"], list(zip(edges, edges[1:], counts, strict=False)))
