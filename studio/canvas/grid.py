"""The grid behind the drawing."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from studio.canvas import style
from studio.canvas.face import GRID


def draw_grid(painter: QPainter, rect: QRectF, zoom: float) -> None:
    """Its lines in an area of the scene; far from above only every fifth is left."""
    step = GRID * 5 ** max(0, math.ceil(math.log(14 / (GRID * zoom), 5)))
    _draw_lines(painter, rect, step, style.mixed("grid", "canvas", 0.45))
    _draw_lines(painter, rect, 5 * step, style.mixed("grid", "canvas", 0.9))


def _draw_lines(painter: QPainter, rect: QRectF, step: float, colour: QColor) -> None:
    """Lines one pixel wide, as filled rectangles: those are ten times as fast as lines."""
    seen = painter.worldTransform()
    area = seen.mapRect(rect).toAlignedRect()
    zoom, dx, dy = seen.m11(), seen.dx(), seen.dy()
    painter.save()
    painter.resetTransform()
    for column in range(math.floor(rect.left() / step), math.ceil(rect.right() / step) + 1):
        painter.fillRect(round(column * step * zoom + dx), area.top(), 1, area.height(), colour)
    for row in range(math.floor(rect.top() / step), math.ceil(rect.bottom() / step) + 1):
        painter.fillRect(area.left(), round(row * step * zoom + dy), area.width(), 1, colour)
    painter.restore()
