"""Curves over epochs, told apart by colour, dashes and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg

from studio.plots.base import Table
from studio.plots.style import curve_pen
from studio.theme import theme
from studio.training.plots_base import EpochAxis, Graph, columns

MARKS = ("o", "s", "t", "d", "x", "+")
FEW = 5
"""More names than these stand in two columns."""
MARKED = 60
"""As many points are marked at the most; more of them would hide the line."""


@dataclass(frozen=True)
class Series:
    """``faint``: a thin line in the background, without a mark or an entry in the legend."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    faint: bool = False


class Curves(Graph):
    """Several series, and a level with its name, such as chance; ``percent``: of numbers from 0 to 1."""

    def __init__(self, title: str, y: str, *, log: bool = False, percent: bool = False) -> None:
        super().__init__(title, "epoch", y)
        self.graph.setAxisItems({"bottom": EpochAxis("bottom")})
        self.series: list[Series] = []
        self.level: tuple[str, float] | None = None
        self.scale = 100.0 if percent else 1.0
        self.log, self.percent = log, percent
        self.legend = self.graph.addLegend(offset=(-4, 4), labelTextSize="9pt", verSpacing=-6)
        self.graph.getViewBox().setDefaultPadding(0.06)
        self.graph.setLogMode(False, log)
        if percent:
            self.graph.setYRange(0.0, 100.0, padding=0.02)
        self.graph.showGrid(y=True, alpha=0.15)
        self.dress()

    def show_series(self, series: list[Series], level: tuple[str, float] | None = None) -> None:
        """Show these; ``level``: (name, value) of a dashed line across."""
        if (series, level) != (self.series, self.level):
            self.series, self.level = series, level
            self.redraw()

    def redraw(self) -> None:
        """Draw everything anew."""
        self.graph.clear()
        self.legend.clear()
        self.legend.setLabelTextColor(theme.colour("text"))
        self.legend.setBrush(theme.colour("canvas", 190))
        self.legend.setColumnCount(1 if len(self.series) <= FEW else 2)
        number = 0
        for series in self.series:
            if series.faint:
                self._faint(series)
            elif len(series.x):
                self._curve(series, number)
                number += 1
        if self.level:
            self._level(*self.level)

    def _faint(self, series: Series) -> None:
        pen = pg.mkPen(theme.colour("muted", 130), width=1)
        self.graph.addItem(pg.PlotDataItem(series.x, self._values(series), pen=pen, autoDownsample=True))

    def _curve(self, series: Series, number: int) -> None:
        pen = curve_pen(number, 2.0)
        marked = len(series.x) <= MARKED
        curve = pg.PlotDataItem(
            series.x,
            self._values(series),
            pen=pen,
            symbol=MARKS[number % len(MARKS)] if marked else None,
            symbolSize=7,
            symbolPen=pg.mkPen(pen.color()),
            symbolBrush=pg.mkBrush(pen.color()),
            name=series.name,
        )
        self.graph.addItem(curve)

    def _level(self, name: str, value: float) -> None:
        pen = pg.mkPen(theme.colour("muted"), width=1.5, style=pg.QtCore.Qt.PenStyle.DashLine)
        line = pg.InfiniteLine(
            value * self.scale, 0, pen, label=name, labelOpts={"position": 0.98, "anchors": [(1, 1), (1, 1)]}
        )
        line.label.setColor(theme.colour("text"))
        self.graph.addItem(line)

    def _values(self, series: Series) -> np.ndarray:
        values = np.asarray(series.y, float) * self.scale
        return np.maximum(values, 1e-12) if self.log else values

    def data(self) -> Table:
        """Rows of series, epoch and value."""
        rows = [(s.name, x, y) for s in self.series for x, y in zip(s.x, s.y, strict=True)]
        return columns(["series", "epoch", "value"], rows)
