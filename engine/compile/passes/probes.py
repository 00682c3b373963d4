"""probes: probe nodes leave the graph and become records of the source they are wired to."""

from __future__ import annotations

from dataclasses import replace

from engine.compile.graph import Context, Graph, vertices, wires_into
from engine.program import Record, Source
from nodes.spec import Probe

AFTER = ("fuse",)


def run(graph: Graph, context: Context) -> Graph:
    """Records in ``context.records``; two probes of one name get their ids appended."""
    graph = graph.copy()
    names = [v.name for v in vertices(graph) if v.role == "probe"]
    for v in [v for v in vertices(graph) if v.role == "probe"]:
        name = v.name if names.count(v.name) == 1 else f"{v.name} {v.id}"
        edge = wires_into(graph, v.id)[0]
        assert v.spec is not None and issubclass(v.spec, Probe)
        context.records.append(Record(name, v.id, Source(edge.source, edge.source_port), v.spec.records, v.p))
        graph.remove_node(v.id)
    kept = (replace(s, ops=tuple(op for op in s.ops if op in graph)) for s in context.stages)
    context.stages = [stage for stage in kept if stage.ops]
    return graph
