"""What is shown in a scope, and by what: nodes, collapsed and expanded groups, frames, comments.  No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.document import Document
from engine.document.groups import ancestors
from studio.canvas.face import PortRef


@dataclass(frozen=True)
class Shown:
    """What stands on the canvas inside one group, or at the top.

    ``stand_in``: for every node in scope the id that shows it: its own, or that of a collapsed group.
    ``members``: for every expanded group the ids that its frame surrounds.
    """

    scope: str | None
    stand_in: dict[str, str] = field(default_factory=dict)
    collapsed: frozenset[str] = frozenset()
    members: dict[str, list[str]] = field(default_factory=dict)
    notes: frozenset[str] = frozenset()


def is_collapsed(document: Document, group: str) -> bool:
    """Whether a group is drawn as one box."""
    return bool(document.layout.get(group, {}).get("collapsed", False))


def is_note(document: Document, key: str) -> bool:
    """Whether a layout entry is a frame or a comment, which exist in the layout alone."""
    entry = document.layout.get(key, {})
    return (
        ("frame" in entry or "comment" in entry) and key not in document.nodes and key not in document.groups
    )


def shown(document: Document, scope: str | None) -> Shown:
    """Everything that is shown when ``scope`` is entered."""
    lines = {group: ancestors(document.groups, group) for group in document.groups}
    owner = {node: group for group, entry in document.groups.items() for node in entry["nodes"]}
    stand_in = {}
    for node in document.nodes:
        found = _stand_in(document, node, lines[owner[node]] if node in owner else [], scope)
        if found is not None:
            stand_in[node] = found
    boxes, frames = _groups(document, lines, scope)
    members: dict[str, list[str]] = {group: [] for group in frames}
    for node, key in stand_in.items():
        if key == node:
            _enlist(members, owner.get(node), node)
    for group in [*boxes, *frames]:
        _enlist(members, document.groups[group]["parent"], group)
    here = frozenset(
        key
        for key in document.layout
        if is_note(document, key) and document.layout[key].get("group") == scope
    )
    return Shown(scope, stand_in, frozenset(boxes), members, here)


def exposed(document: Document, group: str, side: str) -> list[tuple[str, PortRef]]:
    """The ports of a collapsed group by name, each with the member's port that it stands for."""
    ports: dict[str, Any] = document.groups[group]["ports"].get(side, {})
    return [(name, PortRef(end[0], end[1], side)) for name, end in sorted(ports.items())]


def _stand_in(document: Document, node: str, line: list[str], scope: str | None) -> str | None:
    """Who shows a node within groups ``line`` (innermost first): None outside of the scope."""
    if scope is not None:
        if scope not in line:
            return None
        line = line[: line.index(scope)]
    folded = [group for group in line if is_collapsed(document, group)]
    return folded[-1] if folded else node


def _groups(
    document: Document, lines: dict[str, list[str]], scope: str | None
) -> tuple[list[str], list[str]]:
    """The collapsed and the expanded groups in scope that no collapsed group hides."""
    boxes: list[str] = []
    frames: list[str] = []
    for group in sorted(document.groups):
        around = lines[group][1:]
        if group == scope or (scope is not None and scope not in around):
            continue
        inner = around[: around.index(scope)] if scope is not None else around
        if not any(is_collapsed(document, outer) for outer in inner):
            (boxes if is_collapsed(document, group) else frames).append(group)
    return boxes, frames


def _enlist(members: dict[str, list[str]], group: str | None, key: str) -> None:
    if group in members:
        members[group].append(key)
