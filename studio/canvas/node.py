"""The item of a node or of a collapsed group: painted, without widgets."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.canvas import shapes, style
from studio.canvas.face import Face, Line, PortRef, Socket
from studio.canvas.live import Strip
from studio.canvas.sparkline import Sparkline
from studio.sparks import Spark

Z_NODE = 10.0
MARGIN = 15.0
"""What may be painted around the outline: ports, selection, badges."""

FULL, PORTS, TITLE = 0.95, 0.4, 0.28
"""From which zoom a node shows all its text, its ports, and its title alone."""
_SLANTED = {
    "pill": (9.0, 9.0), "clock": (9.0, 9.0), "slant": (13.0, 13.0), "hexagon": (12.0, 12.0),
    "lens": (14.0, 14.0), "octagon": (8.0, 8.0), "arrow": (4.0, 18.0), "shield": (4.0, 16.0),
    "unknown": (6.0, 6.0),
}  # fmt: skip
"""How far a name keeps from the left and right ends of shapes that are not upright."""


@dataclass(frozen=True)
class Marks:
    """How a node is shown beside what it is.

    ``glyphs``: kind and whether wired of each port; ``problem``: ``error``, ``warning`` or empty.
    """

    role: str = "node"
    glyphs: tuple[tuple[PortRef, str, bool], ...] = ()
    problem: str = ""
    sentences: tuple[str, ...] = ()
    tip: str = ""


class NodeItem(QGraphicsRectItem):
    """A node at its place; it holds what it shows and knows nothing of the document.

    Its rectangle, with all that is painted around the outline, is kept by Qt: asking Python for it would
    take most of the time of a frame.
    """

    def __init__(self, key: str, face: Face, marks: Marks) -> None:
        super().__init__()
        self.key, self.face, self.marks = key, face, marks
        self.selected = self.hovered = False
        self.lit: dict[PortRef, bool] | None = None
        self.hot: PortRef | None = None
        self.strip: Strip | None = None
        self.spark: Sparkline | None = None
        self.setZValue(Z_NODE)
        self.setPen(Qt.PenStyle.NoPen)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._fit()

    def display(self, face: Face, marks: Marks) -> None:
        """Look like this from now on."""
        if face == self.face and marks == self.marks:
            return
        self.face, self.marks = face, marks
        self._fit()
        self.update()

    def select(self, selected: bool) -> None:
        """Show whether it is selected."""
        if selected != self.selected:
            self.selected = selected
            self.update()

    def hover(self, hovered: bool, port: PortRef | None) -> None:
        """Show whether the pointer is on it, and on which port."""
        if (hovered, port) != (self.hovered, self.hot):
            self.hovered, self.hot = hovered, port
            self.update()

    def light(self, lit: dict[PortRef, bool] | None) -> None:
        """While a wire is drawn: let the ports that fit glow and dim the others; None: as always."""
        if lit != self.lit:
            self.lit = lit
            self.setOpacity(1.0 if lit is None or any(lit.values()) else 0.4)
            self.update()

    def show_spark(self, spark: Spark | None) -> None:
        """Show how delays or weights are spread."""
        if self.spark is None and spark is not None:
            self.spark = Sparkline(self)
        if self.spark is not None:
            self.spark.display(spark, self.face.width)

    def area(self) -> QRectF:
        """The node's box in the scene."""
        return QRectF(self.pos().x(), self.pos().y(), self.face.width, self.face.height)

    def shape(self) -> QPainterPath:
        """The outline."""
        return shapes.outline(self.face.shape, self.face.width, self.face.height)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint as much as can be seen at this zoom."""
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        self._paint_body(painter, zoom)
        if zoom < TITLE:
            return
        if zoom < FULL:
            self._paint_title(painter, zoom)
        else:
            self._paint_texts(painter)
        if zoom >= PORTS:
            for socket in self.face.sockets:
                self._paint_socket(painter, socket)
        self._paint_badges(painter)

    def _fit(self) -> None:
        width, height = self.face.width + 2 * MARGIN, self.face.height + 2 * MARGIN
        self.setRect(QRectF(-MARGIN, -MARGIN, width, height))
        if self.face.strip is None:
            return
        if self.strip is None:
            self.strip = Strip(self)
        self.strip.place(QRectF(*self.face.strip))

    def _paint_body(self, painter: QPainter, zoom: float) -> None:
        face, path = self.face, self.shape()
        role = f"role.{self.marks.role}"
        if self.selected or self.marks.problem:
            self._paint_ring(painter, path, zoom)
        muted = face.mode == "mute"
        line = "dash" if muted or face.shape == "unknown" else "solid"
        painter.setPen(style.pen("disabled" if muted else role, 1.6, line))
        share = (0.30 if zoom < TITLE else 0.13) if not muted else 0.0
        painter.setBrush(style.mixed(role, "node", share + (0.06 if self.hovered else 0.0)))
        painter.drawPath(path)
        if face.mode == "bypass":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_hatched())
            painter.drawPath(path)
        if zoom >= TITLE:
            self._paint_details(painter, role, zoom)

    def _paint_ring(self, painter: QPainter, path: QPainterPath, zoom: float) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        wide = max(1.0, 0.5 / zoom)
        if self.marks.problem:
            painter.setPen(style.pen(self.marks.problem, 7 * wide, alpha=150))
            painter.drawPath(path)
        if self.selected:
            painter.setPen(style.pen("select", 5.5 * wide))
            painter.drawPath(path)

    def _paint_details(self, painter: QPainter, role: str, zoom: float) -> None:
        width, height = self.face.width, self.face.height
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(style.pen("disabled" if self.face.mode == "mute" else role, 1.4))
        if self.face.shape == "stack":
            painter.drawArc(QRectF(0, 0, width, 12), 180 * 16, 180 * 16)
        if self.face.shape == "group":
            painter.drawPath(shapes.outline("group", width - 6, height - 6).translated(3, 3))
        if self.face.shape == "clock" and zoom >= FULL:
            _clock(painter, QPointF(20, 24))
        if self.face.shape == "lens" and zoom >= FULL:
            painter.drawEllipse(QPointF(19, 24), 6.5, 6.5)
            painter.setBrush(style.brush(role))
            painter.drawEllipse(QPointF(19, 24), 2.6, 2.6)
        if self.face.strip is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.brush("canvas"))
            strip = QRectF(*self.face.strip)
            painter.drawRoundedRect(strip, 4, 4)
            painter.setPen(style.pen("border", 1))
            painter.drawLine(strip.bottomLeft() + QPointF(6, -8), strip.bottomRight() + QPointF(-6, -8))

    def _paint_texts(self, painter: QPainter) -> None:
        for line in self.face.lines:
            _text(painter, line, self.face.mode == "mute")

    def _paint_title(self, painter: QPainter, zoom: float) -> None:
        """The title alone, 12 pixels high on the screen however far out the zoom is."""
        face = self.face
        size = style.size_at("name", zoom)
        title = next((line.text for line in face.lines if line.style == "title"), "")
        left, right = _SLANTED.get(face.shape, (4.0, 4.0))
        high = (face.strip[1] if face.strip else face.height) - 4
        space = QRectF(left, 2, face.width - left - right, high)
        painter.setFont(style.font("name", size))
        painter.setPen(style.colour("muted" if face.mode == "mute" else "text"))
        lines = style.wrapped("name", title, space.width(), space.height(), size)
        painter.drawText(space, Qt.AlignmentFlag.AlignCenter, "\n".join(lines))

    def _paint_socket(self, painter: QPainter, socket: Socket) -> None:
        kind, wired = self._glyph(socket.ref)
        role = f"kind.{kind}"
        painter.translate(socket.x, socket.y)
        fits = self.lit is None or self.lit.get(socket.ref, False)
        if (self.lit is not None and fits) or self.hot == socket.ref:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.brush(role, 90))
            painter.drawEllipse(QPointF(), 12, 12)
        painter.setPen(style.pen(role, 1.6))
        painter.setBrush(style.brush(role) if wired else style.brush("canvas"))
        painter.setOpacity(1.0 if fits else 0.25)
        painter.drawPath(shapes.port_glyph(kind))
        painter.setOpacity(1.0)
        painter.translate(-socket.x, -socket.y)

    def _glyph(self, ref: PortRef) -> tuple[str, bool]:
        return next(((kind, wired) for port, kind, wired in self.marks.glyphs if port == ref), ("any", False))

    def _paint_badges(self, painter: QPainter) -> None:
        if self.marks.problem:
            _badge(painter, QPointF(self.face.width - 4, 0), self.marks.problem)
        if self.face.note:
            _note(painter, QPointF(10, -4))
        if self.face.mode == "bypass":
            _through(painter, self.face.width)


def _text(painter: QPainter, line: Line, muted: bool) -> None:
    role = {"title": "text", "info": "muted", "port": "muted"}[line.style]
    painter.setFont(style.font(line.style))
    painter.setPen(style.colour("muted" if muted else role))
    side = Qt.AlignmentFlag.AlignRight if line.right else Qt.AlignmentFlag.AlignLeft
    text = style.elided(line.style, line.text, line.width)
    painter.drawText(QRectF(line.x, line.y, line.width, 17), side | Qt.AlignmentFlag.AlignVCenter, text)


def _clock(painter: QPainter, centre: QPointF) -> None:
    painter.drawEllipse(centre, 9, 9)
    painter.drawLine(centre, centre + QPointF(0, -5.5))
    painter.drawLine(centre, centre + QPointF(4, 2.5))


def _badge(painter: QPainter, at: QPointF, severity: str) -> None:
    """A mark in a red disc for an error, a red square for a broken limit, an amber triangle for a warning."""
    path = QPainterPath()
    if severity == "error":
        path.addEllipse(at, 9, 9)
    elif severity == "limit":
        path.addRoundedRect(QRectF(at.x() - 8.5, at.y() - 8.5, 17, 17), 3, 3)
    else:
        path.moveTo(at + QPointF(0, -10))
        path.lineTo(at + QPointF(11, 8))
        path.lineTo(at + QPointF(-11, 8))
        path.closeSubpath()
    painter.setPen(style.pen("canvas", 1.5))
    painter.setBrush(style.brush(severity))
    painter.drawPath(path)
    mark = QPen(style.colour("canvas"), 2.2)
    mark.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(mark)
    painter.drawLine(at + QPointF(0, -4.5), at + QPointF(0, 1))
    painter.drawPoint(at + QPointF(0, 4.8))


def _note(painter: QPainter, at: QPointF) -> None:
    """A sheet of paper: the node has a comment."""
    painter.setPen(style.pen("muted", 1.3))
    painter.setBrush(style.brush("field"))
    painter.drawRect(QRectF(at.x(), at.y(), 12, 14))
    for row in (4, 7, 10):
        painter.drawLine(at + QPointF(3, row), at + QPointF(9, row))


def _through(painter: QPainter, width: float) -> None:
    """The arrow over a bypassed node: signals pass it unchanged."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(style.pen("text", 2, "dash"))
    painter.drawLine(QPointF(10, -6), QPointF(width - 10, -6))
    painter.setPen(style.pen("text", 2))
    painter.drawLine(QPointF(width - 16, -10), QPointF(width - 10, -6))
    painter.drawLine(QPointF(width - 16, -2), QPointF(width - 10, -6))


def _hatched() -> QBrush:
    hatched = QBrush(style.brush("muted", 110))
    hatched.setStyle(Qt.BrushStyle.BDiagPattern)
    return hatched
