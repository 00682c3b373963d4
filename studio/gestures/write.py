"""Double click on a frame or comment, or F2 on one or on a group: write in it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from studio.canvas.shown import is_note
from studio.canvas.view import CanvasView
from studio.canvas.writer import Writer
from studio.gestures import Gesture, Pointer, gesture


@gesture(order=46)
class Write(Gesture):
    """Opens a field over what is to be written in."""

    def double_click(self, pointer: Pointer) -> bool:
        """Write in the frame or comment here, unless something lies on it."""
        key = self.scene.item_at(pointer.scene)
        if key is None or not is_note(self.session.document, key):
            return False
        write_in(self.view, key)
        return True

    def key(self, event: QKeyEvent) -> bool:
        """F2 and Enter write in the only frame, comment or group that is selected."""
        if event.key() not in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter) or event.modifiers():
            return False
        document = self.session.document
        chosen = self.session.selection - document.wires.keys()
        key = next(iter(chosen)) if len(chosen) == 1 else ""
        if key not in self.scene.items_by_id or not (is_note(document, key) or key in document.groups):
            return False
        write_in(self.view, key)
        return True


def write_in(view: CanvasView, key: str) -> Writer:
    """Open a field over a frame, comment or group."""
    return Writer(view, view.session, key, view.canvas.node_rect(key))
