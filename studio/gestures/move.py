"""Moving what is selected: by dragging, and with the arrow keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from studio.canvas.box import BoxItem
from studio.canvas.face import GRID
from studio.canvas.guides import Guides
from studio.canvas.moves import goes_along, move_ops
from studio.canvas.wire import WireItem
from studio.gestures import Gesture, Pointer, gesture

if TYPE_CHECKING:
    from studio.canvas.scene import CanvasScene

SLOP = 4
"""Pixels that the mouse may tremble in a click."""

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@gesture(order=50)
class Move(Gesture):
    """Click: select.  Drag: move the selection, with all that lies on a frame in it.

    Shift or Ctrl and click adds to the selection or takes away.  While dragging, Alt turns snapping off.
    """

    _guides: Guides | None = None

    def press(self, pointer: Pointer) -> bool:
        """Take hold of what lies here."""
        key = self.scene.node_at(pointer.scene) or self.scene.box_at(pointer.scene)
        if key is None or pointer.button is not Qt.MouseButton.LeftButton or pointer.held("alt"):
            return False
        self._key, self._pressed, self._guides = key, pointer, None
        self._by = QPointF()
        self._narrow = self._select(key, pointer)
        return True

    def _select(self, key: str, pointer: Pointer) -> bool:
        """Select for a click; whether a click, unlike a drag, is to leave only this selected."""
        chosen = self.session.selection
        if pointer.held("shift") or pointer.held("ctrl"):
            self.session.select(chosen ^ {key})
            return False
        if key in chosen:
            return len(chosen) > 1
        self.session.select({key})
        return False

    def move(self, pointer: Pointer) -> None:
        """Show the selection where it would be."""
        if self._guides is None and (pointer.view - self._pressed.view).manhattanLength() <= SLOP:
            return
        if self._guides is None:
            self._begin()
        if not self._keys or self._guides is None:
            return
        self._by = pointer.scene - self._pressed.scene
        if self.view.snap and not pointer.held("alt"):
            self._by = self._guides.snapped(self._by)
        else:
            self._guides.hide()
        self.scene.nudge_items(self._along, self._by)

    def _begin(self) -> None:
        chosen = self.session.selection if self._key in self.session.selection else frozenset()
        self._keys = carried(self.scene, chosen)
        self._along = goes_along(self.session.document, self._keys)
        self._guides = Guides(self.scene, self._key, self._keys, self.view)

    def release(self, pointer: Pointer) -> None:
        """Make the move one edit, or the click a selection."""
        if self._guides is None:
            if self._narrow:
                self.session.select({self._key})
            return
        if self._keys and not self._by.isNull():
            move_items(self, self._keys, self._by)

    def cancel(self) -> None:
        """Leave everything where it was."""
        self.scene.settle()

    def end(self) -> None:
        """Remove the guides; the items stand where the document says."""
        if self._guides is not None:
            self._guides.hide()
        self.scene.settle()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows move the selection by a step of the grid, with Shift by one; Alt selects the neighbour."""
        if event.key() not in _ARROWS or self.view.busy:
            return False
        x, y = _ARROWS[Qt.Key(event.key())]
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return self._walk(x, y)
        step = 1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else GRID
        keys = carried(self.scene, self.session.selection)
        if not keys:
            self.view.pan_by(QPointF(-60 * x, -60 * y).toPoint())
            return True
        move_items(self, keys, QPointF(x * step, y * step), "nudge " + " ".join(sorted(keys)))
        return True

    def _walk(self, x: int, y: int) -> bool:
        """Select the nearest node in a direction."""
        here = self.scene.extent(self.session.selection).center()
        found = []
        for key in {*self.scene.shown.stand_in.values()} - self.session.selection:
            way = self.scene.node_rect(key).center() - here
            along, aside = way.x() * x + way.y() * y, abs(way.x() * y) + abs(way.y() * x)
            if along > 0 and along * 1.5 >= aside:
                found.append((along + 2 * aside, key))
        if found:
            self.session.select({min(found)[1]})
            self.view.reveal(self.session.selection)
        return True


def move_items(gesture: Gesture, keys: set[str], by: QPointF, merge: str | None = None) -> None:
    """Move these in one edit."""
    document, scene = gesture.session.document, gesture.scene
    homes = {key: scene.home(key) for key in goes_along(document, keys) if key not in document.wires}
    places = {key: (home.x(), home.y()) for key, home in homes.items()}
    ops = move_ops(document, keys, by.x(), by.y(), places)
    gesture.session.edit("Move" if len(keys) == 1 else f"Move {len(keys)} things", ops, merge)


def carried(scene: CanvasScene, chosen: frozenset[str]) -> set[str]:
    """The nodes and boxes of a selection with what lies on its frames."""
    boxes = {key: item for key, item in scene.items_by_id.items() if not isinstance(item, WireItem)}
    found = chosen & boxes.keys()
    for key in chosen & boxes.keys():
        item = boxes[key]
        if isinstance(item, BoxItem) and item.box.kind == "frame":
            area = item.area()
            found |= {other for other, thing in boxes.items() if area.contains(thing.area())}
    return set(found)
