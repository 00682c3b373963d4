"""The panels around the canvas: made from the table of panels, laid out by area, remembered."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QScrollArea, QTabWidget, QToolBar, QWidget

from studio import panels
from studio.dock import Dock
from studio.made import made
from studio.panels import Panel
from studio.workspace import Workspace

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
SIZES = {"left": 250, "right": 370, "bottom": 260}
VERSION = 1
"""Of the layout of docks: one that was saved under another is not restored."""


class Docks(QObject):
    """A dock for each panel.  Without a document there is nothing for them to show, and they are put away."""

    def __init__(self, window: QMainWindow, workspace: Workspace) -> None:
        super().__init__(window)
        self.window = window
        self.panels = {id: declared.make(workspace) for id, declared in panels.table().items()}
        self.docks = {id: self._make(declared) for id, declared in panels.table().items()}
        self._away: QByteArray | None = None
        self._fresh = True
        self._arrange()

    def show(self, id: str) -> QWidget:
        """Bring a panel to the front, opening its dock if it is closed; KeyError if there is none."""
        dock = self.docks[id]
        dock.show()
        dock.raise_()
        return self.panels[id]

    def toggle(self, id: str) -> None:
        """Open or close a panel."""
        if self.is_open(id):
            self.docks[id].close()
        else:
            self.show(id)

    def is_open(self, id: str) -> bool:
        """Whether a panel's dock is open, though another may lie on top of it."""
        return id in self.docks and not self.docks[id].isHidden()

    def put_away(self, away: bool) -> None:
        """Hide all docks and bars, or bring back what was shown before."""
        if away and self._away is None:
            self._away = self.window.saveState(VERSION)
            for part in (*self.docks.values(), *self._bars()):
                part.hide()
        elif not away and self._away is not None:
            state, self._away = self._away, None
            self.window.restoreState(state, VERSION)
            if self._fresh:
                self._size()

    def state(self) -> QByteArray:
        """The layout, as it is or as it will be once it is brought back; empty if it never was."""
        if self._fresh:
            return QByteArray()
        return self.window.saveState(VERSION) if self._away is None else self._away

    def restore(self, state: QByteArray) -> None:
        """Take up a layout; one that cannot be read changes nothing."""
        away = self._away is not None
        self.put_away(False)
        self._fresh = not self.window.restoreState(state, VERSION) and self._fresh
        self.put_away(away)

    def reset(self) -> None:
        """Lay the panels out as at the first start."""
        for dock in self.docks.values():
            dock.setFloating(False)
        self._arrange()
        self._size()

    def _bars(self) -> list[QWidget]:
        return list(self.window.findChildren(QToolBar, options=Qt.FindChildOption.FindDirectChildrenOnly))

    def _make(self, declared: Panel) -> QDockWidget:
        panel = self.panels[declared.id]
        dock = made(Dock(declared.title, panel, self.window), objectName=f"dock.{declared.id}")
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        dock.setWidget(_scrolled(panel) if declared.area == "bottom" else panel)
        return dock

    def _arrange(self) -> None:
        self.window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.window.setCorner(Qt.Corner.BottomLeftCorner, AREAS["left"])
        self.window.setCorner(Qt.Corner.BottomRightCorner, AREAS["right"])
        first: dict[str, QDockWidget] = {}
        for id, declared in panels.table().items():
            dock = self.docks[id]
            self.window.addDockWidget(AREAS[declared.area], dock)
            if declared.area in first:
                self.window.tabifyDockWidget(first[declared.area], dock)
            first.setdefault(declared.area, dock)
            dock.setVisible(declared.shown)
        for dock in first.values():
            dock.raise_()

    def _size(self) -> None:
        """Give each area its first size; only a window that is laid out takes it."""
        self._fresh = False
        layout = self.window.layout()
        if layout is not None:
            layout.activate()
        docks = {panels.table()[id].area: dock for id, dock in self.docks.items() if not dock.isHidden()}
        sides = [area for area in ("left", "right") if area in docks]
        sizes = [SIZES[area] for area in sides]
        self.window.resizeDocks([docks[area] for area in sides], sizes, Qt.Orientation.Horizontal)
        if "bottom" in docks:
            self.window.resizeDocks([docks["bottom"]], [SIZES["bottom"]], Qt.Orientation.Vertical)


def _scrolled(panel: QWidget) -> QScrollArea:
    """A wide panel scrolls; all panels of an area would else be as wide as the widest at least."""
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(panel)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
