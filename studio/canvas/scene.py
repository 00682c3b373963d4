"""The scene: items made from the document, and kept like it edit by edit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtWidgets import QGraphicsScene

from engine.compile import Diagnostic
from engine.document import Edit
from engine.document.groups import ancestors, members
from studio.canvas import looks
from studio.canvas.box import TITLE, Box, BoxItem
from studio.canvas.changes import change
from studio.canvas.face import Face, PortRef, face_of
from studio.canvas.node import NodeItem
from studio.canvas.places import Item, Places
from studio.canvas.shown import Shown, shown
from studio.canvas.way import way_of
from studio.canvas.wire import WireItem
from studio.canvas.wiring import Wiring
from studio.checker import Checked
from studio.session import Session
from studio.theme import theme

I = TypeVar("I", NodeItem, WireItem, BoxItem)


class CanvasScene(Places):
    """Everything of a session's document that is in its scope."""

    arranged = Signal()
    """Something has come, gone, moved or another look."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.wiring = Wiring(session.document)
        self._shift: dict[str, QPointF] = {}
        self._selected: frozenset[str] = frozenset()
        self._hovered: Item | None = None
        self._traced: set[str] = set()
        self._problems = session.problems.by_node
        self._reasons: dict[PortRef, str | None] | None = None
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.BspTreeIndex)
        self.rebuild()
        session.edited.connect(self._on_edited)
        session.scope_changed.connect(self.rebuild)
        session.selection_changed.connect(self._on_selection)
        session.checked.connect(self._on_checked)
        theme.changed.connect(self._on_theme)

    def rebuild(self) -> None:
        """Make all items anew."""
        document = self.session.document
        self._hovered, self._traced = None, set()
        for key in list(self.items_by_id):
            self._remove(key)
        self.wiring = Wiring(document)
        self._shown = shown(document, self.session.scope)
        self.refresh({*document.nodes, *document.wires, *document.groups, *self._shown.notes})
        self.arranged.emit()
        self._selected = frozenset()
        self._on_selection()

    @property
    def shown(self) -> Shown:
        """What is in scope, and by what it is shown."""
        return self._shown

    def surrounded(self, group: str) -> list[str]:
        """The ids that the frame of an expanded group surrounds, however deep."""
        direct = self._shown.members.get(group, [])
        return [*direct, *(inner for key in direct for inner in self.surrounded(key))]

    # What gestures show

    def nudge_items(self, keys: Iterable[str], by: QPointF) -> None:
        """Show these things moved by this much until the document says so, or ``settle`` is called."""
        shift = dict.fromkeys(keys, by)
        changed = shift.keys() | self._shift.keys()
        self._shift = shift
        self.refresh(changed, moved=True)

    def settle(self) -> None:
        """Show everything where the document says it is."""
        self.nudge_items((), QPointF())

    def highlight(self, ports: dict[PortRef, str | None]) -> None:
        """Let the ports whose reason is None glow; dim all others, which tell their reason on hover."""
        self._reasons = ports
        for item in self.items_by_id.values():
            if isinstance(item, NodeItem):
                item.light({s.ref: s.ref in ports and ports[s.ref] is None for s in item.face.sockets})

    def clear_highlight(self) -> None:
        """Show all ports as always."""
        self._reasons = None
        for item in self.items_by_id.values():
            if isinstance(item, NodeItem):
                item.light(None)

    def hover_at(self, at: QPointF | None) -> None:
        """Show what the pointer is on; None: on nothing."""
        port = self.port_at(at) if at is not None else None
        key = port and self._shown.stand_in.get(port.node)
        key = key or (self.item_at(at) if at is not None else None)
        item = self.items_by_id.get(key) if key else None
        if self._hovered is not None and self._hovered is not item:
            _hover(self._hovered, False, None)
        if item is not self._hovered:
            self._trace(item.key if isinstance(item, NodeItem) else None)
        if item is not None:
            _hover(item, True, port)
        self._hovered = item

    def _trace(self, key: str | None) -> None:
        """Show on all its wires that the pointer is on a node, and on no others."""
        inside = members(self.session.document.groups).get(key or "", {key})
        wires = {wire for node in inside if node for wire in self.wiring.of(node)}
        for wire in wires ^ self._traced:
            item = self.items_by_id.get(wire)
            if isinstance(item, WireItem):
                item.hover(wire in wires)
        self._traced = wires

    def tip_at(self, at: QPointF) -> str:
        """The sentences to show beside the pointer."""
        port = self.port_at(at)
        if port is not None:
            return self._port_tip(port)
        key = self.item_at(at)
        item = self.items_by_id.get(key) if key else None
        if isinstance(item, NodeItem):
            return "\n".join([*item.marks.sentences, item.marks.tip])
        if isinstance(item, BoxItem):
            return item.box.text if item.shortened(self.zoom) else ""
        return item.look.tip if isinstance(item, WireItem) else ""

    def set_detail(self, detailed: bool) -> None:
        """Show or hide what cannot be seen from far away."""
        for item in self.items_by_id.values():
            if isinstance(item, WireItem):
                item.detail(detailed)

    # Following the document

    def _on_edited(self, edit: Edit) -> None:
        document = self.session.document
        found = change(document, edit.ops)
        if found.everything:
            self.rebuild()
            return
        keys = found.ids | self.wiring.update(edit.ops)
        if found.structure:
            keys |= self._restructure()
        self.refresh(keys, moved=found.moves_alone)

    def _restructure(self) -> set[str]:
        """Find out what is shown now; the ids for which that is another answer."""
        passers = self.wiring.settle()
        before, self._shown = self._shown, shown(self.session.document, self.session.scope)
        old, new = before.stand_in, self._shown.stand_in
        keys = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        keys |= before.notes | self._shown.notes
        keys |= {*self.session.document.groups, *before.collapsed, *before.members}
        wires = {wire for node in passers for wire in self.wiring.of(node)}
        document = self.session.document
        return keys | passers | {document.wires[wire].target.node for wire in wires} | wires

    def refresh(self, keys: Iterable[str], moved: bool = False) -> None:
        """Make, change or remove the items of these ids, their wires and the frames around them.

        ``moved``: they look as before, and no more than their places are others.
        """
        document, now = self.session.document, self._shown
        wires: set[str] = set()
        keys = list(keys)
        before = self._outlines(keys)
        for key in keys:
            if key in document.nodes:
                wires |= self.wiring.of(key)
                if moved and key in self.items_by_id:
                    self._place(key)
                else:
                    self._put_node(key) if now.stand_in.get(key) == key else self._remove(key)
            elif key in now.collapsed:
                inside = members(document.groups)[key]
                wires |= {wire for node in inside for wire in self.wiring.of(node)}
                self._put_group(key)
            elif key in document.wires:
                wires.add(key)
            elif key in now.notes:
                self._put_note(key)
            elif key not in now.members:
                self._remove(key)
        for key in wires:
            self._put_wire(key)
        self._put_frames()
        if self._outlines(keys) != before:
            self.arranged.emit()

    def _outlines(self, keys: Iterable[str]) -> dict[str, tuple[QRectF, str]]:
        """What a picture from far away shows of these: their places, and the roles of nodes."""
        found = {key: item for key in keys if (item := self.items_by_id.get(key))}
        roles = {key: item.marks.role for key, item in found.items() if isinstance(item, NodeItem)}
        return {key: (item.area(), roles.get(key, "")) for key, item in found.items()}

    def _put_node(self, key: str) -> None:
        self._put(key, face_of(self.session.document, key), self._problems.get(key, []))

    def _put_group(self, key: str) -> None:
        inside = members(self.session.document.groups)[key]
        problems = [problem for node in sorted(inside) for problem in self._problems.get(node, [])]
        self._put(key, looks.box_face(self.session.document, key), problems)

    def _put(self, key: str, face: Face, problems: list[Diagnostic]) -> None:
        marks = looks.node_marks(self.session.document, self.wiring, face, key, problems)
        item = self.items_by_id.get(key)
        if not isinstance(item, NodeItem):
            self._remove(key)
            item = self._add(key, NodeItem(key, face, marks))
        item.display(face, marks)
        self._place(key)

    def _place(self, key: str) -> None:
        self.items_by_id[key].setPos(self.home(key) + self._shift.get(key, QPointF()))

    def _put_note(self, key: str) -> None:
        self._put_box(
            key,
            looks.note_box(self.session.document.layout[key]),
            self.home(key) + self._shift.get(key, QPointF()),
        )

    def _put_box(self, key: str, box: Box, at: QPointF) -> None:
        item = self.items_by_id.get(key)
        if not isinstance(item, BoxItem):
            self._remove(key)
            item = self._add(key, BoxItem(key, box))
        item.setPos(at)
        item.display(box)

    def _put_frames(self) -> None:
        """Fit the frames of expanded groups around their members, the innermost first."""
        groups = self.session.document.groups
        for key in sorted(self._shown.members, key=lambda key: -len(ancestors(groups, key))):
            area = self.extent(self._shown.members[key])
            side = looks.AROUND
            area = area.adjusted(-side, -side - TITLE, side, side)
            box = Box("group", area.width(), area.height(), groups[key]["name"], "accent")
            self._put_box(key, box, area.topLeft())

    def _put_wire(self, key: str) -> None:
        way = way_of(self, key)
        if way is None:
            self._remove(key)
            return
        look = looks.wire_look(self.session.document, self.wiring, key)
        shift = self._shift.get(key)
        if shift is not None:
            look = looks.shifted(look, shift.x(), shift.y())
        look = replace(look, lane=way.lane, leaves=way.leaves, outside=way.outside)
        item = self.items_by_id.get(key)
        if not isinstance(item, WireItem):
            self._remove(key)
            item = self._add(key, WireItem(key, look))
            item.detail(self.zoom >= 0.4)
        item.display(look, way.start, way.end)

    def home(self, key: str) -> QPointF:
        """Where the document puts a node, group, frame or comment, whatever a gesture shows."""
        document = self.session.document
        at = document.layout.get(key, {}).get("at")
        if at is None and key in document.groups:
            inside = [self.home(node) for node in members(document.groups)[key]] or [QPointF()]
            at = [min(place.x() for place in inside), min(place.y() for place in inside)]
        return QPointF(*at) if at is not None else QPointF()

    def _add(self, key: str, item: I) -> I:
        self.items_by_id[key] = item
        self.addItem(item)
        item.select(key in self.session.selection)
        return item

    def _remove(self, key: str) -> None:
        item = self.items_by_id.pop(key, None)
        if item is not None:
            if item is self._hovered:
                self._hovered = None
            self.removeItem(item)

    # Following the session

    def _on_selection(self) -> None:
        chosen = self.session.selection
        for key in chosen ^ self._selected:
            item = self.items_by_id.get(key)
            if item is not None:
                item.select(key in chosen)
        self._selected = chosen

    def _on_checked(self, checked: Checked) -> None:
        """Show problems anew where they are others, also on the collapsed groups around."""
        before, self._problems = self._problems, checked.by_node
        keys = {
            key for key in before.keys() | self._problems.keys() if before.get(key) != self._problems.get(key)
        }
        self.refresh({self._shown.stand_in.get(key, key) for key in keys} & self.items_by_id.keys())

    def _on_theme(self) -> None:
        for item in self.items_by_id.values():
            item.refresh() if isinstance(item, WireItem) else item.update()
        self.update()

    def _port_tip(self, port: PortRef) -> str:
        reason = (self._reasons or {}).get(port)
        if reason:
            return reason
        item = self.items_by_id.get(self._shown.stand_in.get(port.node, ""))
        socket = item.face.by_ref.get(port) if isinstance(item, NodeItem) else None
        if socket is None:
            return ""
        takes = " or ".join(socket.kinds)
        verb = "takes" if port.side == "in" else "gives"
        return f"{port.port}: {socket.doc}" + (f" ({verb} {takes})" if takes else "")


def _hover(item: Item, hovered: bool, port: PortRef | None) -> None:
    if isinstance(item, NodeItem):
        item.hover(hovered, port)
    else:
        item.hover(hovered)
