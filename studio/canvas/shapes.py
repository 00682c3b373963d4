"""Outlines: of nodes by shape, of ports by kind, of a wire's head by sign."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF

from studio.canvas.face import SLANT

PORT = 5.5
"""Half the size of a port."""


@cache
def outline(shape: str, width: float, height: float) -> QPainterPath:
    """The outline of a node."""
    return _OUTLINES.get(shape, _plain)(width, height)


@cache
def port_glyph(kind: str) -> QPainterPath:
    """The mark of a kind around the origin; kinds that are not listed have a ring's circle."""
    return _polygon(_GLYPHS[kind]) if kind in _GLYPHS else _ellipse(PORT)


@cache
def head(sign: str) -> QPainterPath:
    """What a wire from a projection ends in, pointing right with its tip at the origin."""
    if sign == "inhibitory":
        path = QPainterPath()
        path.addRoundedRect(QRectF(-5, -9, 5, 18), 2, 2)
        return path
    if sign == "excitatory":
        return _polygon([(-13, -7), (0, 0), (-13, 7)])
    path = QPainterPath(QPointF(-11, -7))
    path.lineTo(0, 0)
    path.lineTo(-11, 7)
    return path


def wire_path(start: QPointF, end: QPointF, points: tuple[tuple[float, float], ...] = ()) -> QPainterPath:
    """From an output on the right edge, through the reroute points, to an input on the left edge."""
    stops = [start, *(QPointF(x, y) for x, y in points), end]
    path = QPainterPath(start)
    for index, (a, b) in enumerate(pairwise(stops)):
        out = _lead(a, b) if index == 0 else _tangent(stops, index, a, b)
        into = _lead(a, b) if index == len(stops) - 2 else _tangent(stops, index + 1, a, b)
        path.cubicTo(a + out, b - into, b)
    return path


def loop_path(start: QPointF, end: QPointF, lane: float) -> QPainterPath:
    """From an output back to an input that lies to the left of it, by way of a lane at this height."""
    path = QPainterPath(start)
    out, into = _bend(start.y(), lane), _bend(end.y(), lane)
    path.cubicTo(start.x() + out, start.y(), start.x() + out, lane, start.x(), lane)
    path.lineTo(end.x(), lane)
    path.cubicTo(end.x() - into, lane, end.x() - into, end.y(), end.x(), end.y())
    return path


def _bend(y: float, lane: float) -> float:
    return min(max(abs(lane - y) * 0.7, 36.0), 80.0)


def attachment_path(
    start: QPointF, end: QPointF, points: tuple[tuple[float, float], ...] = ()
) -> QPainterPath:
    """From an output on the top edge up to an input on the bottom edge."""
    stops = [start, *(QPointF(x, y) for x, y in points), end]
    path = QPainterPath(start)
    for a, b in pairwise(stops):
        reach = QPointF(0, -max(abs(a.y() - b.y()) / 2, min(40.0, abs(a.x() - b.x()))))
        path.cubicTo(a + reach, b - reach, b)
    return path


def _lead(a: QPointF, b: QPointF) -> QPointF:
    """How far a wire runs straight on at a port: far enough to be seen to turn where it goes back."""
    dx, dy = b.x() - a.x(), b.y() - a.y()
    if dx >= 0:
        return QPointF(max(dx / 2, min(abs(dy), 60.0)), 0)
    return QPointF(min(60 - dx / 4, 240), 0)


def _tangent(stops: list[QPointF], index: int, a: QPointF, b: QPointF) -> QPointF:
    """Level at a reroute point, unless the wire climbs there."""
    along = stops[index + 1] - stops[index - 1]
    if abs(along.y()) < 2 * abs(along.x()):
        along.setY(0)
    length = math.hypot(along.x(), along.y()) or 1.0
    return along * (math.hypot(b.x() - a.x(), b.y() - a.y()) / 2.6 / length)


def _polygon(points: list[tuple[float, float]]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    path.closeSubpath()
    return path


def _ellipse(radius: float) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(), radius, radius)
    return path


