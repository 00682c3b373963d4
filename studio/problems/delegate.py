"""How a problem is painted: its sign, its sentence, code, nodes and hint, and a button for its fix."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.compile import Diagnostic
from studio.problems.model import PROBLEM, WHERE
from studio.theme import theme

PAD, ICON, GAP = 8, 18, 4
_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
Index = QModelIndex | QPersistentModelIndex


class ProblemDelegate(QStyledItemDelegate):
    """Rows as high as their text; ``fix_wanted`` when the button of a row is clicked."""

    fix_wanted = Signal(object)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As wide as the list and as high as the text."""
        view = self.parent()
        assert isinstance(view, QAbstractItemView)
        width = view.viewport().width()
        return QSize(width - 1, _Row(option, index, QRect(0, 0, width, 0)).height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        row = _Row(option, index, option.rect)
        painter.save()
        painter.setFont(option.font)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, theme.colour("select", 45))
            painter.fillRect(
                QRect(option.rect.topLeft(), QSize(3, option.rect.height())), theme.colour("select")
            )
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, theme.colour("select", 18))
        severity = row.problem.severity
        theme.icon(severity, severity).paint(painter, row.icon)
        painter.setPen(theme.colour("text"))
        painter.drawText(row.sentence, int(_WRAP), row.problem.message)
        painter.setPen(theme.colour("muted"))
        painter.drawText(row.detail, int(_WRAP), row.details)
        if row.problem.fix:
            _paint_button(painter, row.button, row.problem.fix.label)
        painter.restore()

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """A click on the button of a row."""
        row = _Row(option, index, option.rect)
        if row.problem.fix and isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            inside = row.button.contains(event.position().toPoint())
            if inside and event.type() == QEvent.Type.MouseButtonRelease:
                self.fix_wanted.emit(row.problem)
            return inside
        return False

    def button_rect(self, option: QStyleOptionViewItem, index: Index) -> QRect:
        """Where the button of a row is."""
        return _Row(option, index, option.rect).button


class _Row:
    """The rectangles of one row of width ``area``."""

    def __init__(self, option: QStyleOptionViewItem, index: Index, area: QRect) -> None:
        self.problem: Diagnostic = index.data(PROBLEM)
        parts = (self.problem.code, index.data(WHERE), self.problem.at, self.problem.hint)
        self.details = " · ".join(filter(None, parts))
        metrics = QFontMetrics(option.font)
        left = area.left() + PAD + ICON + PAD
        width = area.right() - PAD - left
        self.icon = QRect(area.left() + PAD, area.top() + PAD, ICON, ICON)
        top = area.top() + PAD
        self.sentence = metrics.boundingRect(
            QRect(left, top, width, 10_000), int(_WRAP), self.problem.message
        )
        self.sentence.setWidth(width)
        top = self.sentence.bottom() + GAP
        self.detail = metrics.boundingRect(QRect(left, top, width, 10_000), int(_WRAP), self.details)
        self.detail.setWidth(width)
        top = self.detail.bottom() + GAP
        label = self.problem.fix.label if self.problem.fix else ""
        wide = min(metrics.horizontalAdvance(label) + 24, width)
        self.button = QRect(left, top + 2, wide, metrics.height() + 10 if label else 0)
        self.height = (self.button.bottom() if label else self.detail.bottom()) + PAD - area.top()


def _paint_button(painter: QPainter, rect: QRect, label: str) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.colour("border"))
    painter.setBrush(theme.colour("field"))
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(theme.colour("text"))
    text = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, rect.width() - 16)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
