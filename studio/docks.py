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
SIZES = {"left": (0.16, 190, 250), "right": (0.24, 310, 370), "bottom": (0.31, 210, 320)}
"""At first: the part of the window's width or height that an area has, and from and to how many pixels."""

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
        """Close a panel that is in front; bring another to the front and the keys to it."""
        if self.is_front(id):
            self.docks[id].close()
        else:
            focus(self.show(id))

    def is_front(self, id: str) -> bool:
        """Whether a panel can be seen: it is open, and no other lies on top of it."""
        return not self.docks[id].visibleRegion().isEmpty()

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
        width, height = self.window.width(), self.window.height()
        sizes = [_first(area, width) for area in sides]
        self.window.resizeDocks([docks[area] for area in sides], sizes, Qt.Orientation.Horizontal)
        if "bottom" in docks:
            self.window.resizeDocks([docks["bottom"]], [_first("bottom", height)], Qt.Orientation.Vertical)


def focus(part: QWidget) -> None:
    """Give the keys to the first control of a part of the window, or to the part itself if it takes any."""
    inside = [child for child in part.findChildren(QWidget) if takes_keys(child)]
    for widget in [part] if takes_keys(part) else inside:
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        return


def takes_keys(widget: QWidget) -> bool:
    """Whether something that can be seen and used is reached by Tab; what only scrolls is not."""
    tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and not isinstance(widget, QScrollArea)
    return tab and widget.isEnabled() and widget.isVisible() and widget.focusProxy() is None


def _first(area: str, whole: int) -> int:
    part, low, high = SIZES[area]
    return min(max(round(part * whole), low), high)


def _scrolled(panel: QWidget) -> QScrollArea:
    """A wide panel scrolls; all panels of an area would else be as wide as the widest at least."""
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(panel)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
