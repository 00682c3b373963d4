"""The window itself: panels, theme, full screen, welcome page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from studio import panels
from studio.actions import action
from studio.docks import focus
from studio.theme import system_theme, theme

if TYPE_CHECKING:
    from studio.panels import Panel
    from studio.window import MainWindow

MENU = "Window"


@action("window.welcome", "&Welcome page", menu=MENU, section=0, order=1, icon="welcome")
def welcome(window: MainWindow) -> None:
    """Show the welcome page with the gallery."""
    window.tabs.show_welcome()


@action("window.next_tab", "&Next tab", menu=MENU, section=0, order=2, keys="Ctrl+PgDown")
def next_tab(window: MainWindow) -> None:
    """Bring the next tab to the front."""
    window.tabs.setCurrentIndex((window.tabs.currentIndex() + 1) % window.tabs.count())


@action("window.previous_tab", "&Previous tab", menu=MENU, section=0, order=3, keys="Ctrl+PgUp")
def previous_tab(window: MainWindow) -> None:
    """Bring the tab before to the front."""
    window.tabs.setCurrentIndex((window.tabs.currentIndex() - 1) % window.tabs.count())


@action("window.next_part", "Next p&art of the window", menu=MENU, section=0, order=4, keys="F6")
def next_part(window: MainWindow) -> None:
    """Take the keys from canvas to panel to panel, and back to the canvas."""
    _go(window, 1)


@action("window.previous_part", "Previous pa&rt of the window", menu=MENU, section=0, order=5,
        keys="Shift+F6")  # fmt: skip
def previous_part(window: MainWindow) -> None:
    """Take the keys round the parts of the window the other way."""
    _go(window, -1)


def _go(window: MainWindow, step: int) -> None:
    docks = window.docks
    fronts = [panel for id, panel in docks.panels.items() if docks.is_front(id)]
    parts = [window.canvas or window.tabs.welcome, *fronts]
    here = QApplication.focusWidget()
    found = (n for n, part in enumerate(parts) if here and (part is here or part.isAncestorOf(here)))
    focus(parts[(next(found, 0) + step) % len(parts)])


def _declare_toggle(declared: Panel, order: int) -> None:
    @action(
        f"window.panel.{declared.id}",
        declared.title,
        menu=f"{MENU}/Panels",
        order=order,
        keys=f"Alt+{order + 1}",
        icon=declared.icon,
        checked=lambda window: window.docks.is_open(declared.id),
    )
    def toggle(window: MainWindow) -> None:
        window.docks.toggle(declared.id)

    toggle.__doc__ = f"Bring the panel {declared.title} to the front with the keys in it, or close it."


for _order, _declared in enumerate(panels.table().values()):
    _declare_toggle(_declared, _order)


@action("window.reset", "&Reset layout", menu=MENU, section=1, order=2, icon="reset")
def reset(window: MainWindow) -> None:
    """Put every panel back where it was at first."""
    window.docks.reset()


@action("window.full_screen", "&Full screen", menu=MENU, section=1, order=3, keys="F11", icon="fullscreen",
        checked=lambda window: window.isFullScreen())  # fmt: skip
def full_screen(window: MainWindow) -> None:
    """Let the window fill the screen, or give it back."""
    window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)


def _use(window: MainWindow, name: str) -> None:
    window.settings.put("theme", name)
    theme.use(system_theme() if name == "system" else name)


def _chosen(window: MainWindow, name: str) -> bool:
    return window.settings.text("theme", "system") == name


@action("window.theme.dark", "&Dark", menu=f"{MENU}/Theme", section=2, order=1, icon="moon",
        checked=lambda window: _chosen(window, "dark"))  # fmt: skip
def dark(window: MainWindow) -> None:
    """Light text on dark ground."""
    _use(window, "dark")


@action("window.theme.light", "&Light", menu=f"{MENU}/Theme", section=2, order=2, icon="sun",
        checked=lambda window: _chosen(window, "light"))  # fmt: skip
def light(window: MainWindow) -> None:
    """Dark text on light ground."""
    _use(window, "light")


@action("window.theme.system", "&As the system", menu=f"{MENU}/Theme", section=2, order=3, icon="device",
        checked=lambda window: _chosen(window, "system"))  # fmt: skip
def system(window: MainWindow) -> None:
    """Dark or light as the desktop is set."""
    _use(window, "system")


@action("window.preferences", "&Preferences\N{HORIZONTAL ELLIPSIS}", menu="Edit", section=9, order=9,
        keys="Ctrl+,", icon="settings")  # fmt: skip
def preferences(window: MainWindow) -> None:
    """Choose theme, size of text and grid."""
    from studio.dialogs.preferences import Preferences

    Preferences(window).exec()
