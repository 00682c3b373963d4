"""Shows a run on the canvas: rasters and rates on nodes, glow and travelling spikes on wires."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Qt

from studio.activity import Activity
from studio.canvas.node import NodeItem
from studio.canvas.scene import CanvasScene
from studio.canvas.wire import WireItem


class Flow(QObject):
    """Takes what an Activity tells to the items that are seen; the others wait until they are."""

    def __init__(self, scene: CanvasScene, parent: QObject) -> None:
        super().__init__(parent)
        self.seen = QRectF()
        self._scene = scene
        self._activity = Activity.of(scene.session)
        self._activity.updated.connect(self.show)

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
