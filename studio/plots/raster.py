"""Spikes over time, as an image: never a point a spike."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from studio.plots import plot, style
from studio.plots.base import Table
from studio.plots.brush import Brush
from studio.plots.timed import ImagePlot

TICKS = 12
"""Up to so many neurons are named one by one."""


@plot("raster", "Spike raster", ports=("spikes",), icon="raster", order=10)
class Raster(ImagePlot):
    """A row a neuron, a column a moment; where several fall on a pixel, their number is its strength."""

    def dress(self) -> None:
        """Spikes in the colour of spikes."""
        super().dress()
        self.image.setLookupTable(style.spike_ramp())

    def streams(self) -> list[list[Any]]:
        """Events, not a dense array."""
        return [[self.node, self.port, self.chosen, "events"]]

    def draw(self) -> str:
        """Bin the shown spikes to pixels."""
        rows = self._rows()
        if rows == 0 or not self.records.has(self.node, f"{self.port}.events"):
            return self.absent("spikes")
        first, last = self.shown
        columns, lines = self._events()
        width, height = self._pixels(last - first, rows)
        image = binned(columns - first, lines, (last - first, rows), (width, height))
        self.image.setImage(image, autoLevels=False, levels=(0, max(int(image.max()), 1)))
        dt = self.records.dt
        self.image.setRect(QRectF(first * dt, -0.5, (last - first) * dt, rows))
        self._scale(rows)
        return ""

    def data(self) -> Table:
        """Time and neuron of every spike shown."""
        steps, neurons = self.records.events(self.node, self.port, *self.shown)
        if self.chosen is not None:
            kept = np.isin(neurons, self.chosen)
            steps, neurons = steps[kept], neurons[kept]
        return ["time (ms)", "neuron"], [steps * self.records.dt, neurons]

    def clicked(self, point: QPointF) -> None:
        """With the brush: stimulate the neuron of this row."""
        neuron = self._neuron(point)
        if neuron is not None:
            Brush.of(self.session).touch(self.node, [neuron])

    def tell(self, point: QPointF) -> str:
        """Neuron and time."""
        neuron = self._neuron(point)
        return "" if neuron is None else f"neuron {neuron}, {point.x():.0f} ms"

    def _neuron(self, point: QPointF) -> int | None:
        row = round(point.y())
        if not 0 <= row < self._rows():
            return None
        return self.chosen[row] if self.chosen else row

    def _rows(self) -> int:
        return len(self.chosen) if self.chosen else self.count or 0

    def _events(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and rows of the spikes shown."""
        steps, neurons = self.records.events(self.node, self.port, *self.shown)
        if self.chosen is None:
            return steps, neurons
        wanted = np.asarray(self.chosen)
        rows = np.searchsorted(wanted, neurons).clip(max=len(wanted) - 1)
        kept = wanted[rows] == neurons
        return steps[kept], rows[kept]

    def _pixels(self, steps: int, rows: int) -> tuple[int, int]:
        """As many pixels as there are to be seen, none finer than a step and a neuron."""
        box = self.graph.getViewBox().rect()
        return max(1, min(steps, int(box.width()))), max(1, min(rows, int(box.height())))

    def _scale(self, rows: int) -> None:
        self.reach_y(-0.5, rows - 0.5, padding=0)
        axis = self.graph.getAxis("left")
        names = enumerate(self.chosen or range(rows)) if rows <= TICKS else ()
        axis.setTicks([[(row, str(neuron)) for row, neuron in names]] if rows <= TICKS else None)


def binned(
    columns: np.ndarray, rows: np.ndarray, extent: tuple[int, int], pixels: tuple[int, int]
) -> np.ndarray:
    """How many points fall on each pixel, ``[height, width]``; ``extent`` and ``pixels``: columns, rows."""
    width, height = pixels
    at = (rows * height // extent[1]) * width + columns * width // extent[0]
    return np.bincount(at, minlength=width * height).reshape(height, width)
