"""Dropping a node that is wired to nothing onto a wire."""

from __future__ import annotations

from studio.canvas.moves import move_ops
from studio.canvas.wire import WireItem
from studio.edits.draft import Draft
from studio.edits.ports import Ports
from studio.edits.wiring import put_on
from studio.gestures import Pointer, gesture
from studio.gestures.move import Move


@gesture(order=48)
class Insert(Move):
    """Drag a lone node onto a wire: it is put between the wire's ends."""

    _wire: str | None = None

    def press(self, pointer: Pointer) -> bool:
        """Take hold of a node that is alone and has a way in and a way out."""
        key = self.scene.node_at(pointer.scene)
        if key is None or not pointer.held() or not self._can_stand_on_wires(key):
            return False
        return super().press(pointer)

    def move(self, pointer: Pointer) -> None:
        """Show the node where it would be, and the wire that it would stand on."""
        super().move(pointer)
        found = self._under(pointer) if self._guides is not None else None
        if found != self._wire:
            self._light(self._wire, False)
            self._light(found, True)
            self._wire = found

    def release(self, pointer: Pointer) -> None:
        """Move the node and join it in one step."""
        wire = self._wire
        if wire is None or not self._insert(wire):
            super().release(pointer)

    def end(self) -> None:
        """Let the wire look as always."""
        self._light(self._wire, False)
        self._wire = None
        super().end()

    def key(self, event: object) -> bool:
        """Keys are the other gesture's."""
        return False

    def _insert(self, wire: str) -> bool:
        document, by = self.session.document, self._by
        home = self.scene.home(self._key)
        draft = Draft(document)

        def change() -> None:
            draft.do(move_ops(document, [self._key], by.x(), by.y(), {self._key: (home.x(), home.y())}))
            put_on(draft, self._key, wire)

        name = document.nodes[self._key].name
        return self.session.attempt(change) and self.session.edit(f"Insert {name}", draft.ops)

    def _can_stand_on_wires(self, key: str) -> bool:
        if key not in self.session.document.nodes or self.scene.wiring.of(key):
            return False
        if self.session.selection - {key} and key in self.session.selection:
            return False
        ports = Ports(self.session.document)
        return bool(ports.inputs(key)) and bool(ports.outputs(key))

    def _under(self, pointer: Pointer) -> str | None:
        middle = self.scene.node_rect(self._key).center()
        return self.scene.wire_at(middle) or self.scene.wire_at(pointer.scene)

    def _light(self, wire: str | None, lit: bool) -> None:
        item = self.scene.items_by_id.get(wire or "")
        if isinstance(item, WireItem):
            item.hover(lit)
