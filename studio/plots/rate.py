"""How much a population fires, over time."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF

from engine.analysis import peaks, smooth
from studio.plots import plot, style
from studio.plots.base import Table
from studio.plots.timed import TimePlot
from studio.theme import theme

WIDTH_MS = 10.0
"""The mean is taken over so many ms."""


@plot("rate", "Population rate", ports=("spikes",), icon="curves", order=30)
class Rate(TimePlot):
    """Spikes per neuron and second, mean over all neurons and over 10 ms."""

    choosable: ClassVar[bool] = False
    shows: ClassVar[str] = "rate"

    def build(self) -> None:
        """One filled curve."""
        super().build()
        self.curve = pg.PlotCurveItem(fillLevel=0)
        self.graph.addItem(self.curve)

    def y_label(self) -> str:
        """In Hz."""
        return "rate (Hz)"

    def dress(self) -> None:
        """The first colour of curves."""
        super().dress()
        self.curve.setPen(style.curve_pen(0))
        self.curve.setBrush(theme.colour("plot.1", 50))

    def streams(self) -> list[list[Any]]:
        """The mean alone."""
        return [[self.node, self.port, None, "rate"]]

    def draw(self) -> str:
        """The smoothed rate."""
        x, y = self._curve()
        if not x.size:
            return self.absent("rate")
        self.curve.setData(*peaks(x, y, 5000), connect="finite")
        top = float(np.nanmax(y)) if np.isfinite(y).any() else 0.0
        self.reach_y(0, max(top, 1.0) * 1.05, padding=0)
        return ""

    def data(self) -> Table:
        """Time, the rate in each step, and its mean over 10 ms."""
        steps, rates = self.records.rate(self.node, self.port, *self.shown)
        names = ["time (ms)", "rate in the step (Hz)", f"mean over {WIDTH_MS:g} ms (Hz)"]
        return names, [steps * self.records.dt, rates, smooth(rates, self._width)]

    def tell(self, point: QPointF) -> str:
        """Rate and time."""
        return f"{point.y():.3g} Hz at {point.x():.0f} ms"

    @property
    def _width(self) -> int:
        return max(1, round(WIDTH_MS / self.records.dt))

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        first, last = self.shown
        steps, rates = self.records.rate(self.node, self.port, first - self._width, last)
        return steps * self.records.dt, smooth(rates, self._width)
