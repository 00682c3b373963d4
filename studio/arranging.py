"""Laying a document out: at once where it is quick, else beside the window's thread."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor

from PySide6.QtCore import QObject, QTimer, Signal

from studio.canvas.layout import Layout, auto_layout, layout_ops, missing_layout
from studio.session import Session

QUICK = 200
"""Up to so many nodes a layout takes less than 50 ms."""
LOOK_MS = 20


def lay_out_missing(session: Session) -> None:
    """Give a place to the nodes that have none, as those of a document that a script has written.

    It is a step that can be undone, but nothing that one has to be asked about when the document is closed.
    """
    ops, dirty = layout_ops(session.document, missing_layout(session.document)), session.dirty
    if ops and session.edit("Lay out", ops) and not dirty:
        session.history.mark_saved()


class Arranging(QObject):
    """One auto-layout of all nodes, or of some; it deletes itself when it is done."""

    done = Signal()
    """The edit was made, or there was nothing left to lay out."""

    def __init__(self, session: Session, only: Collection[str] | None = None) -> None:
        super().__init__(session)
        self._session, self._only = session, only
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._future: Future[Layout] = Future()

    def start(self) -> None:
        """Begin; a small layout is done at once."""
        document = self._session.document
        count = len(document.nodes) if self._only is None else len(self._only)
        if count <= QUICK:
            self._finish(auto_layout(document, self._only))
            return
        self._session.noticed.emit(f"Laying out {count:,} nodes\N{HORIZONTAL ELLIPSIS}")
        pool = ThreadPoolExecutor(1, "layout")
        self._future = pool.submit(auto_layout, document.copy(), self._only)
        pool.shutdown(wait=False)
        self._timer.start()

    def _look(self) -> None:
        if self._future.done():
            self._timer.stop()
            self._finish(self._future.result())
            self._session.noticed.emit("Laid out")

    def _finish(self, layout: Layout) -> None:
        """Make the edit, of what is still there: the drawing may have been changed meanwhile."""
        document = self._session.document
        places = {node: place for node, place in layout.places.items() if node in document.nodes}
        self._session.edit("Auto-layout", layout_ops(document, Layout(places, layout.points)))
        self.done.emit()
        self.deleteLater()
