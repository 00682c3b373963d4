"""infer_shapes: the shape at every port, found by letting nodes complete what their neighbours know."""

from __future__ import annotations

from collections import deque

from engine.compile.diagnostics import declare
from engine.compile.graph import (
    Context,
    Graph,
    Vertex,
    edges,
    update,
    vertex,
    vertices,
    wires_from,
    wires_into,
)
from nodes.spec import Shape, Shapes

AFTER = ("attach",)
CONFLICT = declare("MYL140", "error", "the two ends of a wire have different shapes")
UNKNOWN = declare("MYL141", "error", "a shape cannot be found out")
REFUSED = declare("MYL142", "error", "a node cannot work with the shape it is given")
ATTACHMENTS = frozenset({"delays", "rule", "modulator", "label", "loss"})


def run(graph: Graph, context: Context) -> Graph:
    """Shapes on every vertex; conflicts and gaps reported."""
    graph = graph.copy()
    for v in vertices(graph):
        update(graph, v.id, shapes=_blank(v))
        _ask(graph, context, v.id)
    pending = deque(sorted(graph))
    waiting: set[str] = set()  # those told something since they were asked
    while pending:
        key = pending.popleft()
        if key in waiting:
            waiting.remove(key)
            _ask(graph, context, key)
        for told in _tell(graph, key):
            if told not in waiting:
                waiting.add(told)
                pending.append(told)
    _report(graph, context)
    return graph


def _blank(v: Vertex) -> Shapes:
    assert v.spec is not None
    return dict.fromkeys([p for p in (*v.spec.inputs, *v.spec.outputs) if p not in ATTACHMENTS - {"label"}])


def _tell(graph: Graph, key: str) -> list[str]:
    """Pass what a vertex knows along its wires; the neighbours that did not know."""
    own = vertex(graph, key).shapes
    ends = [(own.get(e.source_port), e.target, e.target_port) for e in wires_from(graph, key)]
    ends += [(own.get(e.target_port), e.source, e.source_port) for e in wires_into(graph, key)]
    told = []
    for shape, there, port in ends:
        shapes = vertex(graph, there).shapes
        if shape is not None and port in shapes and shapes[port] is None:
            update(graph, there, shapes={**shapes, port: shape})
            told.append(there)
    return told


def _ask(graph: Graph, context: Context, key: str) -> None:
    """Let a node complete its shapes."""
    v = vertex(graph, key)
    assert v.spec is not None
    try:
        answer = v.spec.infer(v.p, dict(v.shapes))
    except ValueError as error:
        report = REFUSED((v.origin,), f"'{v.name}': {error}")
        if report not in context.diagnostics:
            context.report(report)
        return
    merged = {port: shape if shape is not None else answer.get(port) for port, shape in v.shapes.items()}
    update(graph, key, shapes=merged)


def _report(graph: Graph, context: Context) -> None:
    for v in vertices(graph):
        assert v.spec is not None
        missing = [port for port, shape in v.shapes.items() if shape is None and port != "label"]
        if missing and not any(d.severity == "error" for d in context.diagnostics):
            hint = "set its size" if "size" in v.spec.params else "wire it to something whose size is known"
            context.report(
                UNKNOWN((v.origin,), f"the shape of '{v.name}' cannot be found out", missing[0], hint)
            )
        _check_own(context, v)
    for e in edges(graph):
        a, b = vertex(graph, e.source), vertex(graph, e.target)
        out, into = a.shapes.get(e.source_port), b.shapes.get(e.target_port)
        if out is not None and into is not None and out != into:
            message = f"'{a.name}' gives shape {_words(out)}, but '{b.name}' takes {_words(into)}"
            context.report(CONFLICT((a.origin, b.origin), message, e.target_port, "give both the same size"))


def _check_own(context: Context, v: Vertex) -> None:
    """A node whose parameters fix a shape may contradict what its wires brought."""
    assert v.spec is not None
    try:
        own = {**v.spec.infer(v.p, dict(v.shapes)), **_told(v.spec.infer(v.p, dict.fromkeys(v.shapes)))}
    except (ValueError, TypeError):
        return
    for port, shape in own.items():
        if shape is not None and v.shapes.get(port) not in (None, shape):
            message = f"'{v.name}' has shape {_words(shape)}, but is given {_words(v.shapes[port] or ())}"
            context.report(CONFLICT((v.origin,), message, port, "give both the same size"))
            return


def _told(shapes: Shapes) -> Shapes:
    return {port: shape for port, shape in shapes.items() if shape is not None}


def _words(shape: Shape) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"
