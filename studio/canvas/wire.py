"""The item of a wire.  The line is painted by Qt itself; head, label and pulses are children of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPainterPathStroker, QPen, QTransform
from PySide6.QtWidgets import QGraphicsPathItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.canvas import shapes, style
from studio.canvas.face import ATTACHED

Z_WIRE, Z_HEAD = 0.0, 0.5
APART = 42.0
CHIP = 180.0
"""How wide the name of what lies outside of the entered group may be."""
DETAIL, LABELS = 0.4, 0.6
"""From which zoom heads and points are shown, and from which labels are."""


@dataclass(frozen=True)
class Look:
    """What a wire shows: its kind, the sign of the projection it leaves (or empty), a label."""

    kind: str
    sign: str = ""
    label: str = ""
    points: tuple[tuple[float, float], ...] = ()
    tip: str = ""
    apart: bool = False
    """Whether its head stands off the port, where other wires arrive too."""
    lane: float | None = None
    """The height at which a wire runs back that closes a loop."""
    leaves: str = ""
    """The side, ``in`` or ``out``, of the port at which it leaves the entered group."""
    outside: str = ""
    """What it leads to out there."""


class WireItem(QGraphicsPathItem):
    """A wire from port to port."""

    def __init__(self, key: str, look: Look) -> None:
        super().__init__()
        self.key, self.look = key, look
        self.start, self.end = QPointF(), QPointF()
        self.selected = self.hovered = self.dimmed = False
        self.level = 0.0
        self._chip, self._area = QRectF(), QRectF()
        self._trim: Trim | None = None
        self._detailed = True
        self.setZValue(Z_WIRE)
        self._restyle()

    @property
    def chip(self) -> QRectF:
        """Where the name of what lies outside of the entered group stands; empty if both ends are inside."""
        return self._chip

    def area(self) -> QRectF:
        """What it takes of the scene."""
        return self._area

    def display(self, look: Look, start: QPointF, end: QPointF) -> None:
        """Run from here to there and look like this from now on."""
        if look == self.look and (start, end) == (self.start, self.end) and not self.path().isEmpty():
            return
        self.look, self.start, self.end = look, start, end
        self.setPath(_route(look, start, end))
        self._chip = _chip_place(look, start, end)
        self._area = self.path().boundingRect().united(self._chip)
        self._fit_trim()
        self._restyle()

    def select(self, selected: bool) -> None:
        """Show whether it is selected."""
        if selected != self.selected:
            self.selected = selected
            self._restyle()

    def hover(self, hovered: bool) -> None:
        """Show whether the pointer is on it."""
        if hovered != self.hovered:
            self.hovered = hovered
            self._restyle()

    def detail(self, detailed: bool) -> None:
        """Show or hide head, points and label, as the zoom allows."""
        self._detailed = detailed
        if self._trim is not None:
            self._trim.setVisible(detailed)

    def glow(self, level: float, pulses: list[float]) -> None:
        """Show the traffic on it: ``level`` 0 to 1, ``pulses`` places along it."""
        level = round(level * 8) / 8
        if level != self.level:
            self.level = level
            self._restyle()
        if pulses or (self._trim is not None and self._trim.pulses):
            self._need_trim().pulse(pulses)

    def refresh(self) -> None:
        """Take the colours of the theme."""
        self._restyle()

    def near(self, at: QPointF, reach: float) -> bool:
        """Whether a point of the scene lies on the wire or not further than ``reach`` beside it."""
        stroker = QPainterPathStroker()
        stroker.setWidth(2 * reach)
        return stroker.createStroke(self.path()).contains(at)

    def _restyle(self) -> None:
        self.setPen(_pen(self))
        self.setZValue(Z_WIRE + (0.2 if self.selected or self.hovered else 0.0))
        if self._trim is not None:
            self._trim.update()

    def _fit_trim(self) -> None:
        if self.look.sign or self.look.label or self.look.points or self.look.outside:
            self._need_trim()
        if self._trim is not None:
            self._trim.fit()

    def _need_trim(self) -> Trim:
        if self._trim is None:
            self._trim = Trim(self)
            self._trim.setVisible(self._detailed)
            self._trim.fit()
        return self._trim


class Trim(QGraphicsRectItem):
    """What a wire wears: the head that tells the sign, reroute points, the delay, travelling spikes."""

    def __init__(self, wire: WireItem) -> None:
        super().__init__(wire)
        self._wire = wire
        self.setPen(Qt.PenStyle.NoPen)
        self.pulses: list[float] = []
        self._label = QRectF()
        self._head = QTransform()

    def fit(self) -> None:
        """Follow the wire's path."""
        path = self._wire.path()
        self._label = _label_place(path, self._wire.look.label)
        around = path.controlPointRect().adjusted(-16, -16, 16, 16).united(self._wire.chip)
        self.setRect(around.united(self.label_at(LABELS)))
        if self._wire.look.sign:
            self._head = _head_place(path, self._wire.look.apart)

    def label_at(self, zoom: float) -> QRectF:
        """Where the delay is written: on the screen as large as at 100 %, where the zoom is less."""
        place = self._label
        if place.isNull() or zoom >= 1:
            return place
        across, down = (side * (1 / zoom - 1) / 2 for side in (place.width(), place.height()))
        return place.adjusted(-across, -down, across, down)

    def pulse(self, pulses: list[float]) -> None:
        """Show spikes at these places along the wire, 0 to 1."""
        if pulses != self.pulses:
            self.pulses = pulses
            self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Head, points, label, pulses."""
        wire, look = self._wire, self._wire.look
        if look.sign:
            self._paint_head(painter, look.sign)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(wire.pen().color())
        for x, y in look.points:
            painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        if self.pulses:
            self._paint_pulses(painter, wire.path())
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        readable = zoom >= LABELS
        if readable and not self._label.isNull():
            self._paint_label(painter, self.label_at(zoom), style.size_at("info", zoom))
        if not wire.chip.isNull():
            self._paint_chip(painter, readable)

    def _paint_pulses(self, painter: QPainter, path: QPainterPath) -> None:
        painter.setBrush(style.brush("text"))
        for place in self.pulses:
            painter.drawEllipse(path.pointAtPercent(min(max(place, 0.0), 1.0)), 3.2, 3.2)

    def _paint_head(self, painter: QPainter, sign: str) -> None:
        if sign == "any":
            painter.setPen(style.pen("kind.current", 2.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        else:
            painter.setPen(style.pen(sign, 1.2))
            painter.setBrush(style.brush(sign))
        painter.save()
        painter.setTransform(self._head, True)
        painter.drawPath(shapes.head(sign))
        painter.restore()

    def _paint_chip(self, painter: QPainter, readable: bool) -> None:
        chip, look = self._wire.chip, self._wire.look
        painter.setPen(style.pen("accent" if self._wire.hovered else f"kind.{look.kind}", 1))
        painter.setBrush(style.brush("panel"))
        painter.drawRoundedRect(chip, 10, 10)
        if readable:
            painter.setPen(style.colour("text"))
            painter.setFont(style.font("info"))
            text = style.elided("info", look.outside, CHIP)
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_label(self, painter: QPainter, place: QRectF, size: int) -> None:
        painter.setPen(style.pen("kind.delays", 1))
        painter.setBrush(style.brush("canvas"))
        painter.drawRoundedRect(place, place.height() / 2, place.height() / 2)
        painter.setPen(style.colour("text"))
        painter.setFont(style.font("info", size))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._wire.look.label)


def _chip_place(look: Look, start: QPointF, end: QPointF) -> QRectF:
    """Beyond the end that is outside of the entered group."""
    if not look.outside:
        return QRectF()
    width = min(style.metrics("info").horizontalAdvance(look.outside), CHIP) + 18
    far = start if look.leaves == "in" else end
    chip = QRectF(0, 0, width, 20)
    chip.moveCenter(far)
    if look.kind in ATTACHED:
        chip.translate(0, 10 if look.leaves == "in" else -10)
    else:
        chip.translate(-width / 2 if look.leaves == "in" else width / 2, 0)
    return chip


def _label_place(path: QPainterPath, label: str) -> QRectF:
    """Where the label is; nowhere if there is none or the wire is too short for it."""
    if not label:
        return QRectF()
    width = style.metrics("info").horizontalAdvance(label) + 10
    if path.length() < width + 40:
        return QRectF()
    middle = path.pointAtPercent(0.5)
    return QRectF(middle.x() - width / 2, middle.y() - 9, width, 18)


def _head_place(path: QPainterPath, apart: bool) -> QTransform:
    """From a head's own coordinates to its place on the wire."""
    length = path.length()
    at = path.percentAtLength(max(length - (APART if apart else shapes.PORT + 1), 0.4 * length))
    place = path.pointAtPercent(at)
    return QTransform.fromTranslate(place.x(), place.y()).rotate(-path.angleAtPercent(at))


def _route(look: Look, start: QPointF, end: QPointF) -> QPainterPath:
    if look.kind in ATTACHED:
        return shapes.attachment_path(start, end, look.points)
    if look.lane is not None and not look.points:
        return shapes.loop_path(start, end, look.lane)
    return shapes.wire_path(start, end, look.points)


def _pen(wire: WireItem) -> QPen:
    line = "dot" if wire.look.kind in ATTACHED else "solid"
    if wire.selected:
        return style.pen("select", 4.0, line)
    role = f"kind.{wire.look.kind}"
    width = 2.0 + (1.5 if wire.hovered else 0.0) + 2.5 * wire.level
    return style.pen(role, width, line, 70 if wire.dimmed else 255 if wire.hovered or wire.level else 215)
