"""The docks around the canvas.  A panel is a widget in a module of this package::

@panel("problems", "Problems", area="right", icon="warning", order=2)
class Problems(QWidget):
    def __init__(self, workspace: Workspace) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from studio import discovery

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from studio.workspace import Workspace

W = TypeVar("W", bound="type[QWidget]")


@dataclass(frozen=True)
class Panel:
    """A dock: ``area`` is ``left``, ``right`` or ``bottom``; ``shown``: whether a new user sees it."""

    id: str
    title: str
    make: Callable[[Workspace], QWidget]
    area: str
    icon: str
    order: int
    shown: bool


_found: dict[str, Panel] = {}


def panel(
    id: str, title: str, *, area: str, icon: str = "", order: int = 0, shown: bool = True
) -> Callable[[W], W]:
    """Declare the decorated widget a panel; ValueError if the id is taken."""

    def declare(widget: W) -> W:
        if id in _found:
            raise ValueError(f"the panel {id} is declared twice")
        _found[id] = Panel(id, title, widget, area, icon, order, shown)
        return widget

    return declare


@cache
def table() -> dict[str, Panel]:
    """Every panel by id, in order."""
    import studio.panels as package

    discovery.load_all(package)
    return dict(sorted(_found.items(), key=lambda item: (item[1].area, item[1].order, item[0])))
