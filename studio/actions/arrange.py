"""Order on the canvas: aligning, distributing, frames and comments; and modes of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.actions import action, has_selection
from studio.actions.view import has_canvas
from studio.edits import arrange, modes, notes, wiring

if TYPE_CHECKING:
    from studio.session import Session
    from studio.window import MainWindow

EDGES = {
    "left": "&Left edges", "centre": "&Centres", "right": "&Right edges",
    "top": "&Top edges", "middle": "&Middles", "bottom": "&Bottom edges",
}  # fmt: skip


def has_several(window: MainWindow) -> bool:
    """Whether at least two things are selected."""
    return window.workspace.current is not None and len(window.workspace.current.selection) > 1


def has_nodes(window: MainWindow) -> bool:
    """Whether nodes are selected."""
    return window.workspace.current is not None and bool(window.workspace.current.selected_nodes)


def has_wire(window: MainWindow) -> bool:
    """Whether a wire is selected."""
    session = window.workspace.current
    return session is not None and bool(session.selection & session.document.wires.keys())


def has_pair(window: MainWindow) -> bool:
    """Whether exactly two nodes are selected."""
    return window.workspace.current is not None and len(window.workspace.current.selected_nodes) == 2


def muted(window: MainWindow) -> bool:
    """Whether all selected nodes are muted."""
    return _all_in_mode(window.workspace.current, "mute")


def bypassed(window: MainWindow) -> bool:
    """Whether all selected nodes are bypassed."""
    return _all_in_mode(window.workspace.current, "bypass")


def _declare_align(edge: str, title: str, order: int) -> None:
    @action(f"arrange.align_{edge}", title, menu="Arrange/Align", order=order, icon="align", when=has_several)
    def align(window: MainWindow) -> None:
        session = window.workspace.current
        if session is not None:
            session.attempt(
                lambda: session.edit("Align", arrange.align(session.document, session.selection, edge))
            )

    align.__doc__ = f"Bring what is selected onto one line: {title.replace('&', '').lower()}."


for _order, (_edge, _title) in enumerate(EDGES.items()):
    _declare_align(_edge, _title, _order)


@action("arrange.distribute_across", "Distribute &horizontally", menu="Arrange", section=1, order=1,
        icon="distribute", when=has_several)  # fmt: skip
def distribute_across(window: MainWindow) -> None:
    """Leave equal gaps between what is selected, from left to right."""
    _distribute(window.workspace.current, "horizontally")


@action("arrange.distribute_down", "Distribute &vertically", menu="Arrange", section=1, order=2,
        icon="distribute", when=has_several)  # fmt: skip
def distribute_down(window: MainWindow) -> None:
    """Leave equal gaps between what is selected, from top to bottom."""
    _distribute(window.workspace.current, "vertically")


@action("arrange.frame", "&Frame around selection", menu="Insert", section=1, order=2, keys="Ctrl+Shift+F",
        icon="frame", when=has_selection)  # fmt: skip
def frame(window: MainWindow) -> None:
    """Put a titled frame around what is selected; it carries along what lies on it."""
    session = window.workspace.current
    if session is None:
        return

    def change() -> None:
        ops, id = notes.frame(session.document, session.selection, group=session.scope)
        if session.edit("Add frame", ops):
            session.select([id])
            _write(window, id)

    session.attempt(change)


@action("arrange.comment", "&Comment", menu="Insert", section=1, order=1, keys="Ctrl+Shift+C",
        icon="comment", when=has_canvas)  # fmt: skip
def comment(window: MainWindow) -> None:
    """Add a comment at the pointer."""
    canvas = window.canvas
    if canvas is None:
        return
    session, at = canvas.session, canvas.snapped(canvas.pointer_place())
    ops, id = notes.comment(session.document, (at.x(), at.y()), group=session.scope)
    if session.edit("Add comment", ops):
        session.select([id])
        _write(window, id)


@action("node.mute", "&Mute", menu="Node", order=1, keys="Ctrl+M", icon="mute", when=has_nodes, checked=muted)
def mute(window: MainWindow) -> None:
    """Leave the selected nodes out of the network, or take them in again."""
    _toggle(window.workspace.current, "mute")


@action("node.bypass", "&Bypass", menu="Node", order=2, keys="Ctrl+B", icon="bypass", when=has_nodes,
        checked=bypassed)  # fmt: skip
def bypass(window: MainWindow) -> None:
    """Let signals pass the selected nodes as if they were wires, or not any more."""
    _toggle(window.workspace.current, "bypass")


@action("node.dissolve", "&Delete and join its wires", menu="Node", section=1, order=1,
        keys="Alt+Del; Ctrl+Del", icon="delete", when=has_nodes, scope="canvas")  # fmt: skip
def dissolve(window: MainWindow) -> None:
    """Delete the selected nodes and join what fed them to what they fed, where that fits."""
    session = window.workspace.current
    if session is not None:
        label = "Delete and join"
        session.attempt(
            lambda: session.edit(label, wiring.dissolve(session.document, session.selected_nodes))
        )


@action("node.swap", "&Swap two nodes", menu="Node", section=1, order=2, icon="swap", when=has_pair)
def swap(window: MainWindow) -> None:
    """Exchange the places and wires of the two selected nodes."""
    session = window.workspace.current
    if session is not None:
        one, other = session.selected_nodes
        session.attempt(lambda: session.edit("Swap", wiring.swap(session.document, one, other)))


@action("wire.straighten", "&Remove reroute points", menu="Node/Wire", order=1, icon="wire",
        when=has_wire)  # fmt: skip
def straighten(window: MainWindow) -> None:
    """Let the selected wires find their own way again."""
    session = window.workspace.current
    if session is not None:
        session.edit("Remove points", wiring.straighten(session.document, session.selection))


@action("wire.delete", "&Delete wire", menu="Node/Wire", order=2, icon="delete", when=has_wire)
def delete_wire(window: MainWindow) -> None:
    """Delete the selected wires."""
    session = window.workspace.current
    if session is not None:
        session.edit("Delete wire", wiring.delete_wires(session.document, session.selection))


def _write(window: MainWindow, note: str) -> None:
    """Let the user write at once in what was added."""
    from studio.gestures.write import write_in

    if window.canvas:
        write_in(window.canvas, note)


def _distribute(session: Session | None, axis: str) -> None:
    if session is not None:
        session.attempt(
            lambda: session.edit("Distribute", arrange.distribute(session.document, session.selection, axis))
        )


def _toggle(session: Session | None, mode: str) -> None:
    if session is not None:
        label = "Mute" if mode == "mute" else "Bypass"
        session.attempt(
            lambda: session.edit(label, modes.toggle(session.document, session.selected_nodes, mode))
        )


def _all_in_mode(session: Session | None, mode: str) -> bool:
    chosen = session.selected_nodes if session else []
    return bool(chosen) and all(modes.mode_of(session.document, node) == mode for node in chosen)  # type: ignore[union-attr]
