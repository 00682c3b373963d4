"""What is asked for elsewhere: a node chosen in the library, something to be brought into view."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from studio.canvas.face import GRID
from studio.canvas.view import CanvasView
from studio.edits.create import add_centred
from studio.gestures import Gesture, gesture


@gesture(order=99)
class Place(Gesture):
    """Adds the node in the middle of the view, beside any that lies there, and shows what is revealed."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        view.session.node_wanted.connect(self._add)
        view.session.revealed.connect(self._reveal)

    def _add(self, type: str) -> None:
        self.session.attempt(lambda: self._place(type))

    def _place(self, type: str) -> None:
        at = self._free(self.view.mapToScene(self.view.viewport().rect().center()))
        ops, id = add_centred(self.session.document, type, (at.x(), at.y()), self.session.scope)
        name = ops[0]["node"]["name"] or type
        if self.session.edit(f"Add {name}", ops):
            self.session.select([id])

    def _free(self, at: QPointF) -> QPointF:
        """The next place down and to the right where no node's middle lies."""
        middles = [self.scene.node_rect(key).center() for key in self.session.document.nodes]
        while any((middle - at).manhattanLength() < GRID for middle in middles):
            at += QPointF(2 * GRID, 2 * GRID)
        return at

    def _reveal(self, id: str) -> None:
        self.view.reveal([id])
