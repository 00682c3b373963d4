"""A project of the gallery as a card: picture, title, a few words and tags; a click opens it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QTextLayout,
)
from PySide6.QtWidgets import QAbstractButton, QWidget

from studio.gallery import Project
from studio.theme import theme

WIDTH, PAD, RADIUS = 292, 14, 10
PICTURE = QRectF(1, 1, WIDTH - 2, (WIDTH - 2) * 300 / 480)
LINES = 5
"""Of title and words together."""


class Card(QAbstractButton):
    """Painted; a button to mouse, keyboard and screen reader."""

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self._picture = QPixmap(str(project.thumbnail))
        self.setText(project.title)
        self.setAccessibleDescription(f"{project.words} ({', '.join(project.tags)})")
        self.setToolTip(f"Open a copy of {project.title}\n{project.path}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Picture, title, some lines of words, tags."""
        line = QFontMetricsF(self.font()).lineSpacing()
        words = 2 * QFontMetricsF(self._title_font()).lineSpacing() + (LINES - 2 + 1) * line
        return QSize(WIDTH, round(PICTURE.height() + words + 3 * PAD + 4))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, like Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        lit = self.hasFocus() or self.underMouse()
        painter.fillPath(shape, theme.colour("hover" if self.isDown() else "panel"))
        self._paint_picture(painter, shape)
        painter.setPen(QPen(theme.colour("accent" if lit else "border"), 2 if lit else 1))
        painter.drawPath(shape)
        self._paint_words(painter)
        painter.end()

    def _paint_picture(self, painter: QPainter, shape: QPainterPath) -> None:
        painter.save()
        painter.setClipPath(shape)
        if self._picture.isNull():
            painter.fillRect(PICTURE, theme.colour("canvas"))
        else:
            painter.drawPixmap(PICTURE, self._picture, QRectF(self._picture.rect()))
        painter.restore()

    def _paint_words(self, painter: QPainter) -> None:
        y = PICTURE.bottom() + PAD * 0.8
        title = elided_lines(self.project.title, self._title_font(), WIDTH - 2 * PAD, 2)
        y = self._paint_lines(painter, title, self._title_font(), "text", y) + PAD * 0.3
        words = elided_lines(self.project.words, self.font(), WIDTH - 2 * PAD, LINES - len(title))
        self._paint_lines(painter, words, self.font(), "muted", y)
        self._paint_tags(painter, self.height() - PAD * 0.8, QFontMetricsF(self.font()))

    def _paint_lines(self, painter: QPainter, lines: list[str], font: QFont, role: str, y: float) -> float:
        """Draw lines from ``y`` on; where the next would stand."""
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(theme.colour(role))
        for line in lines:
            painter.drawText(QPointF(PAD, y + metrics.ascent()), line)
            y += metrics.lineSpacing()
        return y

    def _paint_tags(self, painter: QPainter, bottom: float, text: QFontMetricsF) -> None:
        painter.setFont(self.font())
        x, height = float(PAD), text.height() + 4
        for tag in self.project.tags:
            place = QRectF(x, bottom - height, text.horizontalAdvance(tag) + 16, height)
            painter.setPen(QPen(theme.colour("border"), 1))
            painter.setBrush(theme.colour("field"))
            painter.drawRoundedRect(place, height / 2, height / 2)
            painter.setPen(theme.colour("text"))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tag)
            x += place.width() + 6

    def _title_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.15)
        font.setWeight(QFont.Weight.DemiBold)
        return font


def elided_lines(text: str, font: QFont, width: float, most: int) -> list[str]:
    """Text in at most so many lines of a width (px), with an ellipsis where something is left out."""
    layout = QTextLayout(text, font)
    layout.beginLayout()
    starts: list[int] = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        starts.append(line.textStart())
    layout.endLayout()
    lines = [text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    if len(lines) > most:
        rest = text[starts[most - 1] :]
        lines[most - 1 :] = [QFontMetricsF(font).elidedText(rest, Qt.TextElideMode.ElideRight, width)]
    return lines
