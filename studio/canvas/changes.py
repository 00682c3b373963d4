"""Which things on the canvas an edit touches.  No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.document import Document

_STANDING = ("collapsed", "frame", "comment", "group")


@dataclass
class Change:
    """Ids whose looks or place are others; ``structure``: what is shown at all may be another.

    ``moves_alone``: nothing but places of nodes and points of wires are others.
    """

    ids: set[str] = field(default_factory=set)
    structure: bool = False
    everything: bool = False
    moves_alone: bool = True


def change(document: Document, ops: Iterable[dict[str, Any]]) -> Change:
    """What these operations, already applied, touch."""
    found = Change()
    for op in ops:
        if "id" in op:
            found.ids.add(op["id"])
            found.structure, found.moves_alone = True, False
        else:
            _written(document, op["path"], found)
    return found


def _written(document: Document, path: list[Any], found: Change) -> None:
    section = path[0]
    if section not in ("nodes", "wires", "layout", "groups"):
        return
    if len(path) == 1:
        found.everything = True
        return
    found.ids.add(path[1])
    found.moves_alone &= section == "layout"
    if section == "groups" or (section == "nodes" and path[2] == "type"):
        found.structure = True
    if section == "layout":
        drawn = path[1] in document.nodes or path[1] in document.wires
        found.structure |= not drawn if len(path) == 2 else path[2] in _STANDING
        found.moves_alone &= not found.structure
