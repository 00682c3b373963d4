"""build: a vertex for every node and an edge for every wire of the document."""

from __future__ import annotations

import difflib

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Edge, Graph, Vertex, add, join
from nodes import registry

AFTER: tuple[str, ...] = ()
UNKNOWN_TYPE = declare("MYL101", "error", "the node type is not installed")
EMPTY = declare("MYL102", "error", "the document has no nodes")
BROKEN_PACKAGE = declare("MYL105", "warning", "node types are missing because their package cannot be loaded")


def run(graph: Graph, context: Context) -> Graph:
    """Start the graph; unknown node types stay as vertices without a declaration, an error unless muted."""
    document = context.document
    if not document.nodes:
        context.report(EMPTY((), "the document has no nodes", hint="add a population and a source of input"))
    for problem in registry.problems():
        message = f"{problem.what} cannot be loaded ({problem.reason})"
        context.report(BROKEN_PACKAGE((), message, hint=f"update or remove {problem.owner}"))
    for key, node in sorted(document.nodes.items()):
        spec = registry.get(node.type)
        name = node.name or key
        add(graph, Vertex(key, key, name, node.type, spec, node.params))
        if spec is None and node.extra.get("mode") != "mute":
            near = difflib.get_close_matches(node.type, registry.all(), 1)
            hint = f"did you mean {near[0]}?" if near else "install the package that declares it"
            context.report(UNKNOWN_TYPE((key,), f"'{name}' has the unknown type {node.type}", hint=hint))
    for key, wire in sorted(document.wires.items(), key=lambda item: item[0]):
        join(graph, Edge(key, *wire.source, *wire.target))
    return graph
