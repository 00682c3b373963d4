"""Plots pinned to the canvas: each beside its node, wherever the canvas is panned and zoomed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPalette
from PySide6.QtWidgets import QFrame, QSizeGrip, QVBoxLayout

from studio.plots import table
from studio.plots.base import Plot
from studio.plots.views import View, change_plot, views
from studio.theme import theme

if TYPE_CHECKING:
    from studio.canvas.view import CanvasView

SIZE = QSize(320, 190)
GAP = 16.0
"""Scene units between a node and its plot."""

LEAST_ZOOM = 0.3
"""Farther out, plots would cover what they belong to."""

MARGIN, STRIDE = 8, 24
"""Pixels to the edge of the view, and between places that are tried."""

HIDDEN = 150
"""To hide a node is as bad as to lie so many pixels farther away."""


class Pin(QFrame):
    """The frame of one pinned plot; drag its header to move it, its corner to resize it."""

    def __init__(self, pins: Pins, plot: Plot) -> None:
        super().__init__(pins.view.viewport())
        self.pins, self.plot = pins, plot
        self.offset: QPointF | None = None
        """Where a plot without a place of its own was put, from its node's corner, in scene units."""
        self._held: QPoint | None = None
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(plot)
        self.grip = QSizeGrip(self)
        self.grip.setFixedSize(14, 14)
        self.grip.installEventFilter(self)
        self.restyle()

    def restyle(self) -> None:
        """The theme is another."""
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, theme.colour("panel"))
        self.setPalette(palette)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remember the size when the corner is let go."""
        if event.type() == QEvent.Type.MouseButtonRelease:
            self.pins.resized(self)
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: object) -> None:
        """The grip keeps to its corner."""
        self.grip.move(self.rect().bottomRight() - QPoint(14, 14))
        self.grip.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = event.position().toPoint()
            self.raise_()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry it."""
        if self._held is not None:
            self.move(self.mapToParent(event.position().toPoint() - self._held))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: an edit."""
        if self._held is not None:
            self._held = None
            self.pins.moved(self)


class Pins(QObject):
    """The pinned views of one canvas."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self.view, self.session = view, view.session
        self.pins: dict[str, Pin] = {}
        self.session.edited.connect(self.refresh)
        self.session.scope_changed.connect(self.follow)
        view.zoom_changed.connect(self.follow)
        view.canvas.changed.connect(self.follow)
        for bar in (view.horizontalScrollBar(), view.verticalScrollBar()):
            bar.valueChanged.connect(self.follow)
        theme.changed.connect(self.restyle)
        self.refresh()

    def refresh(self, edit: object = None) -> None:
        """The pinned views of the document, each in its frame; a new one is brought on screen."""
        wanted = {str(view["id"]): view for view in views(self.session.document) if view.get("pinned")}
        for view_id in [view_id for view_id in self.pins if view_id not in wanted]:
            self._drop(view_id)
        for view_id, view in wanted.items():
            if view_id not in self.pins:
                self._make(view_id, view)
            size = view.get("size") or [SIZE.width(), SIZE.height()]
            self.pins[view_id].resize(int(size[0]), int(size[1]))
        self.follow()

    def follow(self, *_: object) -> None:
        """Keep every plot beside its node."""
        for pin in self.pins.values():
            place = self._place(pin)
            pin.setVisible(place is not None and self.view.zoom >= LEAST_ZOOM)
            if place is not None and place != pin.pos():
                pin.move(place)

    def place_anew(self) -> None:
        """The view is another: find new places for the plots that nobody has put anywhere."""
        for pin in self.pins.values():
            pin.offset = None
        self.follow()

    def moved(self, pin: Pin) -> None:
        """A plot was carried to another place."""
        corner = self.view.mapToScene(pin.pos()) - self._node_rect(pin).topLeft()
        self._change(pin, "Move plot", at=[round(corner.x(), 1), round(corner.y(), 1)])

    def resized(self, pin: Pin) -> None:
        """A plot was drawn larger or smaller."""
        self._change(pin, "Resize plot", size=[pin.width(), pin.height()])

    def restyle(self) -> None:
        """The theme is another."""
        for pin in self.pins.values():
            pin.restyle()

    def release(self) -> None:
        """Take all plots away."""
        for view_id in list(self.pins):
            self._drop(view_id)

    def _change(self, pin: Pin, label: str, **fields: Any) -> None:
        change_plot(self.session, pin.plot.view_id, label, **fields)

    def _make(self, view_id: str, view: View) -> None:
        pin = Pin(self, table()[view["plot"]].make(self.session, view_id))
        pin.resize(SIZE)
        self.pins[view_id] = pin
        pin.raise_()

    def _drop(self, view_id: str) -> None:
        pin = self.pins.pop(view_id)
        pin.plot.release()
        pin.hide()
        pin.setParent(None)
        pin.deleteLater()

    def _node_rect(self, pin: Pin) -> QRectF:
        shown = self.view.canvas.shown.stand_in.get(pin.plot.node, pin.plot.node)
        return self.view.canvas.node_rect(shown)

    def _place(self, pin: Pin) -> QPoint | None:
        """Where a plot lies in the viewport; None while its node is not shown."""
        rect = self._node_rect(pin)
        if rect.isEmpty():
            return None
        at = pin.plot.view.get("at")
        if isinstance(at, list) and len(at) == 2:
            return self.view.mapFromScene(rect.topLeft() + QPointF(*at))
        if pin.offset is None and self.view.isVisible():
            below = self.view.mapFromScene(QPointF(rect.left(), rect.bottom() + GAP))
            pin.offset = self.view.mapToScene(self._free(pin, below)) - rect.topLeft()
        return None if pin.offset is None else self.view.mapFromScene(rect.topLeft() + pin.offset)

    def _free(self, pin: Pin, wanted: QPoint) -> QPoint:
        """The place on screen nearest to the wanted one where the plot hides no other, nor its own node."""
        area = self.view.viewport().rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        taken = [other.geometry() for other in self.pins.values() if other is not pin and other.offset]
        taken += [self.view.mapFromScene(self._node_rect(pin)).boundingRect()]
        taken += [self.view.minimap.geometry()] if self.view.minimap_shown else []
        across = range(area.left(), max(area.right() - pin.width(), area.left()) + 1, STRIDE)
        down = range(area.top(), max(area.bottom() - pin.height(), area.top()) + 1, STRIDE)
        places = [QRect(QPoint(x, y), pin.size()) for x in across for y in down]
        free = [place for place in places if not any(place.intersects(other) for other in taken)]
        nodes = [
            self.view.mapFromScene(self.view.canvas.node_rect(key)) for key in self.session.document.nodes
        ]
        boxes = [node.boundingRect() for node in nodes]

        def cost(place: QRect) -> int:
            hidden = sum(place.intersects(box) for box in boxes)
            return (place.topLeft() - wanted).manhattanLength() + HIDDEN * hidden

        return min(free or places, key=cost).topLeft()
