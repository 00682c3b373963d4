"""Histograms of what a projection holds."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg

from studio.plots.base import Graph, Table
from studio.theme import theme


class Bars(Graph):
    """The newest histogram that the worker has sent; ``scale`` turns its values into the axis's unit."""

    choosable: ClassVar[bool] = False
    colour: ClassVar[str] = "plot.1"

    def build(self) -> None:
        """Steps with a filled ground."""
        self.bars = pg.PlotCurveItem([0.0, 1.0], [0.0], stepMode="center", fillLevel=0)
        self.graph.addItem(self.bars)

    def y_label(self) -> str:
        """Synapses are counted."""
        return "synapses"

    def dress(self) -> None:
        """Outline and ground."""
        super().dress()
        self.bars.setPen(pg.mkPen(theme.colour(self.colour)))
        self.bars.setBrush(theme.colour(self.colour, 90))

    def streams(self) -> list[list[Any]]:
        """Counts, made where the numbers are."""
        return [[self.node, self.port, None, "histogram"]]

    @property
    def scale(self) -> float:
        """Units of the axis in one of the worker's."""
        return 1.0

    def draw(self) -> str:
        """As it was at the step shown."""
        edges, counts = self._histogram()
        if not counts.size:
            return self.absent(self.port)
        self.bars.setData(edges, counts)
        self.reach_x(edges[0], edges[-1], padding=0.02)
        self.reach_y(0, max(counts.max(), 1) * 1.05, padding=0)
        self.header.read(f"{int(counts.sum()):,} in all")
        return ""

    def data(self) -> Table:
        """Both edges of each bar, and how many fall in it."""
        edges, counts = self._histogram()
        unit = self.x_label
        return [f"from {unit}", f"to {unit}", self.y_label()], [edges[:-1], edges[1:], counts]

    def _histogram(self) -> tuple[np.ndarray, np.ndarray]:
        at = None if self.records.follow else self.records.at
        found = self.records.snapshot(self.node, f"{self.port}.histogram", at)
        if found is None:
            return np.empty(1), np.empty(0)
        return found[0] * self.scale, found[1, :-1].astype(np.int64)
