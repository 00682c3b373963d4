"""check_ports: every wire joins ports that exist and fit, and every required input is wired."""

from __future__ import annotations

from itertools import groupby

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import Context, Edge, Graph, Vertex, edges, vertex, vertices, wires_into
from nodes.spec import Port

AFTER = ("check_params",)
NO_PORT = declare("MYL120", "error", "a wire ends at a port that does not exist")
MISFIT = declare("MYL121", "error", "a wire joins ports that do not fit")
UNWIRED = declare("MYL122", "error", "a required input is not wired")
CROWDED = declare("MYL123", "error", "an input that takes one wire has several")


def run(graph: Graph, context: Context) -> Graph:
    """The graph without wires that are wrong (each reported)."""
    graph = graph.copy()
    for edge in edges(graph):
        source, target = vertex(graph, edge.source), vertex(graph, edge.target)
        if source.spec and target.spec and not _exists(context, edge, source, target):
            graph.remove_edge(edge.source, edge.target, edge.wire)
    for edge in edges(graph):
        _check_kinds(graph, context, edge)
    for v in vertices(graph):
        _check_inputs(graph, context, v)
    return graph


def _exists(context: Context, edge: Edge, source: Vertex, target: Vertex) -> bool:
    assert source.spec and target.spec
    for owner, port, ports, word in ((source, edge.source_port, source.spec.outputs, "output"),
                                     (target, edge.target_port, target.spec.inputs, "input")):
        if port not in ports:
            has = ", ".join(ports) or f"no {word}s"
            fix = Fix("Remove the wire", ({"op": "del_wire", "id": edge.wire},))
            context.report(NO_PORT((owner.origin,), f"'{owner.name}' has no {word} {port}", port, f"it has {has}", fix))
            return False
    return True


def kind_of(graph: Graph, key: str, port: str, seen: frozenset[str] = frozenset()) -> str | None:
    """The kind an output carries; an output of kind ``same`` carries what arrives at ``input``."""
    v = vertex(graph, key)
    kinds = v.spec.outputs[port].kinds if v.spec and port in v.spec.outputs else (None,)
    if kinds[0] != "same":
        return kinds[0]
    arriving = [e for e in wires_into(graph, key) if e.target_port == "input"]
    if not arriving or key in seen:
        return None
    return kind_of(graph, arriving[0].source, arriving[0].source_port, seen | {key})


def _check_kinds(graph: Graph, context: Context, edge: Edge) -> None:
    source, target = vertex(graph, edge.source), vertex(graph, edge.target)
    kind = kind_of(graph, edge.source, edge.source_port)
    if kind is None or target.spec is None:
        return
    accepted = target.spec.inputs[edge.target_port].kinds
    if kind in accepted:
        return
    hint, fix = ("", None)
    if kind in ("spikes", "value", "potential") and "current" in accepted:
        hint, fix = "put a projection between them", _insert_dense(context, edge)
    message = f"'{source.name}' gives {kind}, but {edge.target_port} of '{target.name}' takes {' or '.join(accepted)}"
    context.report(MISFIT((source.origin, target.origin), message, edge.target_port, hint, fix))


def _insert_dense(context: Context, edge: Edge) -> Fix:
    from engine.document import new_node

    made = context.document.fresh_id()
    wires = [context.document.fresh_id({made}) for _ in range(2)]
    node = new_node("projection.dense", "projection").to_json()
    return Fix("Insert a projection", (
        {"op": "del_wire", "id": edge.wire},
        {"op": "add_node", "id": made, "node": node},
        {"op": "add_wire", "id": wires[0], "wire": {"from": [edge.source, edge.source_port], "to": [made, "input"]}},
        {"op": "add_wire", "id": wires[1], "wire": {"from": [made, "output"], "to": [edge.target, edge.target_port]}},
    ))


def _check_inputs(graph: Graph, context: Context, v: Vertex) -> None:
    if v.spec is None:
        return
    wires = sorted(wires_into(graph, v.id), key=lambda e: e.target_port)
    count = {port: len(list(group)) for port, group in groupby(wires, key=lambda e: e.target_port)}
    for name, port in v.spec.inputs.items():
        _check_count(context, v, name, port, count.get(name, 0))


def _check_count(context: Context, v: Vertex, name: str, port: Port, wires: int) -> None:
    if wires == 0 and not port.optional:
        takes = " or ".join(port.kinds)
        context.report(UNWIRED((v.origin,), f"{name} of '{v.name}' is not wired", name, f"it takes {takes}"))
    if wires > 1 and not port.many:
        context.report(CROWDED((v.origin,), f"{name} of '{v.name}' has {wires} wires but takes one", name))
