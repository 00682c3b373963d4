"""Pens, brushes and fonts of the canvas, made once for each theme."""

from __future__ import annotations

import math
from functools import cache, lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPen, QTextLayout

from studio.theme import theme

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
SIZES = {"title": 13, "info": 12, "port": 12, "frame": 14, "note": 13, "name": 13}
"""Height of each style of text in pixels at 100 % zoom."""
WEIGHTS = {
    "title": QFont.Weight.DemiBold, "frame": QFont.Weight.DemiBold, "name": QFont.Weight.Medium,
}  # fmt: skip
READABLE = 12
"""The least height of text in pixels on the screen, at any zoom."""


def size_at(style: str, zoom: float) -> int:
    """The height of a style of text in scene units, so that it can be read at this zoom."""
    return max(SIZES[style], math.ceil(READABLE / zoom))


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
def font(style: str, size: int = 0) -> QFont:
    """The font of a style of text, of another ``size`` if one is given."""
    made = QFont()
    made.setPixelSize(size or SIZES[style])
    made.setWeight(WEIGHTS.get(style, QFont.Weight.Normal))
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return made


@cache
def metrics(style: str, size: int = 0) -> QFontMetricsF:
    """The metrics of a style of text."""
    return QFontMetricsF(font(style, size))


@lru_cache(4096)
def elided(style: str, text: str, width: float, size: int = 0) -> str:
    """The text, shortened with an ellipsis where it is wider than ``width``."""
    return metrics(style, size).elidedText(text, Qt.TextElideMode.ElideRight, width)


@lru_cache(4096)
def wrapped(style: str, text: str, width: float, height: float, size: int = 0) -> tuple[str, ...]:
    """The lines of a text that fit into an area; the last one ends in an ellipsis if that is not all."""
    known = metrics(style, size)
    room = max(int((height - known.height()) / known.lineSpacing()) + 1, 1)
    lines = [line for part in text.split("\n") for line in _lines(font(style, size), part, width)]
    if len(lines) <= room:
        return tuple(elided(style, line, width, size) for line in lines)
    rest = " ".join(lines[room - 1 :])
    return (*(elided(style, line, width, size) for line in lines[: room - 1]), _cut(known, rest, width))


def _lines(font: QFont, text: str, width: float) -> list[str]:
    """The lines that a paragraph is broken into."""
    layout = QTextLayout(text, font)
    layout.beginLayout()
    found = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        found.append(text[line.textStart() : line.textStart() + line.textLength()].rstrip())
    layout.endLayout()
    return found or [""]


def _cut(known: QFontMetricsF, text: str, width: float) -> str:
    """The beginning of a text of which more was to follow."""
    return known.elidedText(text + ELLIPSIS, Qt.TextElideMode.ElideRight, width)


def _forget() -> None:
    for made in (colour, mixed, pen, thin, brush):
        made.cache_clear()


theme.changed.connect(_forget)
