"""The tree of node types: categories that fold, and entries to drag."""

from __future__ import annotations

import html

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem, QWidget

from nodes import registry
from nodes.spec import Spec
from studio.inspector.glyph import role_icon
from studio.inspector.words import documentation, summary
from studio.theme import theme

MIME = "application/x-myelin-node"
ORDER = (
    "Populations", "Projections", "Delays", "Plasticity", "Encoders", "Data sets", "Structure", "Readouts",
    "Losses", "Probes",
)  # fmt: skip
"""Categories in the order of drawing; others follow by name."""
TYPE = int(Qt.ItemDataRole.UserRole)


class LibraryTree(QTreeWidget):
    """``wanted`` is the type of the entry that was double-clicked or entered."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(1)
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setIconSize(QSize(20, 20))
        self.setUniformRowHeights(True)
        self.setAnimated(False)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Node types")
        self._folded: set[str] = set()
        self._showing = False
        self.itemCollapsed.connect(self._on_folded)
        self.itemExpanded.connect(self._on_folded)
        self.itemDoubleClicked.connect(self._on_double_clicked)

    def show_groups(self, groups: dict[str, list[Spec]], favourites: list[str], opened: bool = False) -> None:
        """Show these types under these titles; what was folded stays so unless all are ``opened``."""
        current, self._showing = self.chosen(), True
        self.clear()
        for title, specs in groups.items():
            head = QTreeWidgetItem(self, [title])
            head.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            font = head.font(0)
            font.setBold(True)
            head.setFont(0, font)
            entries = [_entry(spec, spec.type in favourites) for spec in specs]
            head.addChildren(entries)
            head.setExpanded(opened or title not in self._folded)
            again = next((entry for entry in entries if entry.data(0, TYPE) == current), None)
            if again is not None and head.isExpanded() and self.currentItem() is None:
                self.setCurrentItem(again)
        self._showing = False

    def _on_folded(self, head: QTreeWidgetItem) -> None:
        if not self._showing:
            (self._folded.discard if head.isExpanded() else self._folded.add)(head.text(0))

    def chosen(self) -> str:
        """The type of the current entry, or nothing."""
        item = self.currentItem()
        return str(item.data(0, TYPE) or "") if item else ""

    def first(self) -> None:
        """Go to the first entry."""
        head = self.topLevelItem(0)
        entry = head.child(0) if head is not None else None
        if entry is not None:
            self.setCurrentItem(entry)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter adds, or folds a category."""
        item = self.currentItem()
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or item is None:
            super().keyPressEvent(event)
        elif self.chosen():
            self.wanted.emit(self.chosen())
        else:
            item.setExpanded(not item.isExpanded())

    def mimeData(self, items: list[QTreeWidgetItem]) -> QMimeData:  # type: ignore[override]
        """The type of an entry, as the canvas takes it and as text."""
        data = QMimeData()
        type = next((str(item.data(0, TYPE)) for item in items if item.data(0, TYPE)), "")
        if type:
            data.setData(MIME, type.encode())
            data.setText(type)
        return data

    def startDrag(self, actions: Qt.DropAction) -> None:
        """Drag the current entry, a picture of it under the pointer."""
        spec = registry.get(self.chosen())
        if spec is None:
            return
        drag = QDrag(self)
        drag.setMimeData(self.mimeData(self.selectedItems()))
        drag.setPixmap(self._picture(spec))
        drag.setHotSpot(QPoint(14, 14))
        drag.exec(Qt.DropAction.CopyAction)

    def _picture(self, spec: Spec) -> QPixmap:
        ratio, margin = self.devicePixelRatioF(), 30
        size = QSize(self.fontMetrics().horizontalAdvance(spec.label) + margin + 12, 28)
        picture = QPixmap(size * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(theme.colour("node"))
        painter = QPainter(picture)
        painter.setFont(self.font())
        painter.setPen(theme.colour(f"role.{spec.role}"))
        painter.drawRect(0, 0, size.width() - 1, size.height() - 1)
        role_icon(spec.role).paint(painter, 6, 4, 20, 20)
        painter.setPen(theme.colour("text"))
        painter.drawText(margin, 0, size.width(), size.height(), Qt.AlignmentFlag.AlignVCenter, spec.label)
        painter.end()
        return picture

    def _on_double_clicked(self, item: QTreeWidgetItem) -> None:
        if item.data(0, TYPE):
            self.wanted.emit(str(item.data(0, TYPE)))


def by_category(specs: list[Spec]) -> dict[str, list[Spec]]:
    """Types under their categories, in the order of drawing."""
    groups: dict[str, list[Spec]] = {}
    for spec in sorted(specs, key=lambda spec: (_place(spec.category), spec.category, spec.label.lower())):
        groups.setdefault(spec.category, []).append(spec)
    return groups


def _place(category: str) -> int:
    return ORDER.index(category) if category in ORDER else len(ORDER)


def _entry(spec: Spec, favourite: bool) -> QTreeWidgetItem:
    item = QTreeWidgetItem([f"{spec.label}  ★" if favourite else spec.label])
    item.setIcon(0, role_icon(spec.role))
    item.setData(0, TYPE, spec.type)
    item.setToolTip(0, f"<b>{html.escape(spec.label)}</b><br>{html.escape(summary(spec))}."
                       "<br><i>Drag onto the canvas, or double-click</i>")  # fmt: skip
    item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{spec.label}: {summary(spec)}")
    return item


def help_text(spec: Spec) -> str:
    """Everything the declaration says of a type, in HTML."""
    paragraphs = documentation(spec).split("\n\n")
    body = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    rows = "".join(
        f"<tr><td><b>{html.escape(name)}</b>&nbsp;&nbsp;</td><td>{html.escape(param.doc)}"
        f"{html.escape(f' ({param.unit})' if param.unit else '')}</td></tr>"
        for name, param in spec.params.items()
    )
    return f"<h3>{html.escape(spec.label)}</h3>{body}<table>{rows}</table>"
