"""A signal of many neurons over time, as an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from studio.plots import plot, style
from studio.plots.base import Table
from studio.plots.timed import ImagePlot
from studio.records import Window

MOST = 128
"""Of larger populations so many neurons are shown, evenly spread, unless one chooses."""


@plot("heatmap", "Heat map", ports=("potential", "current", "value"), icon="grid", order=25)
class HeatMap(ImagePlot):
    """A row a neuron, a column a moment, the value as colour."""

    def dress(self) -> None:
        """From low to high."""
        super().dress()
        self.image.setLookupTable(style.level_ramp())

    @property
    def neurons_shown(self) -> list[int] | None:
        """A sample of large populations."""
        return self.sampled(MOST)

    def streams(self) -> list[list[Any]]:
        """A sample of large populations."""
        return [[self.node, self.port, self.sampled(MOST)]]

    def draw(self) -> str:
        """Every column is one step, or the mean of those that share a pixel."""
        window = self._window()
        if window is None:
            return self.absent(self.port)
        image, step = _thinned(window.values, max(1, int(self.graph.getViewBox().rect().width())))
        image = np.nan_to_num(image.T)
        low, high = float(image.min()), float(image.max())
        self.image.setImage(image, autoLevels=False, levels=(low, high if high > low else low + 1))
        dt, rows = self.records.dt, image.shape[0]
        self.image.setRect(QRectF(window.steps[0] * dt, -0.5, image.shape[1] * step * dt, rows))
        self.reach_y(-0.5, rows - 0.5, padding=0)
        spread = np.unique(np.linspace(0, rows - 1, min(rows, 5)).astype(int))
        self.graph.getAxis("left").setTicks([[(row, str(window.neurons[row])) for row in spread]])
        return ""

    def data(self) -> Table:
        """Time, and a column a neuron."""
        return self.columns(self._window())

    def tell(self, point: QPointF) -> str:
        """Value, neuron and time."""
        window, dt = self._window(), self.records.dt
        if window is None or not 0 <= round(point.y()) < len(window.neurons):
            return ""
        row = round(point.y())
        at = min(int(np.searchsorted(window.steps, point.x() / dt)), len(window.steps) - 1)
        return f"{window.values[at, row]:.3g}, neuron {window.neurons[row]}, {point.x():.0f} ms"

    def _window(self) -> Window | None:
        return self.records.window(self.node, self.port, *self.shown, self.sampled(MOST))


def _thinned(values: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """At most ``most`` rows, each the mean of so many, and how many."""
    step = -(-len(values) // most)
    whole = len(values) // step * step
    blocks = values[:whole].reshape(-1, step, values.shape[1]).mean(1, dtype=np.float32)
    return blocks, step
