"""Time of a frame of the raster at 100 000 spikes in the shown second, beside pyqtgraph's own point plots.

python -m tests.bench.bench_raster        (a display, or QT_QPA_PLATFORM=offscreen)
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QWidget

from engine.document import Document
from studio.plots import table
from studio.plots.views import add_plot
from studio.records import Records
from studio.session import Session

NEURONS, SPIKES, FRAMES = 10_000, 100_000, 30


def spikes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return np.sort(rng.integers(0, 1000, SPIKES)), rng.integers(0, NEURONS, SPIKES)


def median_frame(widget: QWidget, draw: Callable[[int], None], frames: int) -> float:
    """Milliseconds to hand over new data and paint them."""
    took = []
    for frame in range(frames):
        begin = time.perf_counter()
        draw(frame)
        widget.repaint()
        took.append(1000 * (time.perf_counter() - begin))
    return statistics.median(took)


def ours(steps: np.ndarray, neurons: np.ndarray) -> float:
    document = Document.new("bench")
    node = document.add("population.lif", size=[NEURONS])
    session = Session(document)
    view = add_plot(session, "raster", node, "spikes")
    assert view is not None
    plot = table()["raster"].make(session, view)
    plot.resize(900, 400)
    plot.show()
    records, runner = Records.of(session), session.runner
    runner.signals = {node: {"spikes": [NEURONS]}}
    records.show(1000.0)
    for first in range(0, 1000, 33):
        inside = (steps >= first) & (steps < first + 33)
        events = np.stack([steps[inside] - first, neurons[inside]], 1).astype(np.int32)
        message = {"step": first, "steps": min(33, 1000 - first), "dt": 1.0}
        runner.records.emit({**message, "records": {f"{node}.spikes.events": events}})

    def draw(frame: int) -> None:
        records.go_to(1000 - frame % 2)
        plot.redraw()

    found = median_frame(plot.canvas.viewport(), draw, FRAMES)
    plot.close()
    session.close()
    return found


def show(widget: pg.PlotWidget, item: pg.GraphicsObject) -> None:
    """With axes that stay as they are, as ours do."""
    widget.addItem(item)
    widget.setRange(xRange=(0, 1000), yRange=(0, NEURONS), disableAutoRange=True)
    widget.show()
    QApplication.processEvents()


def scatter(steps: np.ndarray, neurons: np.ndarray) -> float:
    widget = pg.PlotWidget()
    widget.resize(900, 400)
    item = pg.ScatterPlotItem(size=2, pen=None)
    show(widget, item)
    return median_frame(widget.viewport(), lambda frame: item.setData(steps + frame, neurons), 5)


def pairs(steps: np.ndarray, neurons: np.ndarray) -> float:
    widget = pg.PlotWidget()
    widget.resize(900, 400)
    item = pg.PlotCurveItem(connect="pairs")
    show(widget, item)
    x = np.repeat(steps, 2)
    y = np.stack([neurons, neurons + 0.8], 1).ravel()
    return median_frame(widget.viewport(), lambda frame: item.setData(x + frame, y, connect="pairs"), 10)


def main() -> None:
    application = QApplication.instance() or QApplication([])
    steps, neurons = spikes()
    mine = ours(steps, neurons)
    print(f"raster (image)                  {mine:7.1f} ms a frame")
    for name, measure in (("PlotCurveItem(connect='pairs')", pairs), ("ScatterPlotItem", scatter)):
        took = measure(steps, neurons)
        print(f"{name:31} {took:7.1f} ms a frame, {took / mine:.1f} times as long")
    application.processEvents()


if __name__ == "__main__":
    main()
