"""The shortcuts page: every action by menu, with its keys and what it does."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio import actions
from studio.made import made
from studio.menus import keys_of, menu_order, plain

MOUSE = (
    ("Wheel", "Zoom at the pointer"),
    ("Middle button, or Space and drag", "Move the canvas"),
    ("Double click on the canvas", "Search for a node to add"),
    ("Drag on the canvas", "Select with a box"),
    ("Drag from a port", "Draw a wire; on free canvas, choose what to add"),
    ("Drag a slider", "Change a parameter, live while it runs"),
)


class Shortcuts(QDialog):
    """A table with a line to search in."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shortcuts")
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(940, 680)
        self.line = QLineEdit(placeholderText="Search by name or key", clearButtonEnabled=True)
        self.line.setAccessibleName("Search shortcuts")
        self.tree = made(QTreeWidget(columnCount=3), uniformRowHeights=True)
        self.tree.setHeaderLabels(["Action", "Keys", "What it does"])
        self.tree.setAccessibleName("Shortcuts")
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setStretchLastSection(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (self.line, self.tree, buttons):
            column.addWidget(widget)
        self._fill()
        self.line.textChanged.connect(self.search)
        self.line.setFocus()

    def search(self, typed: str) -> None:
        """Show only rows that have what was typed, and the groups they are in."""
        wanted = typed.casefold().strip()
        for group in self._children(self.tree.invisibleRootItem()):
            for row in self._children(group):
                text = " ".join(row.text(column) for column in range(3)).casefold()
                row.setHidden(wanted not in text)
            group.setHidden(all(row.isHidden() for row in self._children(group)))

    def _fill(self) -> None:
        groups: dict[str, QTreeWidgetItem] = {}
        table = actions.table().values()
        for name in menu_order({declared.menu.partition("/")[0] or "Other" for declared in table}):
            groups[name] = self._group(name)
        for declared in table:
            row = QTreeWidgetItem([plain(declared.title), native(declared), declared.help])
            row.setToolTip(2, declared.help)
            groups[declared.menu.partition("/")[0] or "Other"].addChild(row)
        mouse = self._group("Mouse")
        for what, help in MOUSE:
            mouse.addChild(QTreeWidgetItem([what, "", help]))
        self.tree.expandAll()

    def _group(self, name: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem([name])
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.tree.addTopLevelItem(group)
        group.setFirstColumnSpanned(True)
        return group

    @staticmethod
    def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
        return [child for row in range(item.childCount()) if (child := item.child(row))]


def native(declared: actions.Action) -> str:
    """An action's keys as this system writes them."""
    return ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys_of(declared))
