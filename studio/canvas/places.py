"""Finding what lies where on the canvas."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsScene

from studio.canvas.box import BoxItem
from studio.canvas.face import AXIS, PortRef
from studio.canvas.node import NodeItem
from studio.canvas.shown import Shown
from studio.canvas.wire import WireItem
from studio.session import Session

Item = NodeItem | WireItem | BoxItem
REACH = 13.0
"""How near to a port or wire the pointer must be, in pixels."""


class Places(QGraphicsScene):
    """A scene that knows what shows each id, and where.

    ``items_by_id`` maps ids of nodes, wires, groups, frames and comments to what shows them.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.items_by_id: dict[str, Item] = {}
        self.zoom = 1.0
        self._shown = Shown(None)

    def node_at(self, at: QPointF) -> str | None:
        """The node or collapsed group at a place in the scene."""
        found = [item for item in self._near(at, 0.0) if isinstance(item, NodeItem)]
        return next((item.key for item in found if item.shape().contains(at - item.pos())), None)

    def wire_at(self, at: QPointF) -> str | None:
        """The wire at or close to a place."""
        reach = self._reach(REACH / 2)
        wires = [item for item in self._near(at, reach) if isinstance(item, WireItem)]
        return next((item.key for item in wires if item.near(at, reach)), None)

    def outside_at(self, at: QPointF) -> str | None:
        """The node outside of the entered group that is named at a place, where a wire leaves."""
        for item in self.items_by_id.values():
            if isinstance(item, WireItem) and item.chip.contains(at):
                wire = self.session.document.wires[item.key]
                return wire.source.node if item.look.leaves == "in" else wire.target.node
        return None

    def box_at(self, at: QPointF) -> str | None:
        """The comment, or the frame or expanded group whose title lies at a place."""
        boxes = [item for item in self._near(at, 0.0) if isinstance(item, BoxItem)]
        return next((item.key for item in boxes if item.title_rect().contains(at)), None)

    def item_at(self, at: QPointF) -> str | None:
        """What a click at a place means: a node before a wire before a box."""
        return self.node_at(at) or self.wire_at(at) or self.box_at(at)

    def port_at(self, at: QPointF) -> PortRef | None:
        """The nearest port within easy reach of a place.

        A port of a collapsed group is returned as the member's port that it stands for.
        """
        reach = self._reach(REACH)
        found: list[tuple[float, PortRef]] = []
        for item in self._near(at, reach):
            if isinstance(item, NodeItem):
                local = at - item.pos()
                found += [((local.x() - s.x) ** 2 + (local.y() - s.y) ** 2, s.ref) for s in item.face.sockets]
        distance, ref = min(found, default=(float("inf"), None))
        return ref if distance <= reach**2 else None

    def port_pos(self, node: str, port: str, side: str) -> QPointF:
        """Where a port is; of a hidden member where its group shows it, or the group's border."""
        item = self.items_by_id.get(self._shown.stand_in.get(node, ""))
        if not isinstance(item, NodeItem):
            return QPointF()
        socket = item.face.by_ref.get(PortRef(node, port, side))
        if socket is not None:
            return item.pos() + QPointF(socket.x, socket.y)
        return item.pos() + QPointF(0.0 if side == "in" else item.face.width, AXIS)

    def node_rect(self, key: str) -> QRectF:
        """The box of a node, group, frame or comment; empty if it is not shown."""
        item = self.items_by_id.get(key)
        return item.area() if isinstance(item, (NodeItem, BoxItem)) else QRectF()

    def extent(self, keys: Iterable[str] | None = None) -> QRectF:
        """The rectangle around these things, or around everything shown."""
        found = QRectF()
        for key in self.items_by_id if keys is None else keys:
            item = self.items_by_id.get(key)
            if item is not None:
                found = found.united(item.area())
        return found

    def _near(self, at: QPointF, reach: float) -> list[Item]:
        """The items whose bounds are within reach of a place, topmost first."""
        area = QRectF(at.x() - reach - 0.5, at.y() - reach - 0.5, 2 * reach + 1, 2 * reach + 1)
        found = self.items(area, Qt.ItemSelectionMode.IntersectsItemBoundingRect)
        return [item for item in found if isinstance(item, (NodeItem, WireItem, BoxItem))]

    def _reach(self, pixels: float) -> float:
        return min(max(pixels, pixels / self.zoom), 3 * pixels)
