"""Shows a run on the canvas: rasters and rates on nodes, glow and travelling spikes on wires."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Qt

from studio.activity import Activity
from studio.canvas.node import NodeItem
from studio.canvas.scene import CanvasScene
from studio.canvas.wire import WireItem
from studio.sparks import Sparks


class Flow(QObject):
    """Takes what an Activity tells to the items that are seen; the others wait until they are."""

    def __init__(self, scene: CanvasScene, parent: QObject) -> None:
        super().__init__(parent)
        self.seen = QRectF()
        self._scene = scene
        self._activity = Activity.of(scene.session)
        self._activity.updated.connect(self.show)
        self._sparks = Sparks.of(scene.session)
        self._sparks.updated.connect(self.show_sparks)
        scene.arranged.connect(self.show_sparks)
        self.show_sparks()

    def look_at(self, seen: QRectF) -> None:
        """The part of the scene that is seen."""
        self.seen = seen

    def show(self) -> None:
        """Show the newest activity."""
        bounds = Qt.ItemSelectionMode.IntersectsItemBoundingRect
        for item in self._scene.items(self.seen, bounds):
            if isinstance(item, NodeItem) and item.strip is not None:
                item.strip.display(self._activity.rate(item.key), self._activity.raster(item.key))
            elif isinstance(item, WireItem):
                item.glow(self._activity.level(item.key), self._activity.pulses(item.key))

    def show_sparks(self) -> None:
        """Show on every projection how its delays or weights are spread."""
        for key, item in self._scene.items_by_id.items():
            if isinstance(item, NodeItem) and item.face.shape == "pill":
                item.show_spark(self._sparks.spark(key))
