"""Out of the entered group along a wire: a click on the name of what lies at its other end."""

from __future__ import annotations

from PySide6.QtCore import Qt

from studio.gestures import Gesture, Pointer, gesture


@gesture(order=12)
class Outside(Gesture):
    """Click where a wire leaves the group: go to the node out there."""

    def press(self, pointer: Pointer) -> bool:
        """Show and select the node whose name is here."""
        node = self.scene.outside_at(pointer.scene)
        if node is None or pointer.button is not Qt.MouseButton.LeftButton:
            return False
        self.session.reveal(node)
        return True

    def hover(self, pointer: Pointer) -> bool:
        """Point at a name that leads there."""
        found = self.scene.outside_at(pointer.scene) is not None
        if found:
            self.view.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        return found
