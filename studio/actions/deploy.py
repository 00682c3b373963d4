"""Exporting the document in front, and importing what other software has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.actions import action, has_session

if TYPE_CHECKING:
    from studio.window import MainWindow


@action("file.export", "&Export\N{HORIZONTAL ELLIPSIS}", menu="File", section=2, order=1, keys="Ctrl+Shift+E",
        icon="export", toolbar=61, labelled=True, when=has_session)  # fmt: skip
def export(window: MainWindow) -> None:
    """Write the network for other software or a chip, and prove that it does the same there."""
    from studio.deploy.dialog import Deploy  # what it shows takes time to import

    session = window.workspace.current
    if session:
        dialog = Deploy(session, window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


@action("file.import", "&Import\N{HORIZONTAL ELLIPSIS}", menu="File", section=2, order=2, icon="import")
def import_(window: MainWindow) -> None:
    """Open a network of other software (NIR) as a document."""
    window.importer.ask()
