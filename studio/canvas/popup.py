"""A small window with a field and a list under it: type a part of a name, Enter takes the marked row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.canvas import shapes, style
from studio.canvas.face import SHAPES
from studio.theme import theme

HEIGHT = 46
ROW = Qt.ItemDataRole.UserRole
MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


@dataclass(frozen=True)
class Row:
    """The shape of a node's ``role``, a title, a word at its right, a line below; ``value``: its meaning."""

    value: Any
    role: str
    title: str
    aside: str
    line: str


class Popup(QFrame):
    """Subclasses say which ``rows`` there are for a text, and what it means to ``take`` one."""

    def __init__(self, parent: QWidget, prompt: str, nothing: str) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.field = QLineEdit(placeholderText=prompt, clearButtonEnabled=True)
        self.list = QListWidget()
        self.below = QHBoxLayout()
        self._nothing = QLabel(nothing, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._lay_out()
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.currentItemChanged.connect(self._on_current)
        self.list.itemClicked.connect(self._take)

    def rows(self, text: str) -> list[Row]:
        """What matches a text, the likeliest first."""
        raise NotImplementedError

    def take(self, value: Any) -> None:
        """A row was chosen."""
        raise NotImplementedError

    def mark(self, value: Any | None) -> None:
        """Another row is marked; None: there is none."""

    def open_at(self, screen: QPoint) -> None:
        """Show everything there is, at a place of the screen or as near as it fits."""
        self._fill("")
        area = self.screen().availableGeometry()
        left = min(max(screen.x(), area.left()), area.right() - self.width())
        self.move(left, min(max(screen.y(), area.top()), area.bottom() - self.height()))
        self.show()
        self.field.setFocus()

    @property
    def marked(self) -> Any | None:
        """What Enter would take."""
        item = self.list.currentItem()
        return item.data(ROW).value if item else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the marked row, Escape closes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take()
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QWidget, event: QKeyEvent) -> bool:  # type: ignore[override]
        """Arrows typed into the field move in the list."""
        if isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress and event.key() in MOVES:
            self.list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        self.list.setItemDelegate(_Painter(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("What matches")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.field.setAccessibleName("Search")
        self.field.setToolTip("Type a part of a name; Enter takes the marked row, Escape closes")
        self.below.addWidget(self.list, 6)
        self.below.addWidget(self._nothing, 6)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addLayout(self.below, 1)

    def _fill(self, text: str) -> None:
        self.list.clear()
        for row in self.rows(text):
            item = QListWidgetItem(row.title, self.list)
            item.setData(ROW, row)
        some = self.list.count() > 0
        self.list.setVisible(some)
        self._nothing.setVisible(not some)
        self.list.setCurrentRow(0)

    def _on_current(self) -> None:
        self.mark(self.marked)

    def _take(self) -> None:
        value = self.marked
        if value is not None:
            self.close()
            self.take(value)


class _Painter(QStyledItemDelegate):
    """Paints rows."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """All rows are of one height."""
        return QSize(200, HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint a row."""
        row: Row = index.data(ROW)
        area = QRectF(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            painter.fillRect(area, theme.colour("accent"))
        _paint_role(painter, row.role, QRectF(area.left() + 8, area.top() + 13, 30, 20))
        _paint_words(painter, row, area.adjusted(48, 5, -8, -5), chosen)
        painter.restore()


def _paint_words(painter: QPainter, row: Row, area: QRectF, chosen: bool) -> None:
    top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
    left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
    aside = style.metrics("info").horizontalAdvance(row.aside) + 8
    painter.setFont(style.font("title"))
    painter.setPen(theme.colour("accent.text" if chosen else "text"))
    painter.drawText(area, top | left, style.elided("title", row.title, area.width() - aside))
    painter.setFont(style.font("info"))
    painter.setPen(theme.colour("accent.text" if chosen else "muted"))
    painter.drawText(area, top | right, row.aside)
    painter.drawText(area, bottom | left, style.elided("info", row.line, area.width()))


def _paint_role(painter: QPainter, role: str, area: QRectF) -> None:
    """The shape that a role has on the canvas, small."""
    coloured, scale = f"role.{ {'offline': 'encoder'}.get(role, role) }", 0.45
    painter.save()
    painter.translate(area.topLeft())
    painter.scale(scale, scale)
    painter.setPen(style.pen(coloured, 3.5))
    painter.setBrush(style.mixed(coloured, "node", 0.3))
    painter.drawPath(shapes.outline(SHAPES.get(role, "plain"), area.width() / scale, area.height() / scale))
    painter.restore()
