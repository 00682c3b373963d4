"""Muting nodes, and bypassing them."""

from __future__ import annotations

from collections.abc import Iterable

from engine.document import Document, EditError
from engine.document.ops import set_op, unset_op
from studio.edits.draft import Ops

MODES = ("mute", "bypass")


def toggle(document: Document, nodes: Iterable[str], mode: str) -> Ops:
    """Give all nodes the mode, or take it from all if all have it."""
    chosen = sorted(set(nodes) & document.nodes.keys())
    if not chosen:
        raise EditError(f"select nodes to {mode} first")
    if all(mode_of(document, node) == mode for node in chosen):
        return [unset_op(["nodes", node, "mode"]) for node in chosen]
    return [set_op(["nodes", node, "mode"], mode) for node in chosen if mode_of(document, node) != mode]


def take_in(document: Document, nodes: Iterable[str]) -> Ops:
    """Take away whatever mode nodes have."""
    return [
        unset_op(["nodes", node, "mode"]) for node in sorted(nodes) if mode_of(document, node) is not None
    ]


def mode_of(document: Document, node: str) -> object:
    """``mute``, ``bypass`` or None."""
    return document.nodes[node].extra.get("mode")
