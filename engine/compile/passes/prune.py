"""prune: what reaches no population, readout, loss or probe has no effect and is left out."""

from __future__ import annotations

from dataclasses import replace

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, vertices

AFTER = ("schedule",)
UNUSED = declare("MYL170", "info", "a node has no effect")
OBSERVED = ("population", "readout", "loss", "probe")


def run(graph: Graph, context: Context) -> Graph:
    """The graph and the stages without nodes that nothing depends on."""
    ends = [v.id for v in vertices(graph) if v.role in OBSERVED]
    used = _leading_to(graph, ends)
    for v in [v for v in vertices(graph) if v.id not in used]:
        context.report(UNUSED((v.origin,), f"'{v.name}' leads nowhere and is left out"))
    kept = (replace(s, ops=tuple(op for op in s.ops if op in used)) for s in context.stages)
    context.stages = [stage for stage in kept if stage.ops]
    return graph.subgraph(used).copy()


def _leading_to(graph: Graph, ends: list[str]) -> set[str]:
    """The ends and everything from which wires lead there."""
    found, pending = set(ends), list(ends)
    while pending:
        new = set(graph.predecessors(pending.pop())) - found
        found |= new
        pending += new
    return found
