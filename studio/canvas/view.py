"""The view: zoom, pan, switches, grid and what floats above the drawing."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QHelpEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsView, QToolTip, QWidget

from studio import gestures
from studio.canvas import style
from studio.canvas.face import GRID
from studio.canvas.flow import Flow
from studio.canvas.grid import draw_grid
from studio.canvas.hands import Hands
from studio.canvas.hint import Hint
from studio.canvas.minimap import Minimap
from studio.canvas.pins import Pins
from studio.canvas.reveal import scope_of
from studio.canvas.scene import CanvasScene
from studio.canvas.wire import DETAIL
from studio.session import Session
from studio.theme import theme

SMALLEST, LARGEST = 0.04, 4.0
WHEEL = 1.0015
"""Zoom per unit of the wheel: a notch of 120 is a factor of 1.2."""
SMOOTH = 0.25
"""From which zoom lines are smooth; below, there may be thousands of them."""
ROOM = 40.0
"""Free pixels around what is fitted into the view."""
FIT_LARGEST = 1.25


class CanvasView(Hands):
    """One session's canvas.

    ``canvas`` is its scene, ``zoom`` its scale; ``snap``, ``grid`` and ``minimap`` are switches.
    """

    zoom_changed = Signal(float)
    switched = Signal()
    """Grid, snap or minimap was switched."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.canvas = CanvasScene(session)
        self.canvas.setParent(self)
        self.minimap = Minimap(self)
        self.hint = Hint(self)
        self.flow = Flow(self.canvas, self)
        self.setScene(self.canvas)
        self._grid = self._snap = True
        self._fitted = False
        self.gestures = [found(self) for found in gestures.table()]
        self._setup()
        self.pins = Pins(self)
        session.edited.connect(self._on_edited)
        session.scope_changed.connect(self.fit_all)
        self.minimap.redrawn.connect(self._grow)
        theme.changed.connect(self.viewport().update)

    def _setup(self) -> None:
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._grow()

    # Zoom and place

    @property
    def zoom(self) -> float:
        """Pixels per scene unit."""
        return self.transform().m11()

    def set_zoom(self, zoom: float, at: QPoint | None = None) -> None:
        """Zoom to a scale and keep the point of the scene under ``at`` (the middle if None) where it is."""
        place = at or self.viewport().rect().center()
        zoom = min(max(zoom, SMALLEST), LARGEST)
        before = self.mapToScene(place)
        self.resetTransform()
        self.scale(zoom, zoom)
        self._move(before, place)
        self.canvas.zoom = zoom
        self.canvas.set_detail(zoom >= DETAIL)
        self.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= SMOOTH)
        self._looked()
        self.zoom_changed.emit(zoom)

    def zoom_by(self, factor: float, at: QPoint | None = None) -> None:
        """Zoom in or out around a point of the viewport."""
        self.set_zoom(self.zoom * factor, at)

    def pan_by(self, by: QPoint) -> None:
        """Move what is shown by this many pixels."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - by.x())
        down.setValue(down.value() - by.y())

    def centre_on(self, at: QPointF) -> None:
        """Bring a point of the scene to the middle."""
        self._move(at, self.viewport().rect().center())

    def fit_all(self) -> None:
        """Show everything."""
        self.fit(self.canvas.extent())

    def fit_selection(self) -> None:
        """Show what is selected."""
        self.fit(self.canvas.extent(self.session.selection))

    def fit(self, area: QRectF) -> None:
        """Show an area of the scene as large as it fits, but hardly above 100 %."""
        if area.isEmpty():
            self.set_zoom(1.0)
            self.centre_on(area.center())
            return
        space = self.viewport().size()
        across = (space.width() - 2 * ROOM) / area.width()
        down = (space.height() - 2 * ROOM) / area.height()
        self.set_zoom(min(max(min(across, down), SMALLEST), FIT_LARGEST))
        self.centre_on(area.center())

    def reveal(self, keys: Iterable[str]) -> None:
        """Bring nodes into view (a click in a list of problems), entering or leaving groups to do so."""
        keys = list(keys)
        self.session.enter(scope_of(self.session.document, keys, self.session.scope))
        area = self.canvas.extent(self.canvas.shown.stand_in.get(key, key) for key in keys)
        if not area.isEmpty() and not self.visible_area().contains(area):
            self.centre_on(area.center())

    def visible_area(self) -> QRectF:
        """The part of the scene that is seen."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def pointer_place(self) -> QPointF:
        """Where in the scene the pointer is, or was when a menu opened; else the middle of the view."""
        if self._asked is not None:
            return self._asked.scene
        at = self.viewport().mapFromGlobal(QCursor.pos())
        inside = self.viewport().rect().contains(at)
        return self.mapToScene(at if inside else self.viewport().rect().center())

    def _move(self, point: QPointF, place: QPoint) -> None:
        """Scroll so that a point of the scene is at a place of the viewport."""
        now = self.mapFromScene(point)
        self.pan_by(place - now)

    def _grow(self) -> None:
        """Leave room on all sides, so that panning never stops at the last node."""
        area = self.canvas.extent()
        room = 4000.0
        wanted = area.adjusted(-room, -room, room, room)
        if not self.sceneRect().contains(area.adjusted(-room / 2, -room / 2, room / 2, room / 2)):
            self.setSceneRect(wanted)

    # Switches

    @property
    def grid(self) -> bool:
        """Whether the grid is drawn."""
        return self._grid

    @grid.setter
    def grid(self, drawn: bool) -> None:
        self._grid = drawn
        self.viewport().update()
        self.switched.emit()

    @property
    def snap(self) -> bool:
        """Whether what is moved snaps to the grid and to its neighbours."""
        return self._snap

    @snap.setter
    def snap(self, snapping: bool) -> None:
        self._snap = snapping
        self.switched.emit()

    @property
    def minimap_shown(self) -> bool:
        """Whether there is a map in the corner where not everything is seen."""
        return self.minimap.wanted

    @minimap_shown.setter
    def minimap_shown(self, shown: bool) -> None:
        self.minimap.wanted = shown
        self.switched.emit()

    def snapped(self, at: QPointF) -> QPointF:
        """The nearest point of the grid, or the point itself where nothing snaps."""
        if not self._snap:
            return at
        return QPointF(round(at.x() / GRID) * GRID, round(at.y() / GRID) * GRID)

    # Painting

    def drawBackground(self, painter: QPainter, rect: QRectF | object) -> None:
        """The canvas and its grid, of which far from above only every fifth line is left."""
        assert isinstance(rect, QRectF)
        painter.fillRect(rect, style.brush("canvas"))
        if self._grid:
            draw_grid(painter, rect, self.zoom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show everything at the first size, and keep the minimap in its corner."""
        super().resizeEvent(event)
        self.minimap.take_place()
        self.hint.take_place()
        self._looked()
        if not self._fitted and self.isVisible():
            self._fitted = True
            self.fit_all()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Scroll, and let the minimap follow."""
        super().scrollContentsBy(dx, dy)
        self.minimap.take_place()
        self.hint.take_place()
        self._looked()

    def _looked(self) -> None:
        """Another part of the scene is seen."""
        self.minimap.follow()
        self.flow.look_at(self.visible_area())

    # Events of its own

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer; with Shift or Alt, or sideways, pan."""
        delta = event.angleDelta()
        sideways = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
        if sideways or not delta.y():
            self.pan_by(QPoint(delta.x() or delta.y(), 0) / 2)
        else:
            self.zoom_by(WHEEL ** delta.y(), event.position().toPoint())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips and the pinch of a touchpad."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.canvas.tip_at(self.mapToScene(event.pos())), self)
            return True
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom_by(1 + event.value(), event.position().toPoint())
            return True
        if event.type() == QEvent.Type.Leave and not self.busy:
            self.canvas.hover_at(None)
        return super().viewportEvent(event)

    def _on_edited(self) -> None:
        self.cancel_gesture()
