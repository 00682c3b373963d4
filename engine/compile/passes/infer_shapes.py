"""infer_shapes: the shape at every port, found by letting nodes complete what their neighbours know."""

from __future__ import annotations

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, Vertex, edges, update, vertex, vertices
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
    while _round(graph, context):
        pass
    _report(graph, context)
    return graph


def _blank(v: Vertex) -> Shapes:
    assert v.spec is not None
    return dict.fromkeys([p for p in (*v.spec.inputs, *v.spec.outputs) if p not in ATTACHMENTS - {"label"}])


def _round(graph: Graph, context: Context) -> bool:
    """Ask every node and follow every wire once; True when something was learnt."""
    learnt = False
    for v in list(vertices(graph)):
        learnt |= _ask(graph, context, v)
    for e in edges(graph):
        a, b = vertex(graph, e.source), vertex(graph, e.target)
        for known, there, port in ((a.shapes.get(e.source_port), b, e.target_port),
                                   (b.shapes.get(e.target_port), a, e.source_port)):
            if known is not None and port in there.shapes and there.shapes[port] is None:
                update(graph, there.id, shapes={**vertex(graph, there.id).shapes, port: known})
                learnt = True
    return learnt


def _ask(graph: Graph, context: Context, v: Vertex) -> bool:
    assert v.spec is not None
    try:
        answer = v.spec.infer(v.p, dict(v.shapes))
    except ValueError as error:
        report = REFUSED((v.origin,), f"'{v.name}': {error}")
        if report not in context.diagnostics:
            context.report(report)
        return False
    merged = {port: shape if shape is not None else answer.get(port) for port, shape in v.shapes.items()}
    if merged == v.shapes:
        return False
    update(graph, v.id, shapes=merged)
    return True


def _report(graph: Graph, context: Context) -> None:
    for v in vertices(graph):
        assert v.spec is not None
        missing = [port for port, shape in v.shapes.items() if shape is None and port != "label"]
        if missing and not context.diagnostics:
            hint = "set its size" if "size" in v.spec.params else "wire it to something whose size is known"
            context.report(UNKNOWN((v.origin,), f"the shape of '{v.name}' cannot be found out", missing[0], hint))
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
