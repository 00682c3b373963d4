"""Dropping a node type from the library: on empty canvas, on a wire, on a node."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF

from nodes import registry
from studio.canvas import NODE_MIME
from studio.canvas.face import GRID
from studio.canvas.node import NodeItem
from studio.canvas.wire import WireItem
from studio.edits import create
from studio.edits.draft import Ops
from studio.gestures import Gesture, Pointer, gesture


@gesture(order=80)
class Drop(Gesture):
    """A node type dropped on the canvas becomes a node: put between on a wire, joined on a node."""

    _lit: str | None = None

    def drag(self, pointer: Pointer, data: QMimeData) -> bool:
        """Show what the node would be joined to."""
        if type_in(data) is None:
            return False
        self._light(self.scene.node_at(pointer.scene) or self.scene.wire_at(pointer.scene))
        return True

    def drop(self, pointer: Pointer, data: QMimeData) -> bool:
        """Add the node in one step and select it."""
        type = type_in(data)
        self._light(None)
        if type is None:
            return False
        spec = registry.get(type)
        self.session.attempt(lambda: self._add(type, spec.label if spec else type, pointer.scene))
        return True

    def drag_left(self) -> None:
        """Let everything look as always."""
        self._light(None)

    def _add(self, type: str, label: str, at: QPointF) -> None:
        ops, id = self._made(type, at)
        if self.session.edit(f"Add {label}", ops):
            self.session.select([id])

    def _made(self, type: str, at: QPointF) -> tuple[Ops, str]:
        document, scope, place = self.session.document, self.session.scope, (at.x(), at.y())
        node, wire = self.scene.node_at(at), self.scene.wire_at(at)
        if node in document.nodes:
            return create.add_beside(document, type, str(node))
        if wire is not None:
            return create.add_on_wire(document, type, place, wire, scope)
        return create.add_centred(document, type, place, scope, GRID if self.view.snap else 1)

    def _light(self, key: str | None) -> None:
        for id, lit in ((self._lit, False), (key, True)):
            item = self.scene.items_by_id.get(id or "")
            if isinstance(item, NodeItem):
                item.hover(lit, None)
            elif isinstance(item, WireItem):
                item.hover(lit)
        self._lit = key


def type_in(data: QMimeData) -> str | None:
    """The node type that is dragged, if it is one."""
    if not data.hasFormat(NODE_MIME):
        return None
    return bytes(data.data(NODE_MIME).data()).decode("utf-8", "replace")
