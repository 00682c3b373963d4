"""Items that lie behind the nodes: frames, comments and the frame around an expanded group."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.canvas import style

Z_FRAME, Z_GROUP, Z_COMMENT = -30.0, -20.0, -10.0
TITLE = 26.0
HANDLE = 14.0
ROOMY = 0.9
"""From which zoom text keeps its distance from the border."""


@dataclass(frozen=True)
class Box:
    """``kind`` is ``frame``, ``comment`` or ``group``; ``colour``: a role of the theme."""

    kind: str
    width: float
    height: float
    text: str
    colour: str = "muted"


class BoxItem(QGraphicsItem):
    """A titled area, or a text on a sheet."""

    def __init__(self, key: str, box: Box) -> None:
        super().__init__()
        self.key, self.box = key, box
        self.selected = self.hovered = False
        self._place()

    def display(self, box: Box) -> None:
        """Look like this from now on."""
        if box != self.box:
            self.prepareGeometryChange()
            self.box = box
            self._place()
            self.update()

    def select(self, selected: bool) -> None:
        """Show whether it is selected."""
        if selected != self.selected:
            self.selected = selected
            self.update()

    def hover(self, hovered: bool) -> None:
        """Show whether the pointer is on it."""
        if hovered != self.hovered:
            self.hovered = hovered
            self.update()

    def area(self) -> QRectF:
        """The area in the scene."""
        return QRectF(self.pos().x(), self.pos().y(), self.box.width, self.box.height)

    def title_rect(self) -> QRectF:
        """Where it is taken hold of, in the scene: the title of a frame, all of a comment."""
        rect = self.area()
        return rect if self.box.kind == "comment" else QRectF(rect.x(), rect.y(), rect.width(), TITLE)

    def handle_rect(self) -> QRectF:
        """The corner that resizes it, in the scene."""
        corner = self.area().bottomRight()
        return QRectF(corner.x() - HANDLE, corner.y() - HANDLE, HANDLE + 4, HANDLE + 4)

    def boundingRect(self) -> QRectF:
        """The area with its border."""
        return QRectF(-4, -4, self.box.width + 8, self.box.height + 8)

    def shape(self) -> QPainterPath:
        """Where it can be hit."""
        path = QPainterPath()
        path.addRect(self.title_rect().translated(-self.pos()))
        return path

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """The area, its title or text, and the corner to resize it by."""
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        area = QRectF(0, 0, self.box.width, self.box.height)
        self.paint_area(painter)
        self._paint_text(painter, zoom)
        if self.box.kind != "group" and (self.hovered or self.selected):
            painter.setPen(style.pen(self.box.colour, 1.5))
            for step in (4, 8, 12):
                painter.drawLine(
                    area.bottomRight().toPoint().x() - step, int(area.bottom()) - 2,
                    int(area.right()) - 2, int(area.bottom()) - step,
                )  # fmt: skip

    def paint_area(self, painter: QPainter) -> None:
        """The area without its text."""
        role = self.box.colour
        dashed = "dash" if self.box.kind == "group" else "solid"
        if self.selected:
            painter.setPen(style.pen("select", 2.5))
        elif self.box.kind == "comment":
            painter.setPen(style.pen(role, 1.0, alpha=120 if self.hovered else 0))
        else:
            painter.setPen(style.pen(role, 1.4, dashed, 200 if self.hovered else 130))
        painter.setBrush(style.brush(role, 14 if self.box.kind == "comment" else 22))
        painter.drawRoundedRect(QRectF(0, 0, self.box.width, self.box.height), 8, 8)

    def _paint_text(self, painter: QPainter, zoom: float) -> None:
        """As large as at 100 %, and where that could not be read, larger and shortened."""
        place, size = self._room(zoom), style.size_at(self._style, zoom)
        if self.box.kind != "comment":
            place.setTop(min(place.top(), 4.0))
        painter.setPen(self.text_colour())
        painter.setFont(style.font(self._style, size))
        step = style.metrics(self._style, size).lineSpacing()
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        for row, line in enumerate(self.lines(zoom)):
            painter.drawText(place.translated(0, row * step), int(flags), line)

    def text_colour(self) -> QColor:
        """The colour of title or text."""
        return style.colour("text" if self.box.kind == "comment" else "muted")

    def lines(self, zoom: float) -> tuple[str, ...]:
        """What of the text there is room for at this zoom."""
        area, of = self._room(zoom), self._style
        size = style.size_at(of, zoom)
        if area.height() < 0.8 * size or not self.box.text:
            return ()
        if self.box.kind == "comment":
            return style.wrapped(of, self.box.text, area.width(), area.height(), size)
        return (style.elided(of, self.box.text, area.width(), size),)

    def shortened(self, zoom: float) -> bool:
        """Whether not all of the text is shown at this zoom."""
        return "".join("".join(self.lines(zoom)).split()) != "".join(self.box.text.split())

    @property
    def _style(self) -> str:
        return "note" if self.box.kind == "comment" else "frame"

    def _room(self, zoom: float) -> QRectF:
        """Where text goes: as far from the border as it is at 100 %, or nearer where room is scarce."""
        area = QRectF(0, 0, self.box.width, self.box.height)
        return area.adjusted(12, 9, -12, -9) if zoom >= ROOMY else area.adjusted(8, 3, -8, -3)

    def _place(self) -> None:
        area = min(self.box.width * self.box.height, 1e9)
        level = {"frame": Z_FRAME, "group": Z_GROUP, "comment": Z_COMMENT}[self.box.kind]
        self.setZValue(level - area / 1e9)
