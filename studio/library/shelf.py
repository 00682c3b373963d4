"""Favourite and recently used node types, kept in the settings."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.document import Edit
from nodes import registry
from studio.settings import Settings

FAVOURITES, RECENT = "library/favourites", "library/recent"
MOST_RECENT = 6


class Shelf(QObject):
    """``favourites`` in the order they were chosen, ``recent`` the newest first."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.favourites, self.recent = self._known(FAVOURITES), self._known(RECENT)

    def _known(self, key: str) -> list[str]:
        return [type for type in self._settings.texts(key) if registry.get(type)]

    def toggle(self, type: str) -> None:
        """Make a type a favourite, or one no longer."""
        without = [other for other in self.favourites if other != type]
        self.favourites = without if type in self.favourites else [*without, type]
        self._settings.put(FAVOURITES, self.favourites)
        self.changed.emit()

    def note(self, edit: Edit) -> None:
        """Types that an edit adds, however they were found, are recently used."""
        added = [op["node"]["type"] for op in edit.ops if op["op"] == "add_node"]
        known = [type for type in dict.fromkeys(reversed(added)) if registry.get(type)]
        recent = [*known, *(type for type in self.recent if type not in known)][:MOST_RECENT]
        if recent != self.recent:
            self.recent = recent
            self._settings.put(RECENT, recent)
            self.changed.emit()
