"""Documents and their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.actions import action, has_session

if TYPE_CHECKING:
    from studio.window import MainWindow


def has_file(window: MainWindow) -> bool:
    """Whether the document in front has been saved before and differs from its file."""
    session = window.workspace.current
    return session is not None and session.path is not None and session.dirty


@action("file.new", "&New", menu="File", order=1, keys="Ctrl+N", icon="new", toolbar=1)
def new(window: MainWindow) -> None:
    """Begin an empty document."""
    window.files.new()


@action(
    "file.open", "&Open\N{HORIZONTAL ELLIPSIS}", menu="File", order=2, keys="Ctrl+O", icon="open", toolbar=2
)
def open_(window: MainWindow) -> None:
    """Open a document from a file."""
    window.files.open_asking()


@action("file.save", "&Save", menu="File", section=1, order=1, keys="Ctrl+S", icon="save", toolbar=3,
        when=has_session)  # fmt: skip
def save(window: MainWindow) -> None:
    """Save the document to its file."""
    if window.workspace.current:
        window.files.save(window.workspace.current)


@action("file.save_as", "Save &as\N{HORIZONTAL ELLIPSIS}", menu="File", section=1, order=2,
        keys="Ctrl+Shift+S", icon="saveas", when=has_session)  # fmt: skip
def save_as(window: MainWindow) -> None:
    """Save the document to a file of another name."""
    if window.workspace.current:
        window.files.save_as(window.workspace.current)


@action("file.revert", "Re&vert to saved", menu="File", section=1, order=3, icon="revert", when=has_file)
def revert(window: MainWindow) -> None:
    """Give up what was changed since the document was saved."""
    if window.workspace.current:
        window.files.revert(window.workspace.current)


@action(
    "file.close",
    "&Close tab",
    menu="File",
    section=90,
    order=1,
    keys="Ctrl+W",
    icon="close",
    when=has_session,
)
def close(window: MainWindow) -> None:
    """Close the document in front."""
    if window.workspace.current:
        window.files.close(window.workspace.current)


@action("file.quit", "&Quit", menu="File", section=90, order=9, keys="Ctrl+Q", icon="quit")
def quit_(window: MainWindow) -> None:
    """Close the window, asking about what is not saved."""
    window.close()
