"""One signal twice, side by side: what our engine did and what the export did, differences in red."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.plots import style
from studio.plots.raster import TICKS, binned
from studio.theme import theme

SIDE = 420
"""Most pixels of a picture along one side: more than there are to be seen."""

CLOSE = 1e-5
"""Signals that are no spikes may differ by so much of their largest value: by rounding."""


class Rasters(QWidget):
    """Two pictures with one time axis; the wheel zooms both."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setBackground(theme.colour("canvas"))
        self.left, self.right = self.canvas.addPlot(0, 0), self.canvas.addPlot(0, 1)
        self.right.setXLink(self.left)
        self.right.setYLink(self.left)
        self.images = [pg.ImageItem(axisOrder="row-major") for _ in range(3)]
        self.line = pg.InfiniteLine(angle=90, pen=pg.mkPen(theme.colour("error"), width=1))
        for graph, image in ((self.left, self.images[0]), (self.right, self.images[1])):
            graph.addItem(image)
            graph.setMenuEnabled(False)
            graph.hideButtons()
        self.right.addItem(self.images[2])
        self.right.addItem(self.line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self.dress()

    def dress(self) -> None:
        """In the colours of the theme."""
        self.canvas.setBackground(theme.colour("canvas"))
        for graph in (self.left, self.right):
            style.dress(graph, "step", "neuron")
        error = theme.colour("error")
        red = style.ramp(theme.colour("error", 0), error)
        red[1:] = style.ramp(theme.colour("error", 200), error)[1:]
        self.images[2].setLookupTable(red)

    def show_signals(self, ours: np.ndarray, theirs: np.ndarray, titles: tuple[str, str]) -> None:
        """Two recordings ``[steps, neurons]`` of one signal; a line where they differ for the first time."""
        spikes = _are_spikes(ours) and _are_spikes(theirs)
        apart = np.abs(ours - theirs) > (
            0 if spikes else CLOSE * max(1.0, float(np.abs(ours).max(initial=0)))
        )
        steps = np.nonzero(apart.any(axis=1))[0]
        ramp = style.spike_ramp() if spikes else style.level_ramp()
        both = np.concatenate([ours.ravel(), theirs.ravel()]) if not spikes else np.array([0.0, 1.0])
        levels = (float(both.min()), max(float(both.max()), float(both.min()) + 1e-9))
        for image, signal in zip(self.images[:2], (ours, theirs), strict=True):
            image.setLookupTable(ramp)
            _draw(image, signal, spikes, levels)
        _draw(self.images[2], apart, True, (0, 1))
        self.left.setTitle(titles[0], color=theme.colour("text").name(), size="12px")
        self.right.setTitle(titles[1], color=theme.colour("text").name(), size="12px")
        self.line.setVisible(bool(steps.size))
        self.line.setValue(int(steps[0]) if steps.size else 0)
        few = list(range(ours.shape[1])) if ours.shape[1] <= TICKS else None
        for graph in (self.left, self.right):
            ticks = [[(row, str(row)) for row in few]] if few else None
            graph.getAxis("left").setTicks(ticks)
        self.left.setXRange(0, len(ours), padding=0)
        self.left.setYRange(-0.5, ours.shape[1] - 0.5, padding=0)


def _are_spikes(signal: np.ndarray) -> bool:
    return bool((signal == np.round(signal)).all() and (signal >= 0).all())


def _draw(image: pg.ImageItem, signal: np.ndarray, spikes: bool, levels: tuple[float, float]) -> None:
    steps, neurons = signal.shape
    if spikes:
        columns, rows = np.nonzero(signal)
        shown = binned(columns, rows, (steps, neurons), (min(steps, SIDE), min(neurons, SIDE)))
        image.setImage(shown, autoLevels=False, levels=(0, max(int(shown.max()), 1)))
    else:
        image.setImage(signal.T, autoLevels=False, levels=levels)
    image.setRect(QRectF(0, -0.5, steps, neurons))
