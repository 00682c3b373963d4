"""Deleting what is selected, whatever it is."""

from __future__ import annotations

from collections.abc import Iterable

from engine.document import Document, delete_nodes
from engine.document.groups import ancestors, members
from engine.document.ops import set_op, unset_op
from studio.canvas.shown import is_note
from studio.edits.draft import Draft, Ops


def delete(document: Document, ids: Iterable[str]) -> Ops:
    """Delete nodes with their wires and plots, wires, whole groups, frames and comments."""
    chosen = set(ids)
    draft = Draft(document)
    nodes = with_members(document, chosen)
    draft.unwire(chosen & document.wires.keys())
    draft.do(_views_without(document, nodes))
    draft.do(delete_nodes(draft.document, nodes))
    _delete_empty_groups(draft, chosen)
    draft.do([unset_op(["layout", id]) for id in _notes(document, chosen)])
    return draft.ops


def with_members(document: Document, ids: set[str]) -> set[str]:
    """The nodes among ``ids`` and those in the groups among them, however deep."""
    inside = members(document.groups)
    return (ids & document.nodes.keys()).union(*(inside[id] for id in ids & document.groups.keys()))


def groups_within(document: Document, ids: set[str]) -> set[str]:
    """The groups among ``ids`` and all groups in them."""
    return {id for id in document.groups if ids.intersection(ancestors(document.groups, id))}


def _views_without(document: Document, nodes: set[str]) -> Ops:
    kept = [
        view for view in document.views if not isinstance(view, dict) or str(view.get("node")) not in nodes
    ]
    return [set_op(["views"], kept)] if len(kept) < len(document.views) else []


def _notes(document: Document, chosen: set[str]) -> list[str]:
    """The frames and comments among these, and those that can be seen only within groups among them."""
    gone = groups_within(document, chosen)
    notes = [id for id in document.layout if is_note(document, id)]
    return sorted(id for id in notes if id in chosen or document.layout[id].get("group") in gone)


def _delete_empty_groups(draft: Draft, chosen: set[str]) -> None:
    """Groups that held no nodes before are deleted on request only, the innermost first."""
    doomed = groups_within(draft.document, chosen & draft.document.groups.keys())
    draft.do([unset_op(["layout", id]) for id in sorted(doomed & draft.document.layout.keys())])
    draft.do([unset_op(["groups", id]) for id in sorted(doomed)])
