"""The command palette: some letters find any action, Enter runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QKeySequence, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from studio import actions, fuzzy
from studio.actions import Action
from studio.made import made
from studio.menus import keys_of, plain
from studio.theme import theme

if TYPE_CHECKING:
    from studio.window import MainWindow

WIDTH, HEIGHT, ROW = 620, 420, 28
ID = Qt.ItemDataRole.UserRole
MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class Palette(QDialog):
    """A line to type in, the actions that fit, and what the chosen one does."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.window_, self._blank = window, QIcon(QPixmap(1, 1))
        self.line = QLineEdit(placeholderText="Type what you want to do", clearButtonEnabled=True)
        self.line.setAccessibleName("Command")
        self.list = made(QTreeWidget(columnCount=2), rootIsDecorated=False, uniformRowHeights=True)
        self.list.setHeaderHidden(True)
        self.list.setAccessibleName("Commands that fit")
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.help = made(QLabel(wordWrap=True), minimumHeight=34)
        column = QVBoxLayout(self)
        for widget in (self.line, self.list, self.help):
            column.addWidget(widget)
        self.line.textChanged.connect(self._fill)
        self.line.returnPressed.connect(self._run)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        self.list.currentItemChanged.connect(self._tell)
        self._fill("")

    def popup(self) -> None:
        """Show the palette below the top of its window."""
        window = self.window_
        self.resize(min(WIDTH, window.width() - 40), min(HEIGHT, window.height() - 80))
        corner = window.rect().center() - self.rect().center()
        corner.setY(60)
        self.move(window.mapToGlobal(corner))
        self.show()
        self.line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down move through the list while one types."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in MOVES:
            self.list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def _fill(self, typed: str) -> None:
        self.list.clear()
        fitting = ranked(typed)
        if not typed:
            fitting.sort(key=lambda declared: not declared.when(self.window_))
        items = [self._item(declared) for declared in fitting]
        self.list.addTopLevelItems(items)
        if items:
            self.list.setCurrentItem(items[0])
        else:
            self.help.setText("Nothing fits.  Fewer letters find more.")

    def _item(self, declared: Action) -> QTreeWidgetItem:
        keys = ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys_of(declared))
        item = QTreeWidgetItem([label(declared), keys])
        item.setData(0, ID, declared.id)
        item.setSizeHint(0, QSize(0, ROW))
        item.setIcon(0, theme.icon(declared.icon) if declared.icon else self._blank)
        if not declared.when(self.window_):
            for column in (0, 1):
                item.setForeground(column, theme.colour("disabled"))
        return item

    def _tell(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            declared = actions.table()[item.data(0, ID)]
            possible = declared.when(self.window_)
            self.help.setText(declared.help if possible else f"Not possible now: {declared.help}")

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or not actions.table()[item.data(0, ID)].when(self.window_):
            return
        window, id = self.window_, item.data(0, ID)
        self.close()
        window.run(id)


def label(declared: Action) -> str:
    """An action as ``Menu: Title``."""
    title, menu = plain(declared.title), declared.menu.replace("/", ": ")
    return f"{menu}: {title}" if menu else title


def ranked(typed: str) -> list[Action]:
    """The actions that fit what was typed, best first; all, in the order of the menus, if it is nothing."""
    found = []
    for place, declared in enumerate(actions.table().values()):
        by_title, by_label = (fuzzy.score(typed, text) for text in (plain(declared.title), label(declared)))
        if by_title is not None or by_label is not None:
            best = max((by_title or 0.0) + 1, by_label or 0.0) if by_title is not None else by_label
            found.append((-(best or 0.0) if typed else 0.0, place, declared))
    return [declared for _, _, declared in sorted(found, key=lambda one: one[:2])]
