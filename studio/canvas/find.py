"""Finding a node that is on the canvas already, by its name or type, and going there."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QSize

from nodes import registry
from studio.canvas.popup import Popup, Row
from studio.canvas.view import CanvasView


def open_find(view: CanvasView) -> Find:
    """Search among the document's nodes."""
    popup = Find(view)
    top = view.viewport().mapToGlobal(QPoint(view.viewport().width() // 2 - popup.width() // 2, 24))
    popup.open_at(top)
    return popup


class Find(Popup):
    """The nodes whose name, type or comment holds what is typed."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view, "Find a node of this document", "No node is called that.")
        self.setAccessibleName("Find a node")
        self._view = view
        self.resize(QSize(420, 320))

    def rows(self, text: str) -> list[Row]:
        """Nodes whose name begins with the text before others."""
        wanted, found = text.lower().strip(), []
        for id, node in self._view.session.document.nodes.items():
            spec = registry.get(node.type)
            label, name = (spec.label if spec else node.type), node.name or id
            note = node.extra.get("note")
            words = " ".join([name, label, node.type, note if isinstance(note, str) else "", id]).lower()
            if wanted in words:
                row = Row(id, spec.role if spec else "node", name, label, node.type)
                found.append((not name.lower().startswith(wanted), name.lower(), id, row))
        return [row for *_, row in sorted(found, key=lambda entry: entry[:3])]

    def take(self, value: Any) -> None:
        """Select the node and bring it into view."""
        self._view.reveal([value])
        self._view.session.select([value])
