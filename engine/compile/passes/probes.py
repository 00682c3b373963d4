"""probes: probe nodes leave the graph and become records of the source they are wired to."""

from __future__ import annotations

from dataclasses import replace

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, Vertex, vertex, vertices, wires_into
from engine.program import Record, Source
from nodes.roles import Probe

AFTER = ("fuse",)
NOT_THERE = declare("MYL180", "error", "a probe records what its source does not have")


def run(graph: Graph, context: Context) -> Graph:
    """Records in ``context.records``; two probes of one name get their ids appended."""
    graph = graph.copy()
    names = [v.name for v in vertices(graph) if v.role == "probe"]
    for v in [v for v in vertices(graph) if v.role == "probe"]:
        name = v.name if names.count(v.name) == 1 else f"{v.name} {v.id}"
        edge = wires_into(graph, v.id)[0]
        _check(context, v, vertex(graph, edge.source))
        assert v.spec is not None and issubclass(v.spec, Probe)
        context.records.append(Record(name, v.id, Source(edge.source, edge.source_port), v.spec.records, v.p))
        graph.remove_node(v.id)
    kept = (replace(s, ops=tuple(op for op in s.ops if op in graph)) for s in context.stages)
    context.stages = [stage for stage in kept if stage.ops]
    return graph


def _check(context: Context, probe: Vertex, source: Vertex) -> None:
    assert probe.spec is not None and issubclass(probe.spec, Probe)
    records = probe.spec.records
    missing = (records == "weights" and source.role != "projection") or (
        records == "delays" and source.delay is None
    )
    if missing:
        message = f"'{probe.name}' records {records}, but '{source.name}' has none"
        context.report(
            NOT_THERE((probe.origin, source.origin), message, "input", "wire it to a projection that has")
        )
