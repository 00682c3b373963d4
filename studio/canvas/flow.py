"""Shows a run on the canvas: rasters and rates on nodes, glow and travelling spikes on wires."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QRectF, Qt, QTimer

from studio.activity import Activity
from studio.canvas.live import LEAST_ZOOM
from studio.canvas.node import NodeItem
from studio.canvas.scene import CanvasScene
from studio.canvas.wire import DETAIL, WireItem
from studio.records import FRAME_MS
from studio.sparks import Sparks

ALL = 1 << 30
BUDGET_S = 0.003
"""Of the 33 ms between two frames so much may go into finding out what to paint."""


class Flow(QObject):
    """Takes what an Activity tells to the items that are seen; the others wait until they are."""

    def __init__(self, scene: CanvasScene, parent: QObject) -> None:
        super().__init__(parent)
        self.seen = QRectF()
        self._next, self._due = 0, 0
        self._timer = QTimer(self, singleShot=True, interval=FRAME_MS)
        self._timer.timeout.connect(self._go_on)
        self._scene = scene
        self._activity = Activity.of(scene.session)
        self._activity.updated.connect(self.show)
        self._sparks = Sparks.of(scene.session)
        self._sparks.updated.connect(self.show_sparks)
        scene.arranged.connect(self.show_sparks)
        self.show_sparks()

    def look_at(self, seen: QRectF) -> None:
        """The part of the scene that is seen: what comes into sight there shows the newest, too."""
        self.seen = seen
        if not self._activity.records.empty and not self._timer.isActive():
            self._due = ALL
            self._timer.start()

    def show(self) -> None:
        """Show the newest activity on as many items as there is time for, and on the others right after."""
        self._due = ALL
        if not self._timer.isActive():
            self._go_on()

    def _go_on(self) -> None:
        bounds = Qt.ItemSelectionMode.IntersectsItemBoundingRect
        found = self._scene.items(self.seen, bounds)
        items = [item for item in found if isinstance(item, (NodeItem, WireItem))]
        self._due = min(self._due, len(items))
        end = time.perf_counter() + BUDGET_S
        while self._due:
            self._next = (self._next + 1) % len(items)
            self._due -= 1
            self._show_on(items[self._next])
            if time.perf_counter() > end:
                self._timer.start()
                return

    def _show_on(self, item: NodeItem | WireItem) -> None:
        """What cannot be seen at this zoom is not even asked for."""
        activity, zoom = self._activity, self._scene.zoom
        if isinstance(item, WireItem):
            pulses = activity.pulses(item.key) if zoom >= DETAIL else []
            item.glow(activity.level(item.key), pulses)
        elif item.strip is not None and zoom >= LEAST_ZOOM:
            item.strip.display(activity.rate(item.key), activity.raster(item.key))

    def show_sparks(self) -> None:
        """Show on every projection how its delays or weights are spread."""
        for key, item in self._scene.items_by_id.items():
            if isinstance(item, NodeItem) and item.face.shape == "pill":
                item.show_spark(self._sparks.spark(key))
