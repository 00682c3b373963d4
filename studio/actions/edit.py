"""Undo, the clipboard, deleting, selecting, adding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from studio.actions import action, has_selection
from studio.actions.view import has_canvas
from studio.canvas.search import open_search
from studio.edits import clipboard, remove

if TYPE_CHECKING:
    from studio.window import MainWindow


def can_undo(window: MainWindow) -> bool:
    """Whether there is a step to take back."""
    return window.workspace.current is not None and bool(window.workspace.current.history.done)


def can_redo(window: MainWindow) -> bool:
    """Whether there is a step to repeat."""
    return window.workspace.current is not None and bool(window.workspace.current.history.undone)


@action("edit.undo", "&Undo", menu="Edit", order=1, keys="Ctrl+Z", icon="undo", toolbar=11, when=can_undo)
def undo(window: MainWindow) -> None:
    """Take back the last step."""
    if window.workspace.current:
        window.workspace.current.undo()


@action("edit.redo", "&Redo", menu="Edit", order=2, keys="Ctrl+Shift+Z; Ctrl+Y", icon="redo", toolbar=12,
        when=can_redo)  # fmt: skip
def redo(window: MainWindow) -> None:
    """Repeat the step last taken back."""
    if window.workspace.current:
        window.workspace.current.redo()


@action("edit.cut", "Cu&t", menu="Edit", section=1, order=1, keys="Ctrl+X", icon="cut", when=has_selection,
        scope="canvas")  # fmt: skip
def cut(window: MainWindow) -> None:
    """Copy what is selected, and delete it."""
    session = window.workspace.current
    if session is not None and _copy(window):
        session.edit("Cut", remove.delete(session.document, session.selection))


@action("edit.copy", "&Copy", menu="Edit", section=1, order=2, keys="Ctrl+C", icon="copy", when=has_selection,
        scope="canvas")  # fmt: skip
def copy(window: MainWindow) -> None:
    """Put what is selected on the clipboard, as text that another window or an editor takes."""
    _copy(window)


@action("edit.paste", "&Paste", menu="Edit", section=1, order=3, keys="Ctrl+V", icon="paste", when=has_canvas,
        scope="canvas")  # fmt: skip
def paste(window: MainWindow) -> None:
    """Add what is on the clipboard at the pointer: copied nodes, or the text of a document."""
    canvas = window.canvas
    if canvas is None:
        return
    session, at = canvas.session, canvas.snapped(canvas.pointer_place())
    text = QGuiApplication.clipboard().text()

    def change() -> None:
        ops, ids = clipboard.paste(session.document, text, (at.x(), at.y()), session.scope)
        if session.edit("Paste", ops):
            session.select(ids)

    session.attempt(change)


@action("edit.duplicate", "&Duplicate", menu="Edit", section=1, order=4, keys="Ctrl+D", icon="duplicate",
        when=has_selection, scope="canvas")  # fmt: skip
def duplicate(window: MainWindow) -> None:
    """Make a second one of everything selected."""
    session = window.workspace.current
    if session is None:
        return

    def change() -> None:
        ops, ids = clipboard.duplicate(session.document, session.selection, session.scope)
        if session.edit("Duplicate", ops):
            session.select(ids)

    session.attempt(change)


@action("edit.delete", "De&lete", menu="Edit", section=1, order=5, keys="Del", icon="delete",
        when=has_selection, scope="canvas")  # fmt: skip
def delete(window: MainWindow) -> None:
    """Delete what is selected: nodes with their wires, wires, groups, frames and comments."""
    session = window.workspace.current
    if session is not None:
        session.edit("Delete", remove.delete(session.document, session.selection))


@action("edit.select_all", "Select &all", menu="Edit", section=2, order=1, keys="Ctrl+A", icon="select",
        when=has_canvas, scope="canvas")  # fmt: skip
def select_all(window: MainWindow) -> None:
    """Select everything that is shown."""
    if window.canvas:
        window.canvas.session.select(window.canvas.canvas.items_by_id)


@action("edit.select_none", "Select &nothing", menu="Edit", section=2, order=2, keys="Ctrl+Shift+A",
        icon="clear", when=has_selection, scope="canvas")  # fmt: skip
def select_none(window: MainWindow) -> None:
    """Select nothing."""
    if window.workspace.current:
        window.workspace.current.select(())


@action("edit.find", "&Find node\N{HORIZONTAL ELLIPSIS}", menu="Edit", section=2, order=3, keys="Ctrl+F",
        icon="search", when=has_canvas)  # fmt: skip
def find(window: MainWindow) -> None:
    """Find a node of this document by its name or type, and go there."""
    from studio.canvas.find import open_find

    if window.canvas:
        open_find(window.canvas)


@action("edit.add", "Add n&ode\N{HORIZONTAL ELLIPSIS}", menu="Insert", order=1, keys="Tab; Shift+A",
        icon="add", when=has_canvas, scope="canvas")  # fmt: skip
def add(window: MainWindow) -> None:
    """Search for a node, and add it at the pointer."""
    canvas = window.canvas
    if canvas is not None:
        at = canvas.pointer_place()
        screen = canvas.viewport().mapToGlobal(canvas.mapFromScene(at))
        open_search(canvas, at, screen)


def _copy(window: MainWindow) -> bool:
    """Copy what is selected; False if that is nothing that can be copied."""
    session = window.workspace.current
    text = clipboard.copy(session.document, session.selection) if session else ""
    if session is not None and not text:
        session.refused.emit("Select nodes to copy: a wire alone cannot be pasted anywhere.")
    if text:
        QGuiApplication.clipboard().setText(text)
    return bool(text)
