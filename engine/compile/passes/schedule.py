"""schedule: strongly connected components become stages, over whole sequences or, loops, in chunks.

A loop may run in chunks of c steps when every cycle in it passes a projection delayed by at least c: such a
projection reads only what earlier chunks left, and without it the component has an order.
"""

from __future__ import annotations

import networkx as nx

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import Context, Graph, Vertex, vertex
from engine.program import Stage

AFTER = ("check_delays", "check_memory", "check_times")
NO_DELAY = declare("MYL160", "error", "a loop has no delay")
IN_PIECES = declare("MYL161", "warning", "statistics over time are taken of pieces of the sequence")


def run(graph: Graph, context: Context) -> Graph:
    """Stages in ``context.stages``, in a deterministic order."""
    context.stages = []
    plain = nx.DiGraph()  # filled in order, because cycles are found in the order of insertion
    plain.add_nodes_from(sorted(graph))
    plain.add_edges_from(sorted(graph.edges()))
    condensed = nx.condensation(plain)
    first = {key: min(data["members"]) for key, data in condensed.nodes(data=True)}
    for key in nx.lexicographical_topological_sort(condensed, key=first.__getitem__):
        members = sorted(condensed.nodes[key]["members"])
        loop = len(members) > 1 or plain.has_edge(members[0], members[0])
        context.stages.append(
            _loop(graph, context, _among(plain, members)) if loop else Stage(tuple(members))
        )
    return graph


def _among(graph: nx.DiGraph, members: list[str]) -> nx.DiGraph:
    """The part of a graph between some of its vertices, in the order these are given."""
    kept, part = set(members), nx.DiGraph()
    part.add_nodes_from(members)
    part.add_edges_from((a, b) for a in members for b in sorted(graph.successors(a)) if b in kept)
    return part


def _loop(graph: Graph, context: Context, part: nx.DiGraph) -> Stage:
    delay = {key: vertex(graph, key).smallest_delay for key in sorted(part)}
    for chunk in sorted({d for d in delay.values() if d > 0}, reverse=True):
        cut = tuple(key for key, steps in delay.items() if steps >= chunk)
        rest = _among(part, [key for key, steps in delay.items() if steps < chunk])
        if nx.is_directed_acyclic_graph(rest):
            _warn_of_pieces(graph, context, sorted(part), chunk)
            return Stage((*cut, *nx.lexicographical_topological_sort(rest)), chunk, cut)
    _report(graph, context, _among(part, [key for key, steps in delay.items() if steps == 0]))
    return Stage(tuple(sorted(part)), 1)


def _warn_of_pieces(graph: Graph, context: Context, members: list[str], chunk: int) -> None:
    """A loop sees its sequence in chunks, and so does a node that looks at all steps at once."""
    for v in (vertex(graph, key) for key in members):
        if v.spec and v.spec.over_time:
            steps = "one step" if chunk == 1 else f"{chunk} steps"
            message = (
                f"'{v.name}' stands in a loop: in training its statistics are those of {steps} at a time"
            )
            hint = "move it out of the loop, or lengthen the loop's smallest delay"
            context.report(IN_PIECES((v.origin,), message, hint=hint))


def _report(graph: Graph, context: Context, undelayed: nx.DiGraph) -> None:
    cycle = [vertex(graph, a) for a, _ in nx.find_cycle(undelayed)]
    start = min(range(len(cycle)), key=lambda i: cycle[i].id)
    loop = cycle[start:] + cycle[:start]
    names = " -> ".join(f"'{v.name}'" for v in [*loop, loop[0]])
    fix = _delay_fix(context, loop)
    hint = "insert a one-step delay" if fix else "give a projection in the loop a delay of at least one step"
    context.report(NO_DELAY(tuple(v.origin for v in loop), f"the loop {names} has no delay", "", hint, fix))


def _delay_fix(context: Context, loop: list[Vertex]) -> Fix | None:
    """A one-step lag on the first projection of the loop."""
    for v in loop:
        if v.spec and "lag" in v.spec.params:
            path = ["nodes", v.origin, "params", "lag"]
            return Fix(f"Delay '{v.name}' by one step", ({"op": "set", "path": path, "value": 1},))
    return None
