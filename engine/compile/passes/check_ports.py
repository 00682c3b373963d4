"""check_ports: every wire joins ports that exist and fit, and every required input is wired."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from random import Random

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import Context, Edge, Graph, Vertex, edges, vertex, vertices, wires_into
from engine.document import Document, new_node
from engine.document.document import distinct
from nodes.spec import Port, Spec

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
    kinds = kinds_of(graph)
    for edge in edges(graph):
        _check_kinds(graph, context, edge, kinds.of(edge.source, edge.source_port))
    for v in vertices(graph):
        _check_inputs(graph, context, v)
    return graph


def _exists(context: Context, edge: Edge, source: Vertex, target: Vertex) -> bool:
    assert source.spec and target.spec
    for owner, port, ports, word in (
        (source, edge.source_port, source.spec.outputs, "output"),
        (target, edge.target_port, target.spec.inputs, "input"),
    ):
        if port not in ports:
            has = ", ".join(ports) or f"no {word}s"
            known = edge.wire in context.document.wires
            fix = Fix("Remove the wire", ({"op": "del_wire", "id": edge.wire},)) if known else None
            context.report(
                NO_PORT((owner.origin,), f"'{owner.name}' has no {word} {port}", port, f"it has {has}", fix)
            )
            return False
    return True


class Kinds:
    """The kind every output carries; an output of kind ``same`` carries what arrives at ``input``.

    ``spec``: the declaration of a node; ``arriving``: the output that is wired to its ``input``, if any.
    """

    def __init__(
        self, spec: Callable[[str], Spec | None], arriving: Callable[[str], tuple[str, str] | None]
    ) -> None:
        self._spec, self._arriving = spec, arriving
        self._known: dict[tuple[str, str], str | None] = {}

    def of(self, key: str, port: str) -> str | None:
        """The kind of an output, None where nothing tells."""
        path = []
        while (key, port) not in self._known:
            self._known[key, port] = self._declared(key, port)
            if self._known[key, port] != "same":
                break
            path.append((key, port))
            self._known[key, port] = None  # for a circle of nodes that pass on what they are given
            arriving = self._arriving(key)
            if arriving is None:
                break
            key, port = arriving
        self._known.update(dict.fromkeys(path, self._known[key, port]))
        return self._known[path[0]] if path else self._known[key, port]

    def _declared(self, key: str, port: str) -> str | None:
        spec = self._spec(key)
        return spec.outputs[port].kinds[0] if spec and port in spec.outputs else None


def kinds_of(graph: Graph) -> Kinds:
    """The kinds of a graph's outputs."""

    def arriving(key: str) -> tuple[str, str] | None:
        found = (e for e in wires_into(graph, key) if e.target_port == "input")
        return next(((e.source, e.source_port) for e in found), None)

    return Kinds(lambda key: vertex(graph, key).spec, arriving)


def _check_kinds(graph: Graph, context: Context, edge: Edge, kind: str | None) -> None:
    source, target = vertex(graph, edge.source), vertex(graph, edge.target)
    if kind is None or target.spec is None:
        return
    accepted = target.spec.inputs[edge.target_port].kinds
    if kind in accepted:
        return
    hint, fix = ("", None)
    if kind in ("spikes", "value", "potential") and "current" in accepted:
        hint, fix = "put a projection between them", _insert_dense(context, edge)
    takes = " or ".join(accepted)
    message = f"'{source.name}' gives {kind}, but {edge.target_port} of '{target.name}' takes {takes}"
    context.report(MISFIT((source.origin, target.origin), message, edge.target_port, hint, fix))


def _insert_dense(context: Context, edge: Edge) -> Fix | None:
    document = context.document
    if edge.wire not in document.wires:
        return None  # the wire between two copies of a group is none of the document's
    made, first, second = _ids(document, edge.wire)
    node = new_node("projection.dense", distinct("dense", document.names())).to_json()
    wire = document.wires[edge.wire]
    return Fix(
        "Insert a projection",
        (
            {"op": "del_wire", "id": edge.wire},
            {"op": "add_node", "id": made, "node": node},
            {"op": "add_wire", "id": first, "wire": {"from": list(wire.source), "to": [made, "input"]}},
            {"op": "add_wire", "id": second, "wire": {"from": [made, "output"], "to": list(wire.target)}},
        ),
    )


def _ids(document: Document, wire: str) -> list[str]:
    """Three new ids, the same ones whenever the same wire is judged."""
    rng, found = Random(wire), list[str]()
    while len(found) < 3:
        candidate = "n" + "".join(rng.choices("abcdefghijkmnpqrstuvwxyz23456789", k=7))
        if candidate not in {*document.nodes, *document.wires, *document.groups, *found}:
            found.append(candidate)
    return found


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
