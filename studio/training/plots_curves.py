"""Curves over epochs, told apart by colour, dashes and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pyqtgraph as pg

from studio.plots.base import Table
from studio.plots.style import curve_pen
from studio.theme import theme
from studio.training.plots_base import NOTHING, EpochAxis, Graph, columns

MARKS = {"o": "●", "s": "■", "t": "▼", "d": "◆", "x": "✕", "+": "✚"}
"""Marks of curves, and how a caption shows them."""
MARKED = 60
"""As many points are marked at the most; more of them would hide the line."""


@dataclass(frozen=True)
class Series:
    """``faint``: a thin line in the background, without a mark or a name."""

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
        self.graph.getViewBox().setDefaultPadding(0.06)
        self.graph.setLogMode(False, log)
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
        number, names = 0, []
        for series in self.series:
            if series.faint:
                self._faint(series)
            elif len(series.x):
                self._curve(series, number)
                names.append(named(series.name, number))
                number += 1
        if self.level:
            self._level(self.level[1])
            names.append(nowrap("╌ " + escape(self.level[0])))
        if self.percent:
            self._range()
        if self.log:
            self._few_ticks()
        drawn = next((series.name for series in self.series if series.faint and len(series.x)), NOTHING)
        self.say(" &nbsp; ".join(names) or escape(drawn))

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
            symbol=list(MARKS)[number % len(MARKS)] if marked else None,
            symbolSize=7,
            symbolPen=pg.mkPen(pen.color()),
            symbolBrush=pg.mkBrush(pen.color()),
        )
        self.graph.addItem(curve)

    def _level(self, value: float) -> None:
        pen = pg.mkPen(theme.colour("muted"), width=1.5, style=pg.QtCore.Qt.PenStyle.DashLine)
        self.graph.addItem(pg.InfiniteLine(value * self.scale, 0, pen))

    def _few_ticks(self) -> None:
        """Over more than a decade, numbers stand at the decades alone."""
        found = [y for series in self.series for y in series.y if y > 0]
        wide = bool(found) and max(found) > 10 * min(found)
        self.graph.getAxis("left").setStyle(maxTextLevel=0 if wide else 2)

    def _range(self) -> None:
        """Of proportions: from nothing to a little above the best."""
        best = max((y for series in self.series for y in series.y), default=1.0)
        level = self.level[1] if self.level else 0.0
        self.graph.setYRange(0.0, min(100.0, 115.0 * max(best, level)), padding=0.02)

    def _values(self, series: Series) -> np.ndarray:
        values = np.asarray(series.y, float) * self.scale
        return np.maximum(values, 1e-12) if self.log else values

    def data(self) -> Table:
        """Rows of series, epoch and value."""
        rows = [(s.name, x, y) for s in self.series for x, y in zip(s.x, s.y, strict=True)]
        return columns(["series", "epoch", "value"], rows)


def named(name: str, number: int) -> str:
    """The mark of a series and its name, for the caption."""
    mark = list(MARKS.values())[number % len(MARKS)]
    colour = curve_pen(number).color().name()
    return nowrap(f'<span style="color: {colour}">{mark}</span> {escape(name)}')


def nowrap(text: str) -> str:
    """Rich text that stays on one line."""
    return f'<span style="white-space: nowrap">{text}</span>'
