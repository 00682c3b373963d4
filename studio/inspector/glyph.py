"""The small sign of a node's role: its shape on the canvas in its colour."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap

from studio.canvas.face import SHAPES
from studio.canvas.shapes import outline
from studio.theme import theme

WIDTH, HEIGHT = 88.0, 48.0
"""At which outlines are made before they are made small."""


def role_icon(role: str) -> QIcon:
    """The icon of a role (``unknown``: of a type that nobody declares)."""
    return _icon(SHAPES.get(role, "unknown" if role == "unknown" else "plain"), role, theme.name)


@lru_cache(maxsize=128)
def _icon(shape: str, role: str, theme_name: str) -> QIcon:
    icon = QIcon()
    for size in (18, 24, 36, 54, 72):
        icon.addPixmap(_painted(shape, f"role.{role}", size))
        icon.addPixmap(_painted(shape, "accent.text", size), QIcon.Mode.Selected)
    return icon


def _painted(shape: str, colour: str, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scale = (size - 2) / WIDTH
    painter.translate(QPointF(1, (size - HEIGHT * scale) / 2))
    painter.scale(scale, scale)
    painter.setPen(QPen(theme.colour(colour), 6))
    painter.setBrush(theme.colour(colour, 90))
    painter.drawPath(outline(shape, WIDTH, HEIGHT))
    painter.end()
    return pixmap
