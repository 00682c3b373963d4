"""Pens, brushes and fonts of the canvas, made once for each theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPen

from studio.theme import theme

SIZES = {"title": 13, "info": 12, "port": 12, "frame": 14, "note": 13}
"""Height of each style of text in pixels at 100 % zoom."""


@cache
def colour(role: str, alpha: int = 255) -> QColor:
    """The theme's colour of a role."""
    return theme.colour(role, alpha)


@cache
def mixed(first: str, second: str, share: float) -> QColor:
    """``share`` of the first role's colour in the second's."""
    a, b = theme.colour(first), theme.colour(second)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return QColor(*(round(share * x + (1 - share) * y) for x, y in parts))


@cache
def pen(role: str, width: float = 1.5, line: str = "solid", alpha: int = 255) -> QPen:
    """A pen ``width`` scene units wide, with round joins; ``line`` is ``solid``, ``dash`` or ``dot``."""
    made = QPen(colour(role, alpha), width)
    made.setCapStyle(Qt.PenCapStyle.RoundCap)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if line != "solid":
        made.setDashPattern([4, 3] if line == "dash" else [1, 3])
    return made


@cache
def thin(role: str, alpha: int = 255) -> QPen:
    """A pen one pixel wide at any zoom."""
    made = QPen(colour(role, alpha), 1)
    made.setCosmetic(True)
    return made


@cache
def brush(role: str, alpha: int = 255) -> QBrush:
    """A solid brush."""
    return QBrush(colour(role, alpha))


@cache
def font(style: str) -> QFont:
    """The font of a style of text."""
    made = QFont()
    made.setPixelSize(SIZES[style])
    made.setWeight(QFont.Weight.DemiBold if style in ("title", "frame") else QFont.Weight.Normal)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return made


@cache
def metrics(style: str) -> QFontMetricsF:
    """The metrics of a style of text."""
    return QFontMetricsF(font(style))


@cache
def elided(style: str, text: str, width: float) -> str:
    """The text, shortened with an ellipsis where it is wider than ``width``."""
    return metrics(style).elidedText(text, Qt.TextElideMode.ElideRight, width)


def _forget() -> None:
    for made in (colour, mixed, pen, thin, brush):
        made.cache_clear()


theme.changed.connect(_forget)
