"""The small histogram that stands on a projection: its delays, or its weights."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.canvas import style
from studio.sparks import Spark

HEIGHT, INSET = 11.0, 28.0
LEAST_ZOOM = 0.4


class Sparkline(QGraphicsRectItem):
    """Bars that grow from the upper edge of a projection; its own item, so that only it is repainted."""

    def __init__(self, node: QGraphicsItem) -> None:
        super().__init__(node)
        self.spark: Spark | None = None
        self._bars = QPainterPath()
        self.setPen(Qt.PenStyle.NoPen)

    def display(self, spark: Spark | None, width: float) -> None:
        """Show this from now on on a node of this width."""
        place = QRectF(INSET, -HEIGHT - 1, width - 2 * INSET, HEIGHT)
        if (spark, place) != (self.spark, self.rect()):
            self.spark = spark
            self.setRect(place)
            self._bars = _outline(spark, place)
            self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """The bars; from far away nothing."""
        if self.spark is None or option.levelOfDetailFromTransform(painter.worldTransform()) < LEAST_ZOOM:
            return
        role = "kind.delays" if self.spark.what == "delays" else "role.projection"
        painter.fillPath(self._bars, style.brush(role, 200))


def _outline(spark: Spark | None, place: QRectF) -> QPainterPath:
    path = QPainterPath()
    if spark is None:
        return path
    step = place.width() / len(spark.heights)
    for index, height in enumerate(spark.heights):
        if height > 0:
            tall = max(1.5, height * place.height())
            path.addRect(place.left() + index * step, place.bottom() - tall, step - 1, tall)
    return path
