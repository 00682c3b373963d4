"""How plots look: pyqtgraph's parts in the colours of the theme."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont

from studio.theme import theme

CURVES = 6
"""Colours of curves before they repeat, with another dash."""

FONT_PX = 12


def curve_pen(number: int, width: float = 1.0) -> pg.QtGui.QPen:
    """The pen of the n-th curve: colours first, then dashes too."""
    style = [pg.QtCore.Qt.PenStyle.SolidLine, pg.QtCore.Qt.PenStyle.DashLine, pg.QtCore.Qt.PenStyle.DotLine]
    return pg.mkPen(
        theme.colour(f"plot.{number % CURVES + 1}"), width=width, style=style[number // CURVES % 3]
    )


def dress(graph: pg.PlotItem, x: str, y: str) -> None:
    """Labels with units, and the theme's colours, on the axes of a graph."""
    font = QFont()
    font.setPixelSize(FONT_PX)
    for side, text in (("bottom", x), ("left", y)):
        axis = graph.getAxis(side)
        axis.setPen(pg.mkPen(theme.colour("border")))
        axis.setTextPen(pg.mkPen(theme.colour("muted")))
        axis.setTickFont(font)
        axis.enableAutoSIPrefix(False)
        axis.setLabel(text, **{"color": theme.colour("muted").name(), "font-size": f"{FONT_PX}px"})
    graph.getAxis("left").setWidth(52)
    graph.getAxis("bottom").setHeight(34)


def ramp(*stops: QColor) -> np.ndarray:
    """256 colours ``[256, 4]`` from the first stop to the last."""
    points = np.linspace(0, 255, len(stops))
    channels = [[c.red() for c in stops], [c.green() for c in stops], [c.blue() for c in stops]]
    alpha = [c.alpha() for c in stops]
    lines = [np.interp(np.arange(256), points, values) for values in (*channels, alpha)]
    return np.stack(lines, 1).astype(np.ubyte)


def spike_ramp() -> np.ndarray:
    """Nothing where there is no spike, and from half to full colour with their number."""
    full = theme.colour("kind.spikes")
    found = ramp(theme.colour("kind.spikes", 120), full)
    found[0] = 0
    return found


def level_ramp() -> np.ndarray:
    """From low to high."""
    return ramp(theme.colour("canvas"), theme.colour("kind.potential"), theme.colour("kind.spikes"))


def sign_ramp() -> np.ndarray:
    """From inhibitory over nothing to excitatory."""
    return ramp(theme.colour("inhibitory"), theme.colour("canvas"), theme.colour("excitatory"))
