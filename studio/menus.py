"""Menus, toolbar and shortcuts of a window, all made from the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton, QWidget

from studio import actions
from studio.actions import Action
from studio.made import made
from studio.theme import theme

if TYPE_CHECKING:
    from studio.window import MainWindow

FIRST, LAST = ("File", "Edit", "View", "Insert", "Arrange", "Run", "Train"), ("Window", "Help")
"""Menus have their usual places; others stand between these."""

GAP = 10
"""Toolbar places of different tens are parted by a line."""


def plain(title: str) -> str:
    """A title without the marks of its mnemonic and of a dialog that follows."""
    return title.replace("&", "").rstrip("\N{HORIZONTAL ELLIPSIS}")


def menu_order(names: set[str]) -> list[str]:
    """Menus in their usual order."""
    middle = sorted(names - {*FIRST, *LAST})
    return [name for name in (*FIRST, *middle, *LAST) if name in names]


def keys_of(declared: Action) -> list[QKeySequence]:
    """The shortcuts of an action."""
    return QKeySequence.listFromString(declared.keys) if declared.keys else []


class Menus(QObject):
    """Every action of the table as a QAction of one window, enabled and checked by the table's conditions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.actions = {id: self._make(declared) for id, declared in actions.table().items()}
        self.menus: dict[str, QMenu] = {}
        self.toolbar = made(QToolBar("Toolbar", window, movable=False), objectName="toolbar")
        self.toolbar.setIconSize(QSize(20, 20))
        self._fill_menus()
        self._fill_toolbar()
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def run(self, id: str) -> None:
        """Do what the action says, unless it is greyed out now; an error is a line of the log."""
        declared = actions.table()[id]
        if declared.when(self.window):
            declared.run(self.window)
        self.refresh()

    def refresh(self) -> None:
        """Enable and check the actions as things stand now."""
        if not shiboken6.isValid(self.window):
            return  # A dock tells of its end while the window is taken down.
        table = actions.table()
        for id, entry in self.actions.items():
            declared = table[id]
            entry.setEnabled(declared.when(self.window))
            if declared.checked:
                entry.setChecked(declared.checked(self.window))

    def lend(self, canvas: QWidget) -> None:
        """Let the shortcuts that count only on a canvas count on this one."""
        table = actions.table()
        canvas.addActions([entry for id, entry in self.actions.items() if table[id].scope == "canvas"])

    def add(self, menu: str, inner: QMenu, before: str) -> None:
        """Put a menu of its own making into a menu, ahead of the separator before an action."""
        lines = self.menus[menu].actions()
        place = lines.index(self.actions[before])
        self.menus[menu].insertMenu(
            lines[place - 1] if lines[place - 1].isSeparator() else lines[place], inner
        )

    def _make(self, declared: Action) -> QAction:
        entry = QAction(declared.title, self.window, checkable=declared.checked is not None)
        entry.setShortcuts(keys_of(declared))
        if declared.scope == "canvas":
            entry.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        else:
            self.window.addAction(entry)
        native = ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys_of(declared))
        entry.setToolTip(f"{declared.help}  ({native})" if native else declared.help)
        entry.setStatusTip(declared.help)
        entry.triggered.connect(lambda: self.run(declared.id))
        return entry

    def _fill_menus(self) -> None:
        shown = [declared for declared in actions.table().values() if declared.menu]
        names = {declared.menu.partition("/")[0] for declared in shown}
        for name in menu_order(names):
            self.menus[name] = self.window.menuBar().addMenu(f"&{name}")
            self.menus[name].setToolTipsVisible(True)
            self.menus[name].aboutToShow.connect(self.refresh)
        last: dict[str, int] = {}
        for declared in shown:
            name = declared.menu
            menu = self._menu(name)
            if declared.section != last.setdefault(name, declared.section):
                menu.addSeparator()
            last[name] = declared.section
            menu.addAction(self.actions[declared.id])

    def _menu(self, name: str) -> QMenu:
        """The menu called ``File``, or the one within it called ``File/Open recent``."""
        if name not in self.menus:
            outer, _, inner = name.rpartition("/")
            self.menus[name] = self._menu(outer).addMenu(inner)
        return self.menus[name]

    def _fill_toolbar(self) -> None:
        placed = sorted((found.toolbar, id) for id, found in actions.table().items() if found.toolbar)
        for (before, _), (place, id) in zip([(0, ""), *placed], placed, strict=False):
            if before and place // GAP != before // GAP:
                self.toolbar.addSeparator()
            self.toolbar.addAction(self.actions[id])
            if actions.table()[id].labelled:
                self._label(self.actions[id], id)
        self.window.addToolBar(self.toolbar)

    def _label(self, entry: QAction, id: str) -> None:
        """Say in words what a button of the toolbar does: what a beginner must find."""
        button = self.toolbar.widgetForAction(entry)
        if isinstance(button, QToolButton):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setObjectName(id.replace(".", "_"))

    def _draw_icons(self) -> None:
        for id, entry in self.actions.items():
            name = actions.table()[id].icon
            if name:
                entry.setIcon(theme.icon(name))
