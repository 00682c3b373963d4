"""What to do with an empty canvas, in its middle until the first node is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from studio.theme import theme

if TYPE_CHECKING:
    from studio.canvas.view import CanvasView

WORDS = """<p align="center"><b>Nothing here yet</b></p>
<p align="center"><b>Tab</b> or a double click adds a node; or drag one from the library.</p>"""


class Hint(QLabel):
    """A quiet line; the mouse goes through it."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(WORDS, view.viewport())
        self._view = view
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        view.canvas.arranged.connect(self._follow)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._follow()

    def take_place(self) -> None:
        """Stay in the middle, though what is below scrolls."""
        self.adjustSize()
        self.move(self._view.viewport().rect().center() - self.rect().center())

    def _follow(self) -> None:
        self.setVisible(not self._view.canvas.items_by_id)

    def _restyle(self) -> None:
        self.setStyleSheet(f"color: {theme.colour('muted').name()}; font-size: 14px;")
