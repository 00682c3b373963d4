"""Double clicks: into a group, and on empty canvas the search; Escape and Backspace lead out of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from studio.canvas.breadcrumb import Breadcrumb
from studio.canvas.search import open_search
from studio.gestures import Gesture, Pointer, gesture

if TYPE_CHECKING:
    from studio.canvas.view import CanvasView


@gesture(order=70)
class Enter(Gesture):
    """Double click on a group: enter it.  Escape, when nothing is selected, or Backspace: leave it."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self.breadcrumb = Breadcrumb(view)

    def double_click(self, pointer: Pointer) -> bool:
        """Enter the group here."""
        key = self.scene.node_at(pointer.scene) or self.scene.box_at(pointer.scene)
        if key not in self.session.document.groups:
            return False
        self.session.enter(key)
        return True

    def key(self, event: QKeyEvent) -> bool:
        """Leave for the group around."""
        scope, key = self.session.scope, event.key()
        leaving = key == Qt.Key.Key_Backspace or (key == Qt.Key.Key_Escape and not self.session.selection)
        if scope is None or not leaving:
            return False
        self.session.enter(self.session.document.groups[scope]["parent"])
        return True


@gesture(order=95)
class FindNode(Gesture):
    """Double click on empty canvas: search for a node to add."""

    def double_click(self, pointer: Pointer) -> bool:
        """Open the search here."""
        if pointer.button is not Qt.MouseButton.LeftButton or self.scene.item_at(pointer.scene):
            return False
        open_search(self.view, pointer.scene, pointer.screen)
        return True
