"""Membranes and other signals of chosen neurons over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu

from engine.analysis import peaks
from studio.plots import plot, style
from studio.plots.base import Table
from studio.plots.timed import TimePlot
from studio.plots.views import change_plot
from studio.records import Window
from studio.theme import theme

AT_FIRST, MOST = 5, 24
"""So many neurons until one chooses, and at most."""

POINTS = 5000
"""Of each curve."""


@plot("trace", "Trace", ports=("potential", "current", "value"), icon="trace", order=20)
class Trace(TimePlot):
    """A curve a neuron, over one another or each at its own height; the threshold where there is one."""

    def build(self) -> None:
        """Curves come as they are needed."""
        super().build()
        self.curves: list[pg.PlotCurveItem] = []
        self.threshold = pg.InfiniteLine(angle=0, movable=False)
        self.threshold.setZValue(-1)
        self.graph.addItem(self.threshold, ignoreBounds=True)

    def y_label(self) -> str:
        """The signal; potentials and currents are in units of the threshold, which have no name."""
        return {"potential": "potential", "current": "current"}.get(self.kind or "", "value")

    def dress(self) -> None:
        """Curves in the colours of curves."""
        super().dress()
        self.threshold.setPen(pg.mkPen(theme.colour("muted"), style=Qt.PenStyle.DashLine))
        for number, curve in enumerate(self.curves):
            curve.setPen(style.curve_pen(number))

    @property
    def neurons(self) -> list[int]:
        """The neurons shown."""
        return (self.chosen or list(range(min(AT_FIRST, self.count or AT_FIRST))))[:MOST]

    @property
    def neurons_shown(self) -> list[int] | None:
        """Never all."""
        return self.neurons

    @property
    def apart(self) -> bool:
        """Whether each curve has its own height."""
        return bool(self.view.get("apart"))

    def streams(self) -> list[list[Any]]:
        """Only the neurons shown."""
        return [[self.node, self.port, self.neurons]]

    def draw(self) -> str:
        """The peaks of every curve."""
        window = self._window()
        if window is None:
            return self.absent(self.port)
        values = list(window.values.T.astype(float))
        gap = self._gap(values)
        self._have(len(values))
        for number, (curve, y) in enumerate(zip(self.curves, values, strict=True)):
            x, kept = peaks(window.steps * self.records.dt, y, POINTS)
            curve.setData(x, kept + number * gap, connect="finite")
        self._fit(values, gap)
        return ""

    def data(self) -> Table:
        """Time, and a column a neuron."""
        return self.columns(self._window())

    def tell(self, point: QPointF) -> str:
        """Time and height."""
        return f"{point.x():.0f} ms" if self.apart else f"{point.y():.3g} at {point.x():.0f} ms"

    def fill_menu(self, menu: QMenu) -> None:
        """Over one another, or apart."""
        text = "Draw curves over one another" if self.apart else "Draw curves apart"
        menu.addAction(text, lambda: change_plot(self.session, self.view_id, text, apart=not self.apart))
        super().fill_menu(menu)

    def _window(self) -> Window | None:
        return self.records.window(self.node, self.port, *self.shown, self.neurons)

    def _gap(self, values: list[np.ndarray]) -> float:
        if not self.apart:
            return 0.0
        return max((float(np.nanmax(y) - np.nanmin(y)) for y in values if np.isfinite(y).any()), default=1.0)

    def _have(self, curves: int) -> None:
        while len(self.curves) < curves:
            curve = pg.PlotCurveItem(pen=style.curve_pen(len(self.curves)))
            self.graph.addItem(curve)
            self.curves.append(curve)
        while len(self.curves) > curves:
            self.graph.removeItem(self.curves.pop())

    def _fit(self, values: list[np.ndarray], gap: float) -> None:
        level = self._level()
        self.threshold.setVisible(level is not None and not self.apart)
        if level is not None:
            self.threshold.setValue(level)
        ends = [[np.nanmin(y), np.nanmax(y)] for y in values if np.isfinite(y).any()]
        low, high = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (0.0, 1.0)
        if level is not None and not self.apart:
            high = max(high, level)
        if low == high:
            low, high = low - 0.5, high + 0.5
        self.reach_y(low, high + gap * max(len(values) - 1, 0), padding=0.06)

    def _level(self) -> float | None:
        node = self.session.document.nodes.get(self.node)
        level = node.params.get("v_th") if node and self.kind == "potential" else None
        return float(level) if isinstance(level, (int, float)) else None
