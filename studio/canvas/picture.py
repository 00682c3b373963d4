"""The drawing as a picture: SVG, or PNG at twice its size."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem

from engine.document.store import put
from studio.canvas import style
from studio.canvas.node import NodeItem
from studio.canvas.scene import CanvasScene

MARGIN = 32.0
SCALE = 2.0
LARGEST = 12_000
"""Pixels along a side of a PNG; a larger drawing is made smaller to fit."""


def export_picture(
    scene: CanvasScene, path: Path, only: Iterable[str] = (), transparent: bool = False
) -> None:
    """Write the drawing, or some of its things, as ``.svg`` or ``.png``; DocumentError if that fails."""
    keys = set(only)
    content = (
        svg(scene, keys, transparent) if path.suffix.lower() == ".svg" else png(scene, keys, transparent)
    )
    put(content, path)


def svg(scene: CanvasScene, only: set[str], transparent: bool) -> bytes:
    """The drawing as an SVG file."""
    area = _area(scene, only)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(area.size().toSize())
    generator.setViewBox(QRectF(0, 0, area.width(), area.height()))
    generator.setTitle(scene.session.title)
    _paint(scene, QPainter(generator), QRectF(0, 0, area.width(), area.height()), area, only, transparent)
    return bytes(buffer.data().data())


def png(scene: CanvasScene, only: set[str], transparent: bool) -> bytes:
    """The drawing as a PNG file."""
    area = _area(scene, only)
    scale = min(SCALE, LARGEST / max(area.width(), area.height()))
    image = QImage(
        QSize(round(area.width() * scale), round(area.height() * scale)), QImage.Format.Format_ARGB32
    )
    image.fill(0)
    _paint(scene, QPainter(image), QRectF(image.rect()), area, only, transparent)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _area(scene: CanvasScene, only: set[str]) -> QRectF:
    area = scene.extent(only or None)
    return area.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)


def _paint(
    scene: CanvasScene, painter: QPainter, target: QRectF, area: QRectF, only: set[str], transparent: bool
) -> None:
    """Render without marks of selection, and without caches made for another zoom."""
    items = scene.items_by_id
    hidden = [item for key, item in items.items() if only and key not in only]
    chosen = [item for item in items.values() if item.selected]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if not transparent:
        painter.fillRect(target, style.brush("canvas"))
    for item in hidden:
        item.setVisible(False)
    for found in chosen:
        found.select(False)
    _cache(scene, QGraphicsItem.CacheMode.NoCache)
    scene.render(painter, target, area)
    painter.end()
    _cache(scene, QGraphicsItem.CacheMode.DeviceCoordinateCache)
    for item in hidden:
        item.setVisible(True)
    for found in chosen:
        found.select(True)


def _cache(scene: CanvasScene, mode: QGraphicsItem.CacheMode) -> None:
    for item in scene.items_by_id.values():
        if isinstance(item, NodeItem):
            item.setCacheMode(mode)
