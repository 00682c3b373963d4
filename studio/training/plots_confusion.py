"""The confusion matrix: which class was taken for which."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.plots.base import Table
from studio.theme import theme
from studio.training.plots_base import Panel, columns

MARGIN = 6.0
AXIS = 18.0
"""Room for the name of an axis."""


class Matrix(QWidget):
    """Paints the matrix; a row is a true class, and its cells add up to all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: list[str] = []
        self.counts: list[list[int]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 100)

    def frame(self) -> QRectF:
        """Where the cells lie."""
        room = min(self._longest(), 0.3 * min(self.width(), self.height()))
        left, bottom = room + AXIS + MARGIN, room + AXIS + MARGIN
        side = max(min(self.width() - left - MARGIN, self.height() - bottom - MARGIN), 10.0)
        return QRectF(left, MARGIN, side, side)

    def _longest(self) -> float:
        metrics = QFontMetricsF(self.font())
        return max((metrics.horizontalAdvance(name) for name in self.classes), default=0.0) + 4.0

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cells, the names of the classes and those of the axes."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("canvas"))
        if not self.counts:
            return
        frame = self.frame()
        cell = frame.width() / len(self.counts)
        for row, counts in enumerate(self.counts):
            for column, count in enumerate(counts):
                place = QRectF(frame.x() + column * cell, frame.y() + row * cell, cell, cell)
                painter.fillRect(place, self._shade(count, sum(counts)))
        painter.setPen(theme.colour("border"))
        painter.drawRect(frame)
        self._names(painter, frame, cell)

    def _shade(self, count: int, of: int) -> QColor:
        if not count:
            return theme.colour("field")
        shade = theme.colour("plot.1")
        shade.setAlphaF(0.15 + 0.85 * count / of)
        return shade

    def _names(self, painter: QPainter, frame: QRectF, cell: float) -> None:
        metrics = QFontMetricsF(self.font())
        every = max(1, -int(-metrics.height() // cell))
        room = frame.x() - AXIS - 4.0
        painter.setPen(theme.colour("text"))
        for index in range(0, len(self.classes), every):
            middle = (index + 0.5) * cell
            name = metrics.elidedText(self.classes[index], Qt.TextElideMode.ElideRight, room)
            side = QRectF(AXIS, frame.y() + middle - metrics.height() / 2, room, metrics.height())
            painter.drawText(side, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), name)
            self._turned(painter, QPointF(frame.x() + middle, frame.bottom() + 4.0), name, metrics.height())
        painter.setPen(theme.colour("muted"))
        below = QRectF(frame.x(), self.height() - AXIS, frame.width(), AXIS)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), "answered")
        painter.save()
        painter.translate(0, frame.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-60, 0, 120, AXIS), int(Qt.AlignmentFlag.AlignCenter), "true")
        painter.restore()

    def _turned(self, painter: QPainter, at: QPointF, name: str, height: float) -> None:
        painter.save()
        painter.translate(at)
        painter.rotate(-90)
        alignment = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(-200, -height / 2, 200, height), alignment, name)
        painter.restore()

    def event(self, event: QEvent) -> bool:
        """The tooltip says in words what a cell holds."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def words(self, at: QPointF) -> str:
        """What the cell at a place says; empty beside the cells."""
        frame = self.frame()
        if not self.counts or not frame.contains(at):
            return ""
        cell = frame.width() / len(self.counts)
        row, column = (
            min(int((at.y() - frame.y()) / cell), len(self.counts) - 1),
            min(int((at.x() - frame.x()) / cell), len(self.counts) - 1),
        )
        count, of = self.counts[row][column], sum(self.counts[row])
        return f"{count} of {of} “{self.classes[row]}” were answered “{self.classes[column]}”"


class Confusion(Panel):
    """The confusion matrix of a judged split."""

    body: Matrix

    def __init__(self) -> None:
        super().__init__("Confusion matrix")
        theme.changed.connect(self.body.update)

    def make_body(self) -> QWidget:
        """The matrix."""
        return Matrix()

    def show_counts(self, classes: list[str], counts: list[list[int]]) -> None:
        """Show ``counts[true][answered]``."""
        self.body.classes, self.body.counts = list(map(str, classes)), counts
        self.body.update()

    def data(self) -> Table:
        """A row for each true class."""
        named = zip(self.body.classes, self.body.counts, strict=False)
        return columns(["true, answered", *self.body.classes], [(name, *counts) for name, counts in named])
