"""The table of everything one can do: menus, toolbar, shortcuts page and command palette read it.

An action is a function in a module of this package::

    @action("edit.undo", "Undo", menu="Edit", keys="Ctrl+Z", icon="undo", when=can_undo)
    def undo(window: MainWindow) -> None:
        "Take back the last step."
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from studio import discovery

if TYPE_CHECKING:
    from studio.window import MainWindow

Run = Callable[["MainWindow"], None]
When = Callable[["MainWindow"], bool]


def always(window: MainWindow) -> bool:
    """The condition of an action that is never greyed out."""
    return True


def has_session(window: MainWindow) -> bool:
    """Whether a document is in front."""
    return window.workspace.current is not None


def has_selection(window: MainWindow) -> bool:
    """Whether something is selected in the document in front."""
    return window.workspace.current is not None and bool(window.workspace.current.selection)


@dataclass(frozen=True)
class Action:
    """One thing to do.

    ``menu``: ``File``, ``Edit``, ``View``, ... (empty: only in the palette), with ``section`` separating
    groups within it and ``order`` within those; ``keys``: shortcuts in Qt's portable text, several by
    ``"; "``; ``toolbar``: place in the toolbar (0: not there), ``labelled`` with its title beside its icon;
    ``checked``: for an action that switches something; ``scope``: ``window``, or ``canvas`` where the
    shortcut counts only while the canvas has the focus (keys such as Space or F that a text field needs for
    itself).
    """

    id: str
    title: str
    run: Run
    menu: str = ""
    section: int = 0
    order: int = 0
    keys: str = ""
    icon: str = ""
    toolbar: int = 0
    labelled: bool = False
    when: When = always
    checked: When | None = None
    scope: str = "window"

    @property
    def help(self) -> str:
        """One line of help: the function's docstring."""
        return (self.run.__doc__ or self.title).strip().splitlines()[0]


_found: dict[str, Action] = {}


def action(
    id: str,
    title: str,
    *,
    menu: str = "",
    section: int = 0,
    order: int = 0,
    keys: str = "",
    icon: str = "",
    toolbar: int = 0,
    labelled: bool = False,
    when: When = always,
    checked: When | None = None,
    scope: str = "window",
) -> Callable[[Run], Run]:
    """Declare the decorated function an action; ValueError if the id is taken."""

    def declare(run: Run) -> Run:
        if id in _found:
            raise ValueError(f"the action {id} is declared twice")
        _found[id] = Action(
            id, title, run, menu, section, order, keys, icon, toolbar, labelled, when, checked, scope
        )  # fmt: skip
        return run

    return declare


@cache
def table() -> dict[str, Action]:
    """Every action by id."""
    import studio.actions as package

    discovery.load_all(package)
    return dict(
        sorted(_found.items(), key=lambda item: (item[1].menu, item[1].section, item[1].order, item[0]))
    )
