"""Where networks are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.actions import action
from studio.dialogs.host import Hosts

if TYPE_CHECKING:
    from studio.window import MainWindow


@action("run.hosts", "Other &machines\N{HORIZONTAL ELLIPSIS}", menu="Run", section=8, order=1, icon="device")
def hosts(window: MainWindow) -> None:
    """Add, change or remove machines to compute on by ssh."""
    dialog = Hosts(window.devices, window)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
