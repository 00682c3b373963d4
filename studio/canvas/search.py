"""Search-to-add: finds a node type, shows what it looks like, and adds it at the pointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QSize

from engine.document import End
from nodes import registry
from studio import search
from studio.canvas.face import AXIS
from studio.canvas.popup import Popup, Row
from studio.canvas.preview import Preview, one_line
from studio.canvas.view import CanvasView
from studio.edits import create
from studio.edits.ports import Ports
from studio.settings import Settings

SIZE = QSize(680, 400)


@dataclass(frozen=True)
class Loose:
    """A wire whose other end was dropped on empty canvas; ``outgoing``: it leaves the output ``end``."""

    end: End
    outgoing: bool


def open_search(view: CanvasView, at: QPointF, screen: QPoint, loose: Loose | None = None) -> Search:
    """Search for a node to add ``at`` a place of the scene, joined to a loose wire if one is given."""
    popup = Search(view, at, loose)
    popup.open_at(screen)
    return popup


class Search(Popup):
    """The types that match, and the marked one as it will look."""

    def __init__(self, view: CanvasView, at: QPointF, loose: Loose | None) -> None:
        need = wanted(view, loose)
        super().__init__(view, _prompt(loose, need), "Nothing of that name fits here.")
        self.setAccessibleName("Add a node")
        self._view, self._at, self._loose, self._wanted = view, at, loose, need
        settings = getattr(view.window(), "settings", None)  # of the main window; a bare canvas has none
        self._uses = search.Uses(settings if isinstance(settings, Settings) else None)
        self.preview = Preview()
        self.below.addWidget(self.preview, 4)
        self.resize(SIZE)

    def rows(self, text: str) -> list[Row]:
        """The types that match and fit."""
        found = search.found(text, self._wanted, self._uses.counts)
        return [Row(spec.type, spec.role, spec.label, spec.category, one_line(spec)) for spec in found]

    def mark(self, value: Any | None) -> None:
        """Show what would be added."""
        self.preview.show_type(registry.get(value) if value else None)

    def take(self, value: Any) -> None:
        """Add a node of this type."""
        self._uses.add(value)
        add(self._view, value, self._at, self._loose)


def add(view: CanvasView, type: str, at: QPointF, loose: Loose | None) -> None:
    """Add a node in one step, joined to the loose wire, and select it."""
    session, spec = view.session, registry.get(type)
    place = at - QPointF(0, AXIS)
    place = view.snapped(place) if loose is None else place

    def change() -> None:
        document, corner = session.document, (place.x(), place.y())
        if loose is None:
            ops, id = create.add(document, type, corner, session.scope)
        else:
            ops, id = create.add_wired(document, type, corner, loose.end, loose.outgoing, session.scope)
        if session.edit(f"Add {spec.label if spec else type}", ops):
            session.select([id])

    session.attempt(change)


def wanted(view: CanvasView, loose: Loose | None) -> search.Wanted:
    """What a node must have to fit the loose wire."""
    if loose is None:
        return search.Wanted()
    ports = Ports(view.session.document)
    if loose.outgoing:
        kind = ports.kind(loose.end)
        return search.Wanted((kind,) if kind else (), True)
    port = ports.input(loose.end)
    return search.Wanted(port.kinds if port else (), False)


def _prompt(loose: Loose | None, need: search.Wanted) -> str:
    if loose is None:
        return "Search nodes to add"
    kinds = " or ".join(need.kinds) or "anything"
    return f"Search nodes that take {kinds}" if loose.outgoing else f"Search nodes that give {kinds}"
