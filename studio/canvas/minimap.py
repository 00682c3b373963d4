"""The map in the corner: everything small, and a frame around what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from studio.canvas import style
from studio.canvas.box import BoxItem
from studio.canvas.node import NodeItem
from studio.theme import theme

if TYPE_CHECKING:
    from studio.canvas.view import CanvasView

SIZE = QSize(180, 120)
EDGE = 12


class Minimap(QWidget):
    """Click or drag in it to move the view; it is there only while something lies outside of the view."""

    redrawn = Signal()
    """The map was brought up to date: the extent of the drawing may be another."""

    def __init__(self, view: CanvasView) -> None:
        # A child of the viewport: a sibling above it would make Qt paint everything anew on every scroll.
        super().__init__(view.viewport())
        self._view = view
        self.resize(SIZE)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setToolTip("The whole canvas: click or drag to move there")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._area = QRectF()
        self._wanted = True
        self._map = QPixmap(SIZE)
        self._draw([])
        self._timer = QTimer(self, singleShot=True, interval=150)
        self._timer.timeout.connect(self._redraw)
        view.canvas.arranged.connect(self._ask)
        view.zoom_changed.connect(self.follow)
        theme.changed.connect(self._ask)
        self.hide()
        self._ask()

    @property
    def wanted(self) -> bool:
        """Whether it may be shown at all."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self.follow()

    def take_place(self) -> None:
        """Stay in the lower right corner."""
        around = self._view.viewport().size()
        self.move(around.width() - SIZE.width() - EDGE, around.height() - SIZE.height() - EDGE)

    def follow(self) -> None:
        """The view shows another part."""
        hidden = self._area.isEmpty() or self._view.visible_area().contains(self._area)
        self.setVisible(self._wanted and not hidden)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The nodes as boxes in their roles' colours, and the frame of the view."""
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._map)
        scale = self._scale()
        if not scale:
            return
        painter.setPen(style.pen("accent", 1.5))
        painter.setBrush(style.brush("accent", 26))
        seen = self._mapped(self._view.visible_area(), scale)
        painter.drawRect(seen.intersected(QRectF(self.rect()).adjusted(1, 1, -1.5, -1.5)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        scale = self._scale()
        if scale and event.buttons() & Qt.MouseButton.LeftButton:
            offset = (event.position() - QRectF(self.rect()).center()) / scale
            self._view.centre_on(self._area.center() + offset)

    def _ask(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        items = self._view.canvas.items_by_id.values()
        nodes = [item for item in items if isinstance(item, (NodeItem, BoxItem))]
        nodes.sort(key=lambda item: item.zValue())
        self._area = self._view.canvas.extent()
        self.redrawn.emit()
        self._draw([(item.area(), _role(item)) for item in nodes])
        self.follow()

    def _draw(self, boxes: list[tuple[QRectF, str]]) -> None:
        """Keep the map as a picture: only the frame of the view is painted while panning."""
        ratio = self.devicePixelRatioF()
        self._map = QPixmap(SIZE * ratio)
        self._map.setDevicePixelRatio(ratio)
        painter = QPainter(self._map)
        painter.fillRect(self.rect(), style.brush("border"))
        painter.fillRect(self.rect().adjusted(1, 1, -1, -1), style.brush("panel"))
        scale = self._scale()
        for rect, role in boxes:
            painter.fillRect(self._mapped(rect, scale), style.brush(role, 200))
        painter.end()

    def _scale(self) -> float:
        if self._area.isEmpty():
            return 0.0
        return min((SIZE.width() - 12) / self._area.width(), (SIZE.height() - 12) / self._area.height())

    def _mapped(self, rect: QRectF, scale: float) -> QRectF:
        centre = QRectF(self.rect()).center()
        at: QPointF = (rect.topLeft() - self._area.center()) * scale + centre
        return QRectF(at.x(), at.y(), max(rect.width() * scale, 1.5), max(rect.height() * scale, 1.5))


def _role(item: NodeItem | BoxItem) -> str:
    return f"role.{item.marks.role}" if isinstance(item, NodeItem) else "node.border"
