"""Groups: making, folding, entering and taking them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.actions import action
from studio.canvas.shown import is_collapsed
from studio.edits import grouping

if TYPE_CHECKING:
    from studio.session import Session
    from studio.window import MainWindow


def groupable(window: MainWindow) -> bool:
    """Whether nodes or groups are selected."""
    return window.workspace.current is not None and bool(window.workspace.current.selected_nodes)


def has_group(window: MainWindow) -> bool:
    """Whether a group is selected."""
    return bool(chosen_groups(window.workspace.current))


def in_group(window: MainWindow) -> bool:
    """Whether a group is entered."""
    return window.workspace.current is not None and window.workspace.current.scope is not None


def chosen_groups(session: Session | None) -> list[str]:
    """The selected groups."""
    return sorted(session.selection & session.document.groups.keys()) if session else []


@action("group.make", "&Group", menu="Arrange/Group", order=1, keys="Ctrl+G", icon="group", when=groupable)
def make(window: MainWindow) -> None:
    """Put what is selected into a group that shows the ports that wires cross."""
    session = window.workspace.current
    if session is None:
        return

    def change() -> None:
        ops, id = grouping.group(session.document, session.selection)
        if session.edit("Group", ops):
            session.select([id])

    session.attempt(change)


@action(
    "group.undo",
    "&Ungroup",
    menu="Arrange/Group",
    order=2,
    keys="Ctrl+Shift+G",
    icon="ungroup",
    when=has_group,
)
def ungroup(window: MainWindow) -> None:
    """Take the selected groups apart."""
    session = window.workspace.current
    if session is None:
        return

    def change() -> None:
        ops, ids = grouping.ungroup(session.document, chosen_groups(session))
        if session.edit("Ungroup", ops):
            session.select(ids)

    session.attempt(change)


@action(
    "group.fold",
    "&Collapse or expand",
    menu="Arrange/Group",
    section=1,
    order=1,
    keys="Ctrl+E",
    icon="fold",
    when=has_group,
)
def fold(window: MainWindow) -> None:
    """Draw the selected groups as one box each, or show what is inside."""
    session = window.workspace.current
    groups = chosen_groups(session)
    if session is None or not groups:
        return
    folded = not all(is_collapsed(session.document, group) for group in groups)
    ops = [op for group in groups for op in grouping.collapse(session.document, group, folded)]
    session.edit("Collapse" if folded else "Expand", ops)


@action("group.enter", "&Enter", menu="Arrange/Group", section=1, order=2, icon="down", when=has_group,
        scope="canvas")  # fmt: skip
def enter(window: MainWindow) -> None:
    """Show the inside of the selected group."""
    session = window.workspace.current
    if session is not None and has_group(window):
        session.enter(chosen_groups(session)[0])


@action("group.leave", "&Leave", menu="Arrange/Group", section=1, order=3, icon="up", when=in_group)
def leave(window: MainWindow) -> None:
    """Show the group around the one that is entered, or the whole document."""
    session = window.workspace.current
    if session is not None and session.scope is not None:
        session.enter(session.document.groups[session.scope]["parent"])


@action(
    "group.rename",
    "&Rename group",
    menu="Arrange/Group",
    section=2,
    order=1,
    icon="write",
    when=has_group,
)
def rename(window: MainWindow) -> None:
    """Give the selected group another name."""
    from studio.gestures.write import write_in

    canvas = window.canvas
    if canvas is not None and has_group(window):
        write_in(canvas, chosen_groups(canvas.session)[0])
