"""Drawing wires: from a port to a port, to a node, or to empty canvas; and moving the end of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsPathItem, QToolTip

from engine.document import Document, End
from studio.canvas import shapes, style
from studio.canvas.face import ATTACHED, PortRef
from studio.canvas.node import NodeItem
from studio.canvas.search import Loose, open_search
from studio.canvas.wire import WireItem
from studio.edits import wiring
from studio.edits.ports import Ports, spoken
from studio.gestures import Gesture, Pointer, gesture

Z_DRAWN = 20.0
SHORTEST = 4
"""Pixels below which a press and release is a click."""


@dataclass
class Drawn:
    """The wire being drawn: from ``ref`` on, ``instead`` of a wire that was picked up."""

    ref: PortRef
    ports: Ports
    instead: str | None = None

    @property
    def end(self) -> End:
        """The end that is fixed."""
        return End(self.ref.node, self.ref.port)

    @property
    def outgoing(self) -> bool:
        """Whether it leaves an output."""
        return self.ref.side == "out"

    def pair(self, other: End) -> tuple[End, End]:
        """Source and target of the wire if it is dropped on ``other``."""
        return (self.end, other) if self.outgoing else (other, self.end)

    def reason(self, ref: PortRef) -> str | None:
        """Why the wire cannot be dropped on a port; None if it can."""
        if ref.side == self.ref.side:
            sides = "outputs" if self.outgoing else "inputs"
            return f"a wire joins an output to an input, and these are both {sides}"
        return self.ports.reason(*self.pair(End(ref.node, ref.port))) or None


@gesture(order=10)
class DrawWire(Gesture):
    """Drag from a port; from a wired input the wire's end comes along, unless Shift is held."""

    _drawn: Drawn | None = None
    _line: QGraphicsPathItem | None = None
    _start = QPointF()
    _origin = QPointF()

    def press(self, pointer: Pointer) -> bool:
        """Take hold of a port."""
        ref = self.scene.port_at(pointer.scene)
        if ref is None or not pointer.left or not (pointer.held() or pointer.held("shift")):
            return False
        self._drawn = self._begin(ref, fresh=pointer.held("shift"))
        self._origin = pointer.scene
        self._start = self.scene.port_pos(*self._drawn.ref)
        self._line = self._show_line()
        self.scene.highlight(self._reasons(self._drawn))
        self.move(pointer)
        return True

    def move(self, pointer: Pointer) -> None:
        """Lead the wire to the pointer, or to the port near it; say why that one does not fit."""
        if self._drawn is None or self._line is None:
            return
        ref = self.scene.port_at(pointer.scene)
        reason = self._drawn.reason(ref) if ref and ref != self._drawn.ref else None
        fits = ref is not None and ref != self._drawn.ref and reason is None
        to = self.scene.port_pos(*ref) if ref is not None and fits else pointer.scene
        self._line.setPath(self._route(to))
        self.scene.hover_at(pointer.scene)
        if reason:
            QToolTip.showText(pointer.screen, _sentence(reason), self.view)
        else:
            QToolTip.hideText()

    def release(self, pointer: Pointer) -> None:
        """Join what the wire was dropped on, or search for something to put there."""
        drawn = self._drawn
        moved = (pointer.scene - self._origin).manhattanLength() * self.view.zoom
        if drawn is None or moved < SHORTEST:
            return
        ref = self.scene.port_at(pointer.scene)
        node = self.scene.node_at(pointer.scene)
        if ref is not None and ref != drawn.ref:
            self._drop_on_port(drawn, ref, pointer)
        elif node is not None:
            self._drop_on_node(drawn, node, pointer)
        elif ref is None and drawn.instead is not None:
            self.session.edit("Remove wire", wiring.delete_wires(self.session.document, [drawn.instead]))
        elif ref is None:
            open_search(self.view, pointer.scene, pointer.screen, Loose(drawn.end, drawn.outgoing))

    def end(self) -> None:
        """Remove the line, let all ports look as always."""
        if self._line is not None:
            self.scene.removeItem(self._line)
        if self._drawn is not None and self._drawn.instead is not None:
            self._fade(self._drawn.instead, 1.0)
        self.scene.clear_highlight()
        self._drawn = self._line = None

    def cancel(self) -> None:
        """Let go of the wire."""
        QToolTip.hideText()

    def _begin(self, ref: PortRef, fresh: bool) -> Drawn:
        """A new wire from a port, or the newest one that ends at this input."""
        document = self.session.document
        ports = Ports(document)
        arriving = sorted(ports.wires_into.get(End(ref.node, ref.port), ())) if ref.side == "in" else []
        if fresh or not arriving:
            return Drawn(ref, ports)
        picked = arriving[-1]
        source = document.wires[picked].source
        self._fade(picked, 0.15)
        return Drawn(PortRef(*source, "out"), Ports(_without(document, picked)), picked)

    def _reasons(self, drawn: Drawn) -> dict[PortRef, str | None]:
        nodes = [item for item in self.scene.items_by_id.values() if isinstance(item, NodeItem)]
        refs = [socket.ref for item in nodes for socket in item.face.sockets]
        return {ref: None if ref == drawn.ref else drawn.reason(ref) for ref in refs}

    def _drop_on_port(self, drawn: Drawn, ref: PortRef, pointer: Pointer) -> None:
        if reason := drawn.reason(ref):
            self._refuse(reason, pointer)
            return
        source, target = drawn.pair(End(ref.node, ref.port))
        old = self.session.document.wires[drawn.instead] if drawn.instead else None
        if old is None or (old.source, old.target) != (source, target):
            self._join(drawn, source, target)

    def _drop_on_node(self, drawn: Drawn, key: str, pointer: Pointer) -> None:
        """Find the best port of a node or collapsed group; a node is never joined to itself by its body."""
        item = self.scene.items_by_id.get(key)
        if not isinstance(item, NodeItem) or any(s.ref == drawn.ref for s in item.face.sockets):
            return
        refs = [s.ref for s in item.face.sockets if s.ref.side != drawn.ref.side]
        best = drawn.ports.best(drawn.end, drawn.outgoing, [End(ref.node, ref.port) for ref in refs])
        if best is not None:
            self._join(drawn, *drawn.pair(best))
        elif len(refs) == 1:
            self._refuse(drawn.reason(refs[0]) or "", pointer)
        else:
            kind = spoken(drawn.ports.kind(drawn.end) or "this") if drawn.outgoing else "this input"
            name = item.face.lines[0].text
            self._refuse(f"'{name}' has no {'input' if drawn.outgoing else 'output'} for {kind}", pointer)

    def _join(self, drawn: Drawn, source: End, target: End) -> None:
        document = self.session.document
        self._attempt("Connect", lambda: wiring.connect(document, source, target, drawn.instead))

    def _attempt(self, label: str, make: Callable[[], list[dict[str, Any]]]) -> None:
        self.session.attempt(lambda: self.session.edit(label, make()))

    def _refuse(self, reason: str, pointer: Pointer) -> None:
        self.session.refused.emit(_sentence(reason))
        QToolTip.showText(pointer.screen, _sentence(reason), self.view)

    def _route(self, to: QPointF) -> Any:
        assert self._drawn is not None
        outgoing = self._drawn.outgoing
        kinds = self._kinds(self._drawn)
        route = shapes.attachment_path if set(kinds) & set(ATTACHED) else shapes.wire_path
        return route(self._start, to) if outgoing else route(to, self._start)

    def _show_line(self) -> QGraphicsPathItem:
        assert self._drawn is not None
        line = QGraphicsPathItem()
        kinds = self._kinds(self._drawn)
        line.setPen(style.pen(f"kind.{kinds[0] if kinds else 'any'}", 2.5, "dash"))
        line.setZValue(Z_DRAWN)
        self.scene.addItem(line)
        return line

    def _kinds(self, drawn: Drawn) -> tuple[str, ...]:
        if drawn.outgoing:
            kind = drawn.ports.kind(drawn.end)
            return (kind,) if kind else ()
        port = drawn.ports.input(drawn.end)
        return port.kinds if port else ()

    def _fade(self, wire: str, opacity: float) -> None:
        item = self.scene.items_by_id.get(wire)
        if isinstance(item, WireItem):
            item.setOpacity(opacity)


def _without(document: Document, wire: str) -> Document:
    draft = document.copy()
    del draft.wires[wire]
    return draft


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]
