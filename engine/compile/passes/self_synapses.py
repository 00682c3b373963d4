"""self_synapses: only within one population can a neuron project to itself, and so be barred from it."""

from __future__ import annotations

from collections.abc import Callable

from engine.compile.graph import Context, Edge, Graph, update, vertex, vertices, wires_from, wires_into
from nodes.spec import Values

AFTER = ("attach",)
BEFORE = ("infer_shapes",)  # which counts the sources that a neuron can have


def run(graph: Graph, context: Context) -> Graph:
    """``allow_self`` as it counts: between two populations neuron i is free to project to neuron i."""
    graph = graph.copy()
    for v in list(vertices(graph)):
        if v.role == "projection" and v.p.get("allow_self") is False and not _within_one(graph, v.id):
            update(graph, v.id, p=Values({**v.p, "allow_self": True}))
    return graph


def _within_one(graph: Graph, key: str) -> bool:
    """Whether some population hears itself through this projection."""
    sources = _reached(graph, key, lambda here: [e.source for e in _from_signals(wires_into(graph, here))])
    targets = _reached(graph, key, lambda here: [e.target for e in wires_from(graph, here)])
    return bool(sources & targets)


def _from_signals(wires: list[Edge]) -> list[Edge]:
    return [edge for edge in wires if edge.target_port == "input"]


def _reached(graph: Graph, start: str, onward: Callable[[str], list[str]]) -> set[str]:
    """The first nodes met in one direction, looking through those that only reshape, normalise or drop."""
    found: set[str] = set()
    pending = onward(start)
    while pending:
        key = pending.pop()
        if key not in found:
            found.add(key)
            pending += onward(key) if vertex(graph, key).role == "structure" else []
    return {key for key in found if vertex(graph, key).role != "structure"}
