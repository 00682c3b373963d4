"""expand_groups: a group with ``repeat`` n becomes n chained copies of its members.

Groups without ``repeat`` only name and draw; their members are ordinary nodes already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Edge, Graph, add, edges, join, vertex
from engine.document.groups import members

AFTER = ("build",)
NO_CHAIN = declare("MYL103", "error", "a repeated group has no matching exposed ports to chain by")
TOO_MANY = declare("MYL104", "error", "groups expand to more nodes than can be compiled")
MOST_NODES = 100_000


def run(graph: Graph, context: Context) -> Graph:
    """Innermost groups first, so that copies of a group hold copies of the groups inside."""
    groups = context.document.groups
    inside = members(groups)
    graph = graph.copy()
    for key in sorted(groups, key=lambda k: (len(inside[k]), k)):
        group, repeat = groups[key], int(groups[key].get("repeat", 1))
        own = {name for name in graph if vertex(graph, name).origin in inside[key]}
        if repeat == 1:
            continue
        if len(graph) + len(own) * (repeat - 1) > MOST_NODES:
            context.report(TOO_MANY((), f"group '{group['name']}' expands to over {MOST_NODES:,} nodes"))
            return graph
        pairs = _pairs(group["ports"])
        if not pairs:
            message = f"group '{group['name']}' repeats {repeat} times but exposes no ports to chain by"
            context.report(NO_CHAIN(tuple(group["nodes"]), message, hint="expose one input and one output"))
            continue
        _repeat(graph, own, repeat, pairs)
    return graph


def _pairs(ports: dict[str, Any]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """(out end, in end) pairs that chain one copy to the next."""
    outs, ins = ports["out"], ports["in"]
    if len(outs) == 1 and len(ins) == 1:
        return [(tuple(*outs.values()), tuple(*ins.values()))]
    return [(tuple(outs[name]), tuple(ins[name])) for name in sorted(outs) if name in ins]


def _repeat(graph: Graph, own: set[str], repeat: int, pairs: list[Any]) -> None:
    chained_in = {end for _, end in pairs}
    before = [e for e in edges(graph) if e.source in own or e.target in own]
    for copy in range(1, repeat):
        for name in sorted(own):
            v = vertex(graph, name)
            add(graph, replace(v, id=_name(name, copy), name=f"{v.name} {copy + 1}"))
        for e in before:
            _copy_wire(graph, e, own, copy, chained_in)
        for n, (out, into) in enumerate(pairs):
            source = _name(out[0], copy - 1)
            join(graph, Edge(f"{out[0]}~{copy}~{n}", source, out[1], _name(into[0], copy), into[1]))
    _move_exits(graph, [e for e in before if e.source in own and e.target not in own], repeat)


def _copy_wire(graph: Graph, e: Edge, own: set[str], copy: int, chained_in: set[tuple[str, str]]) -> None:
    if e.target not in own:
        return
    source = _name(e.source, copy) if e.source in own else e.source
    if e.source in own or (e.target, e.target_port) not in chained_in:
        join(graph, Edge(f"{e.wire}~{copy}", source, e.source_port, _name(e.target, copy), e.target_port))


def _move_exits(graph: Graph, exits: list[Edge], repeat: int) -> None:
    for e in exits:
        graph.remove_edge(e.source, e.target, e.wire)
        join(graph, e._replace(source=_name(e.source, repeat - 1)))


def _name(name: str, copy: int) -> str:
    return name if copy == 0 else f"{name}~{copy}"
