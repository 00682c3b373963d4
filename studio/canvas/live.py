"""What moves on a node while the network runs: a small raster and the rate."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.canvas import style

LEAST_ZOOM = 0.28


class Strip(QGraphicsRectItem):
    """The live area of a population, on top of the node's cached picture so that only it is repainted."""

    def __init__(self, node: QGraphicsItem) -> None:
        super().__init__(node)
        self.rate: float | None = None
        self.raster: QImage | None = None
        self.setPen(Qt.PenStyle.NoPen)

    def place(self, rect: QRectF) -> None:
        """Lie here in the node."""
        self.setRect(rect)

    def display(self, rate: float | None, raster: QImage | None) -> None:
        """Show these from now on."""
        if rate != self.rate or raster is not self.raster:
            self.rate, self.raster = rate, raster
            self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """The raster, and the rate in Hz over its right end."""
        if option.levelOfDetailFromTransform(painter.worldTransform()) < LEAST_ZOOM:
            return
        if self.raster is not None:
            painter.drawImage(self.rect().adjusted(2, 2, -2, -2), self.raster)
        if self.rate is not None:
            self._paint_rate(painter, option.levelOfDetailFromTransform(painter.worldTransform()))

    def _paint_rate(self, painter: QPainter, zoom: float) -> None:
        text = f"{self.rate:.3g} Hz"
        size = style.size_at("info", zoom)
        width, high = style.metrics("info", size).horizontalAdvance(text) + 8, size + 4
        place = QRectF(self.rect().left(), self.rect().top() + 2, self.rect().width() - 4, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.brush("canvas", 200))
        painter.drawRoundedRect(QRectF(place.right() - width + 2, place.top(), width, high), 3, 3)
        painter.setFont(style.font("info", size))
        painter.setPen(style.colour("text"))
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
