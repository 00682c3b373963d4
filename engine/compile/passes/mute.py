"""mute: muted nodes leave the graph, bypassed ones pass on what they are given.

A node's ``mode`` is ``mute`` or ``bypass``.  What is fed by muted nodes alone, or feeds them alone, and has
no use without them (a projection, an attachment, a probe, a readout) leaves with them.
"""

from __future__ import annotations

from engine.compile.diagnostics import Fix, declare
from engine.compile.graph import (
    Context,
    Edge,
    Graph,
    Vertex,
    join,
    vertex,
    vertices,
    wires_from,
    wires_into,
)
from engine.compile.passes.check_ports import Kinds, kinds_of

AFTER = ("expand_groups",)
BEFORE = ("check_params",)
NO_WAY = declare("MYL106", "error", "a bypassed node's input does not fit where its output goes")
SILENCED = declare("MYL107", "info", "a node is left out together with a muted one")
NO_MODE = declare("MYL108", "error", "a node has an unknown mode")
LASTING = ("population", "readout", "loss", "probe")  # not there for the sake of what they lead to


def run(graph: Graph, context: Context) -> Graph:
    """The graph without muted and bypassed nodes."""
    modes = {v.id: context.document.nodes[v.origin].extra.get("mode") for v in vertices(graph)}
    if not any(modes.values()):
        return graph
    graph = graph.copy()
    for key in [key for key, mode in modes.items() if mode not in (None, "mute", "bypass")]:
        _report_mode(context, vertex(graph, key), modes[key])
    for key in [key for key, mode in modes.items() if mode == "bypass"]:
        if key in graph:  # else it went with another one
            _bypass(graph, context, key, kinds_of(graph))
    _mute(graph, context, {key for key, mode in modes.items() if mode == "mute" and key in graph})
    return graph


def _bypass(graph: Graph, context: Context, key: str, kinds: Kinds) -> None:
    """Join what arrives at a node's main input to where its outputs lead; what only serves the node goes."""
    v = vertex(graph, key)
    main = main_input(v)
    arriving = [e for e in wires_into(graph, key) if e.target_port == main]
    leaving = [e for e in wires_from(graph, key) if vertex(graph, e.target).role != "probe"]
    for into in arriving:
        for out in leaving:
            if _fits(graph, kinds.of(into.source, into.source_port), out):
                wire = out.wire if len(arriving) == 1 else f"{into.wire}~{out.wire}"
                join(graph, Edge(wire, into.source, into.source_port, out.target, out.target_port))
            else:
                _report_way(
                    context, v, kinds.of(into.source, into.source_port), vertex(graph, out.target), out
                )
    served = [e.source for e in wires_into(graph, key) if e.target_port != main]
    observing = [e.target for e in wires_from(graph, key) if vertex(graph, e.target).role == "probe"]
    graph.remove_node(key)
    graph.remove_nodes_from([other for other in served if not wires_from(graph, other)])
    graph.remove_nodes_from(observing)


def main_input(v: Vertex) -> str:
    """The input whose signal a node works on: ``input``, else its first."""
    inputs = list(v.spec.inputs) if v.spec else []
    return "input" if "input" in inputs or not inputs else inputs[0]


def _fits(graph: Graph, kind: str | None, out: Edge) -> bool:
    target = vertex(graph, out.target).spec
    if kind is None or target is None or out.target_port not in target.inputs:
        return True  # other passes judge that
    return kind in target.inputs[out.target_port].kinds


def _report_way(context: Context, v: Vertex, kind: str | None, target: Vertex, out: Edge) -> None:
    message = f"'{v.name}' cannot be bypassed: {kind} does not fit into {out.target_port} of '{target.name}'"
    fix = Fix("Take it in again", ({"op": "unset", "path": ["nodes", v.origin, "mode"]},))
    context.report(NO_WAY((v.origin, target.origin), message, out.target_port, "mute it, or take it in", fix))


def _report_mode(context: Context, v: Vertex, mode: object) -> None:
    fix = Fix("Remove the mode", ({"op": "unset", "path": ["nodes", v.origin, "mode"]},))
    hint = "a mode is mute or bypass"
    context.report(NO_MODE((v.origin,), f"'{v.name}' has the unknown mode {mode!r}", "mode", hint, fix))


def _mute(graph: Graph, context: Context, muted: set[str]) -> None:
    """Remove nodes, and round after round what is left without a source or without a purpose by that."""
    gone = muted
    while gone:
        around = {n for key in gone for n in (*graph.predecessors(key), *graph.successors(key))} - gone
        before = {key: (wires_into(graph, key), wires_from(graph, key)) for key in around}
        graph.remove_nodes_from(gone)
        gone = {key for key in around if _starved(graph, key, before[key][0])}
        gone |= {key for key in around if _idle(graph, key, before[key][1])}
        for key in sorted(gone):
            v = vertex(graph, key)
            context.report(SILENCED((v.origin,), f"'{v.name}' is left out: it serves muted nodes only"))


def _starved(graph: Graph, key: str, before: list[Edge]) -> bool:
    """Whether a required input has lost its last wire."""
    spec = vertex(graph, key).spec
    now = {e.target_port for e in wires_into(graph, key)}
    lost = {e.target_port for e in before} - now
    return spec is not None and any(port in lost and not p.optional for port, p in spec.inputs.items())


def _idle(graph: Graph, key: str, before: list[Edge]) -> bool:
    """Whether a node that is there for what it leads to has lost the last of that."""
    return bool(before) and not wires_from(graph, key) and vertex(graph, key).role not in LASTING
