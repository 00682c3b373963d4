"""What is asked for elsewhere: a node chosen in the library, something to be brought into view."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from studio.canvas.face import GRID
from studio.canvas.node import NodeItem
from studio.canvas.ring import Ring
from studio.canvas.view import CanvasView
from studio.edits.create import add_centred
from studio.gestures import Gesture, gesture


@gesture(order=99)
class Place(Gesture):
    """Adds the node in the middle of the view, beside any that lies there, and shows what is revealed."""

    ring: Ring | None = None

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        view.session.node_wanted.connect(self._add)
        view.session.revealed.connect(self._reveal)
        view.session.pointed.connect(self._point)
        view.session.edited.connect(self._unpoint)
        view.session.scope_changed.connect(self._unpoint)

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

    def _point(self, node: str, name: str) -> None:
        """Let a ring blink around a port; a parameter is the inspector's to show."""
        self._unpoint()
        item = self.scene.items_by_id.get(self.scene.shown.stand_in.get(node, ""))
        sockets = item.face.by_ref if isinstance(item, NodeItem) else {}
        found = next(
            (socket for ref, socket in sockets.items() if (ref.node, ref.port) == (node, name)), None
        )
        if item is not None and found is not None:
            self.ring = Ring(self.scene, item.pos() + QPointF(found.x, found.y))

    def _unpoint(self) -> None:
        """What was pointed out may lie elsewhere now."""
        if self.ring is not None:
            self.ring.remove()
            self.ring = None
