"""attach: delays leave the graph and become part of the projection they are wired to."""

from __future__ import annotations

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import Context, Graph, Vertex, update, vertex, vertices, wires_from
from nodes.roles import Projection

AFTER = ("check_ports",)
GRANULARITY = declare("MYL130", "error", "a projection cannot carry delays of this granularity")
LOOSE = declare("MYL131", "warning", "delays are attached to nothing")


def run(graph: Graph, context: Context) -> Graph:
    """Every projection names its delays; vertices of delays are kept in ``context.delays``."""
    graph = graph.copy()
    for v in [v for v in vertices(graph) if v.role == "delays"]:
        targets = [edge.target for edge in wires_from(graph, v.id)]
        if not targets:
            context.report(
                LOOSE((v.origin,), f"'{v.name}' is attached to nothing", hint="wire it to a projection")
            )
        for key in targets:
            _check(context, v, vertex(graph, key))
            update(graph, key, delays=v.id)
        context.delays[v.id] = v
        graph.remove_node(v.id)
    return graph


def _check(context: Context, delays: Vertex, target: Vertex) -> None:
    assert target.spec is not None and issubclass(target.spec, Projection)
    allowed = target.spec.delayable
    wanted = delays.p.granularity
    if wanted in allowed:
        return
    path = ["nodes", delays.origin, "params", "granularity"]
    fix = Fix(f"Use one delay per {allowed[0]}", ({"op": "set", "path": path, "value": allowed[0]},))
    message = f"'{target.name}' ({target.spec.label}) cannot carry delays per {wanted}"
    context.report(
        GRANULARITY(
            (delays.origin, target.origin), message, "granularity", f"use {' or '.join(allowed)}", fix
        )
    )
