"""A view that gives every event of mouse and keyboard to the gestures."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QGraphicsView, QMenu, QWidget

from studio.canvas.scene import CanvasScene
from studio.gestures import Gesture, Pointer


class Hands(QGraphicsView):
    """Asks ``gestures`` in order who takes the mouse, a key, a menu or what is dragged in."""

    canvas: CanvasScene
    gestures: list[Gesture]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy: Gesture | None = None
        self._button = Qt.MouseButton.NoButton
        self._asked: Pointer | None = None

    @property
    def busy(self) -> bool:
        """Whether a gesture has the mouse."""
        return self._busy is not None

    def cancel_gesture(self) -> None:
        """End the gesture under way without an edit."""
        if self._busy is not None:
            ended, self._busy = self._busy, None
            ended.cancel()
            ended.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask the gestures in order who takes the mouse."""
        if self._busy is not None:
            return
        pointer = self._pointer(event)
        self._busy = next((found for found in self.gestures if found.press(pointer)), None)
        self._button = event.button()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the gesture that has the mouse, or show what lies under the pointer."""
        pointer = self._pointer(event)
        if self._busy is not None:
            self._busy.move(pointer)
        elif not event.buttons():
            if not any(found.hover(pointer) for found in self.gestures):
                self.viewport().unsetCursor()
            self.canvas.hover_at(pointer.scene)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture whose button goes up."""
        if self._busy is not None and event.button() == self._button:
            ended, self._busy = self._busy, None
            ended.release(self._pointer(event))
            ended.end()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The first gesture that knows what to do; else it is another press."""
        pointer = self._pointer(event)
        if not any(found.double_click(pointer) for found in self.gestures):
            self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of what lies under the pointer, made by the gestures."""
        place = self.viewport().rect().center()
        at = event.pos() if event.reason() is QContextMenuEvent.Reason.Mouse else place
        menu = QMenu(self)
        none = Qt.MouseButton.NoButton
        where = Pointer(self.mapToScene(at), at, none, none, event.modifiers(), event.globalPos())
        for found in self.gestures:
            found.menu(where, menu)
        if not menu.isEmpty():
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self._asked = where  # what is chosen is done here, wherever the pointer is by then
            menu.destroyed.connect(lambda: self._answered(where))
            menu.popup(self.viewport().mapToGlobal(at))
        else:
            menu.deleteLater()

    def _answered(self, where: Pointer) -> None:
        """The menu that was opened there is gone; another may be open by now."""
        if self._asked is where:
            self._asked = None

    def event(self, event: QEvent) -> bool:
        """A gesture may claim a key before it is taken for a shortcut."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            return self._claimed(event) or super().event(event)
        return super().event(event)

    def _claimed(self, event: QKeyEvent) -> bool:
        found = any(found.claims(event) for found in self.gestures)
        if found:
            event.accept()
        return found

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape ends a gesture; every other key goes to the gestures."""
        if event.key() == Qt.Key.Key_Escape and self.busy:
            self.cancel_gesture()
        elif not any(found.key(event) for found in self.gestures):
            QWidget.keyPressEvent(self, event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """A key goes up."""
        if not any(found.key_up(event) for found in self.gestures):
            QWidget.keyReleaseEvent(self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Who looks elsewhere has let go."""
        super().focusOutEvent(event)
        for found in self.gestures:
            found.forget_keys()
        if event.reason() is Qt.FocusReason.ActiveWindowFocusReason:
            self.cancel_gesture()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Something from outside comes over the canvas."""
        self.dragMoveEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Whether it can be dropped here."""
        pointer = self._dragged(event)
        accepted = any(found.drag(pointer, event.mimeData()) for found in self.gestures)
        event.setAccepted(accepted)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It left."""
        for found in self.gestures:
            found.drag_left()

    def dropEvent(self, event: QDropEvent) -> None:
        """It is dropped."""
        pointer = self._dragged(event)
        if any(found.drop(pointer, event.mimeData()) for found in self.gestures):
            event.acceptProposedAction()
            self.setFocus()

    def _pointer(self, event: QMouseEvent) -> Pointer:
        at = event.position().toPoint()
        screen = event.globalPosition().toPoint()
        return Pointer(self.mapToScene(at), at, event.button(), event.buttons(), event.modifiers(), screen)

    def _dragged(self, event: QDropEvent) -> Pointer:
        at = event.position().toPoint()
        screen, none = self.viewport().mapToGlobal(at), Qt.MouseButton.NoButton
        return Pointer(self.mapToScene(at), at, none, event.buttons(), event.modifiers(), screen)
