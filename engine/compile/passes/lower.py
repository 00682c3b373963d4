"""lower: the graph becomes a program."""

from __future__ import annotations

from engine.compile.graph import Context, Graph, Vertex, vertex, wires_into
from engine.program import Op, Program, Source

AFTER = ("probes",)


def run(graph: Graph, context: Context) -> Graph:
    """The program in ``context.program``, ops in the order they run."""
    ops: dict[str, Op] = {}
    for stage in context.stages:
        for key in stage.ops:
            ops[key] = _op(graph, vertex(graph, key), ops)
    meta = context.document.meta
    context.program = Program(
        str(meta.get("title", "")),
        context.dt,
        context.seed,
        ops,
        tuple(context.stages),
        tuple(context.records),
        context.document.recipes,
    )
    return graph


def _op(graph: Graph, v: Vertex, before: dict[str, Op]) -> Op:
    assert v.spec is not None
    wires = wires_into(graph, v.id)
    inputs = {
        port: tuple(Source(e.source, e.source_port) for e in wires if e.target_port == port)
        for port in v.spec.inputs
        if port not in ("delays", "rule")
    }
    # what a loop feeds back does not lengthen the sequence again
    arriving = max((before[e.source].tail for e in wires if e.source in before), default=0)
    tail = arriving + (v.delay.extend if v.delay else 0)
    return Op(v.id, v.name, v.type, v.role, inputs, v.p, v.shapes, v.delay, v.lag, tail)
