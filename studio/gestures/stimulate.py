"""The stimulus brush on the canvas."""

from __future__ import annotations

from PySide6.QtCore import Qt

from nodes import registry
from studio.gestures import Gesture, Pointer, gesture
from studio.plots.brush import Brush


@gesture(order=22)
class Stimulate(Gesture):
    """With the brush: a click on a population gives all its neurons a pulse."""

    def press(self, pointer: Pointer) -> bool:
        """Stimulate the population under the pointer."""
        node = self._population(pointer)
        if node is None or pointer.button is not Qt.MouseButton.LeftButton or not pointer.held():
            return False
        Brush.of(self.session).touch(node, None)
        return True

    def hover(self, pointer: Pointer) -> bool:
        """Show where a click would stimulate."""
        if self._population(pointer) is None:
            return False
        self.view.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        return True

    def _population(self, pointer: Pointer) -> str | None:
        if not Brush.of(self.session).on:
            return None
        key = self.scene.node_at(pointer.scene)
        node = self.session.document.nodes.get(key or "")
        spec = registry.get(node.type) if node else None
        return key if spec is not None and spec.role == "population" and "input" in spec.inputs else None
