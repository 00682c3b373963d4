"""How regularly a population fires, in numbers and as a histogram of intervals."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from engine import analysis
from studio.plots import plot, style
from studio.plots.base import Graph, Table
from studio.theme import theme

MOST = 400
"""Of larger populations so many neurons are looked at, evenly spread, unless one chooses."""

PAST_MS = 5000.0
"""Statistics are of so many ms before the time shown."""

EVERY_S = 0.5
BINS = 40
WINDOW_MS = 50.0
"""Spikes are counted in windows of this length for the Fano factor and synchrony."""


@plot("statistics", "Spike statistics", ports=("spikes",), icon="histogram", order=40)
class Statistics(Graph):
    """Intervals between spikes, rate, irregularity, Fano factor and synchrony of the last 5 s."""

    x_label = "interval (ms)"
    shows = "statistics"

    def make_body(self) -> QWidget:
        """The histogram and, beside it, the numbers."""
        body = QWidget()
        graph = super().make_body()
        self.bars = pg.PlotCurveItem([0.0, 1.0], [0.0], stepMode="center", fillLevel=0)
        self.graph.addItem(self.bars)
        self.numbers = QLabel(body)
        self.numbers.setTextFormat(Qt.TextFormat.RichText)
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.numbers.setContentsMargins(8, 8, 8, 4)
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(graph, 1)
        row.addWidget(self.numbers)
        self._drawn_at = 0.0
        self._last: dict[str, float | None] = {}
        return body

    def y_label(self) -> str:
        """Intervals are counted."""
        return "intervals"

    def dress(self) -> None:
        """The second colour of curves."""
        super().dress()
        self.bars.setPen(style.curve_pen(1))
        self.bars.setBrush(theme.colour("plot.2", 90))
        body = self.canvas.parentWidget()
        if body is not None:
            palette = body.palette()
            palette.setColor(QPalette.ColorRole.Window, theme.colour("canvas"))
            body.setPalette(palette)
            body.setAutoFillBackground(True)

    @property
    def neurons_shown(self) -> list[int] | None:
        """A sample of large populations."""
        return self.sampled(MOST)

    def streams(self) -> list[list[Any]]:
        """Events of the sample."""
        return [[self.node, self.port, self.sampled(MOST), "events"]]

    def redraw(self) -> None:
        """Not with every frame: half a second is soon enough for numbers that one reads."""
        if time.perf_counter() - self._drawn_at > EVERY_S or not self.records.follow or self.records.empty:
            self._drawn_at = time.perf_counter()
            super().redraw()

    def draw(self) -> str:
        """Histogram up to the 99th percentile of the intervals, and the table."""
        if not self.records.has(self.node, f"{self.port}.events"):
            return self.absent("spikes")
        steps, rows, size = self._events()
        gaps = analysis.intervals(steps, rows)[0] * self.records.dt
        top = float(np.percentile(gaps, 99)) if gaps.size else 100.0
        count, edges = np.histogram(gaps, BINS, (0.0, max(top, BINS * self.records.dt)))
        self.bars.setData(edges, count)
        self.reach_x(0, edges[-1], padding=0.02)
        self.reach_y(0, max(count.max(), 1) * 1.05, padding=0)
        self.numbers.setText(_as_html(self._measure(steps, rows, size), size, self.count or size))
        return ""

    def data(self) -> Table:
        """The intervals' histogram, then each measure with its value."""
        edges, counts = self.bars.getData()
        edges = np.empty(1) if edges is None else edges
        counts = np.empty(0) if counts is None else counts
        known = {name: value for name, value in self._last.items() if value is not None}
        names = ["interval from (ms)", "to (ms)", "intervals", "measure", "value"]
        return names, [edges[:-1], edges[1:], counts, np.array(list(known)), np.array(list(known.values()))]

    def _reach(self) -> tuple[int, int]:
        last = self.records.at
        return max(self.records.first, last - round(PAST_MS / self.records.dt)), last

    def _events(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Steps and rows of the spikes looked at, and how many rows there are."""
        steps, neurons = self.records.events(self.node, self.port, *self._reach())
        chosen = self.sampled(MOST)
        if chosen is None:
            return steps, neurons, self.count or int(neurons.max(initial=0)) + 1
        wanted = np.asarray(chosen)
        rows = np.searchsorted(wanted, neurons).clip(max=len(wanted) - 1)
        kept = wanted[rows] == neurons
        return steps[kept], rows[kept], len(wanted)

    def _measure(self, steps: np.ndarray, rows: np.ndarray, size: int) -> dict[str, float | None]:
        first, last = self._reach()
        dt = self.records.dt
        rates = analysis.rates(rows, size, max(last - first, 1) * dt)
        irregular = analysis.irregularity(steps, rows)
        counted = analysis.counts(steps, rows, size, first, last, max(1, round(WINDOW_MS / dt)))
        self._last = {
            "rate (Hz)": float(rates.mean()),
            "spread of rates (Hz)": float(rates.std()),
            "silent (%)": float((rates == 0).mean() * 100),
            "irregularity CV": float(irregular.mean()) if irregular.size else None,
            "Fano factor": analysis.fano(counted),
            "synchrony χ": analysis.synchrony(counted),
        }
        return self._last


def _as_html(measured: dict[str, float | None], size: int, population: int) -> str:
    muted = theme.colour("muted").name()
    rows = "".join(
        f"<tr><td style='color:{muted}'>{name}&nbsp;&nbsp;</td>"
        f"<td align='right'><b>{'–' if value is None else f'{value:.3g}'}</b></td></tr>"
        for name, value in measured.items()
    )
    counted = "1 neuron" if size == 1 else f"{size} neurons"
    whose = counted if size == population else f"{size} of {population:,} neurons"
    return f"<table cellspacing='3'>{rows}</table><p style='color:{muted}'>{whose}, last 5 s</p>"
