"""Help: keys, palette, where the words are explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from studio import places
from studio.actions import action

if TYPE_CHECKING:
    from studio.window import MainWindow


@action("help.palette", "&Command palette\N{HORIZONTAL ELLIPSIS}", menu="Help", order=1,
        keys="Ctrl+Shift+P; F1", icon="palette")  # fmt: skip
def palette(window: MainWindow) -> None:
    """Find and run any action by some letters of its name."""
    from studio.dialogs.palette import Palette

    Palette(window).popup()


@action("help.shortcuts", "&Keyboard shortcuts", menu="Help", order=2, keys="?", icon="keyboard")
def shortcuts(window: MainWindow) -> None:
    """List every action with its keys."""
    from studio.dialogs.shortcuts import Shortcuts

    Shortcuts(window).exec()


@action("help.folder", "Open &help folder", menu="Help", section=1, order=1, icon="folder")
def folder(window: MainWindow) -> None:
    """Open the folder with help pages in the system's file manager."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(places.HELP))):
        window.workspace.message.emit(f"The help pages lie in {places.HELP}")


@action("help.about", "&About Myelin Studio", menu="Help", section=2, order=1, icon="info")
def about(window: MainWindow) -> None:
    """Versions of Myelin and of what it is made with."""
    from studio.dialogs.about import About

    About(window).exec()