def _rounded(width: float, height: float, radius: float) -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, width, height), radius, radius)
    return path


def _plain(width: float, height: float) -> QPainterPath:
    return _rounded(width, height, 3)


def _slant(width: float, height: float) -> QPainterPath:
    return _polygon([(SLANT, 0), (width, 0), (width - SLANT, height), (0, height)])


def _hexagon(width: float, height: float) -> QPainterPath:
    middle = 24.0
    return _polygon(
        [(12, 0), (width - 12, 0), (width, middle), (width - 12, height), (12, height), (0, middle)]
    )


def _octagon(width: float, height: float) -> QPainterPath:
    c = 13.0
    w, h = width, height
    return _polygon([(c, 0), (w - c, 0), (w, c), (w, h - c), (w - c, h), (c, h), (0, h - c), (0, c)])


def _arrow(width: float, height: float) -> QPainterPath:
    return _polygon([(0, 0), (width - 18, 0), (width, 24.0), (width - 18, height), (0, height)])


def _shield(width: float, height: float) -> QPainterPath:
    path = QPainterPath(QPointF(0, 0))
    path.lineTo(width - 30, 0)
    path.cubicTo(width - 12, 0, width, 10, width, 24)
    path.cubicTo(width, height - 12, width - 14, height, width - 30, height)
    path.lineTo(0, height)
    path.closeSubpath()
    return path


def _lens(width: float, height: float) -> QPainterPath:
    path = QPainterPath(QPointF(0, 24))
    path.cubicTo(10, 6, 20, 0, 34, 0)
    path.lineTo(width - 34, 0)
    path.cubicTo(width - 20, 0, width - 10, 6, width, 24)
    path.cubicTo(width - 10, height - 6, width - 20, height, width - 34, height)
    path.lineTo(34, height)
    path.cubicTo(20, height, 10, height - 6, 0, 24)
    path.closeSubpath()
    return path


def _stack(width: float, height: float) -> QPainterPath:
    path = QPainterPath()
    path.moveTo(0, 6)
    path.arcTo(QRectF(0, 0, width, 12), 180, -180)
    path.lineTo(width, height - 6)
    path.arcTo(QRectF(0, height - 12, width, 12), 0, -180)
    path.closeSubpath()
    return path


_OUTLINES = {
    "box": lambda w, h: _rounded(w, h, 9),
    "pill": lambda w, h: _rounded(w, h, min(w, h) / 2),
    "clock": lambda w, h: _rounded(w, h, min(w, h) / 2),
    "unknown": lambda w, h: _rounded(w, h, 6),
    "group": lambda w, h: _rounded(w, h, 5),
    "plain": _plain,
    "slant": _slant,
    "hexagon": _hexagon,
    "octagon": _octagon,
    "arrow": _arrow,
    "shield": _shield,
    "lens": _lens,
    "stack": _stack,
}

_D = PORT * 1.25
_GLYPHS: dict[str, list[tuple[float, float]]] = {
    "current": [(-PORT, -PORT), (PORT, -PORT), (PORT, PORT), (-PORT, PORT)],
    "value": [(0, -_D), (_D, 0), (0, _D), (-_D, 0)],
    "potential": [(-PORT, -_D), (_D, 0), (-PORT, _D)],
    "label": [(-_D, -4), (3, -4), (_D, 0), (3, 4), (-_D, 4)],
    "loss": [
        (_D * math.cos(math.radians(72 * i - 90)), _D * math.sin(math.radians(72 * i - 90))) for i in range(5)
    ],
    "rule": [
        (_D * math.cos(math.radians(45 * i + 22.5)), _D * math.sin(math.radians(45 * i + 22.5)))
        for i in range(8)
    ],
    "delays": [(-_D, -5), (_D, -5), (0, 1), (_D, 5), (-_D, 5), (0, -1)],
    "modulator": [(0, -_D), (_D, _D * 0.8), (-_D, _D * 0.8)],
    "audio": [(-_D, -3), (-2, -3), (_D, -_D), (_D, _D), (-2, 3), (-_D, 3)],
}
