"""A ring that blinks around a port which a problem is about."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QVariantAnimation
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QGraphicsEllipseItem, QGraphicsItem, QGraphicsScene

from studio.theme import theme

RADIUS = 15.0
"""Pixels on the screen, at any zoom."""
BLINK_MS, BLINKS = 450, 4
Z_RING = 60.0


class Ring(QGraphicsEllipseItem):
    """Shown at once; gone after a few blinks, or by ``remove``."""

    def __init__(self, scene: QGraphicsScene, at: QPointF) -> None:
        super().__init__(-RADIUS, -RADIUS, 2 * RADIUS, 2 * RADIUS)
        self.setPen(QPen(theme.colour("error"), 3.5))
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(Z_RING)
        self.setPos(at)
        scene.addItem(self)
        self._blink = QVariantAnimation(scene)
        self._blink.setDuration(BLINK_MS)
        self._blink.setLoopCount(BLINKS)
        self._blink.setStartValue(1.0)
        self._blink.setKeyValueAt(0.6, 0.35)
        self._blink.setEndValue(1.0)
        self._blink.valueChanged.connect(self.setOpacity)
        self._blink.finished.connect(self.remove)
        self._blink.start()

    def remove(self) -> None:
        """Take it off the canvas."""
        if self.scene() is not None:
            self._blink.stop()
            self._blink.deleteLater()
            self.scene().removeItem(self)
