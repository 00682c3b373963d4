"""What the mouse and single keys do on the canvas: one class per gesture, found by walking this package.

A gesture is a class in a module of this package::

    @gesture(order=20)
    class Slice(Gesture):
        "Ctrl+Shift drag: cut the wires under the line."

        def press(self, pointer: Pointer) -> bool:
            if not pointer.held("ctrl", "shift") or pointer.button is not Qt.MouseButton.LeftButton:
                return False        # not mine: the next gesture is asked
            ...
            return True             # mine: move and release come to me, and to nobody else

Every view makes one instance of each and asks them in ``order``, lowest first (ties by name):

10-19  act on a port or handle          (wire 10, resize 14, reroute 16)
20-39  need a modifier or special button  (pan 20, slice 24)
50-69  act on what lies under the pointer (move 50)
80-99  the rest                         (rubber band 90)

Rules. The document changes by ``self.session.edit`` alone, once, on release: while the mouse moves, change
only items (``scene.nudge_items``) or items of your own that you add to ``self.scene`` and remove in ``end``.
Escape, a lost focus and an edit by somebody else call ``cancel``: leave no trace.  After ``release`` and
``cancel`` alike the view calls ``end``: remove your own items there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, TypeVar

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt

from studio import discovery

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QMenu

    from studio.canvas.scene import CanvasScene
    from studio.canvas.view import CanvasView
    from studio.session import Session

_KEYS = {
    "shift": Qt.KeyboardModifier.ShiftModifier,
    "ctrl": Qt.KeyboardModifier.ControlModifier,
    "alt": Qt.KeyboardModifier.AltModifier,
}


@dataclass(frozen=True)
class Pointer:
    """Where the mouse is and what is held: ``scene`` in scene units, ``view`` in pixels of the viewport."""

    scene: QPointF
    view: QPoint
    button: Qt.MouseButton
    buttons: Qt.MouseButton
    modifiers: Qt.KeyboardModifier
    screen: QPoint

    @property
    def left(self) -> bool:
        """Whether the left button was pressed or released, or is held while moving."""
        return Qt.MouseButton.LeftButton in (self.button, self.buttons & Qt.MouseButton.LeftButton)

    def held(self, *names: str) -> bool:
        """Whether exactly these of ``shift``, ``ctrl`` and ``alt`` are held."""
        return {name for name, key in _KEYS.items() if self.modifiers & key} == set(names)


class Gesture:
    """Base of all gestures; every method has a default that does nothing."""

    order: ClassVar[int] = 50

    def __init__(self, view: CanvasView) -> None:
        self.view = view

    @property
    def scene(self) -> CanvasScene:
        """The scene of the view."""
        return self.view.canvas

    @property
    def session(self) -> Session:
        """The session that the view shows."""
        return self.view.session

    def press(self, pointer: Pointer) -> bool:
        """A button goes down: True takes the mouse until that button is released."""
        return False

    def move(self, pointer: Pointer) -> None:
        """The mouse moves while this gesture has it."""

    def release(self, pointer: Pointer) -> None:
        """The button that ``press`` took goes up: make the edit."""

    def hover(self, pointer: Pointer) -> bool:
        """The mouse moves with no button held: True if this gesture set cursor or highlight for it."""
        return False

    def double_click(self, pointer: Pointer) -> bool:
        """True if this gesture did something."""
        return False

    def menu(self, pointer: Pointer, menu: QMenu) -> None:
        """A context menu opens here: add to it what this gesture offers."""

    def claims(self, event: QKeyEvent) -> bool:
        """A key goes down that may be a shortcut: True if it is to come to ``key`` instead."""
        return False

    def key(self, event: QKeyEvent) -> bool:
        """A key goes down with the focus on the canvas: True if this gesture used it."""
        return False

    def key_up(self, event: QKeyEvent) -> bool:
        """A key goes up: True if this gesture used it."""
        return False

    def forget_keys(self) -> None:
        """The keyboard goes elsewhere: the release of a key that is held will not be heard."""

    def drag(self, pointer: Pointer, data: QMimeData) -> bool:
        """Something from outside is dragged over the canvas: True if it can be dropped here."""
        return False

    def drop(self, pointer: Pointer, data: QMimeData) -> bool:
        """It is dropped: True if this gesture took it."""
        return False

    def drag_left(self) -> None:
        """What was dragged left the canvas without a drop."""

    def cancel(self) -> None:
        """Escape: put back what ``move`` showed."""

    def end(self) -> None:
        """After ``release`` or ``cancel``: remove what was drawn for this gesture."""


G = TypeVar("G", bound=type[Gesture])
_found: list[type[Gesture]] = []


def gesture(*, order: int) -> Callable[[G], G]:
    """Declare the decorated class a gesture."""

    def declare(found: G) -> G:
        found.order = order
        _found.append(found)
        return found

    return declare


@cache
def table() -> tuple[type[Gesture], ...]:
    """Every gesture, lowest order first."""
    import studio.gestures as package

    discovery.load_all(package)
    return tuple(sorted(_found, key=lambda found: (found.order, found.__name__)))
