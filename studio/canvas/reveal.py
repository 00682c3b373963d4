"""Which group to enter to see given nodes.  No Qt."""

from __future__ import annotations

from collections.abc import Iterable

from engine.document import Document
from engine.document.groups import ancestors


def scope_of(document: Document, keys: Iterable[str], scope: str | None) -> str | None:
    """The present scope if it shows all of these, else the innermost group that does, else the top."""
    owner = {node: group for group, entry in document.groups.items() for node in entry["nodes"]}
    lines = [ancestors(document.groups, owner[key]) if key in owner else [] for key in keys]
    if scope is None or not lines or all(scope in line for line in lines):
        return scope
    shared = [group for group in lines[0] if all(group in line for line in lines)]
    return shared[0] if shared else None
