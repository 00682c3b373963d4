"""A layout that breaks lines like text: as many widgets in a row as fit."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem


class Flow(QLayout):
    """Items keep their size hint; ``gap`` (px) between them."""

    def __init__(self, gap: int = 16) -> None:
        super().__init__()
        self.gap = gap
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:  # Qt's word for taking up a widget
        """Take up another item."""
        self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """The item at an index."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Remove and return the item at an index."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """A narrower flow is a taller one."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of all rows at this width, in px."""
        return max((place.bottom() + 1 for place in self._places(width)), default=0)

    def expandingDirections(self) -> Qt.Orientation:
        """As wide as there is room."""
        return Qt.Orientation.Horizontal

    def sizeHint(self) -> QSize:
        """What one column takes."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """The largest item."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.sizeHint())
        return size

    def setGeometry(self, rect: QRect) -> None:
        """Put the items in their places."""
        super().setGeometry(rect)
        for item, place in zip(self._items, self._places(rect.width()), strict=True):
            item.setGeometry(place.translated(rect.topLeft()))

    def _places(self, width: int) -> list[QRect]:
        places: list[QRect] = []
        x = y = row = 0
        for item in self._items:
            size = item.sizeHint()
            if x and x + size.width() > width:
                x, y, row = 0, y + row + self.gap, 0
            places.append(QRect(QPoint(x, y), size))
            x, row = x + size.width() + self.gap, max(row, size.height())
        return places
