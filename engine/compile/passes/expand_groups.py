"""expand_groups: a group with ``repeat`` n becomes n chained copies of its members.

Groups without ``repeat`` only name and draw; their members are ordinary nodes already.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Edge, Graph, add, edges, join, vertex
from engine.document.groups import ancestors, members

AFTER = ("build",)
NO_CHAIN = declare("MYL103", "error", "a repeated group has no matching exposed ports to chain by")
TOO_MANY = declare("MYL104", "error", "groups expand to more nodes than can be compiled")
MOST_NODES = 100_000
End = tuple[str, str]
Copies = tuple[int, ...]  # which copy of every repeated group around a node, outermost first


def run(graph: Graph, context: Context) -> Graph:
    """Outermost groups first, so that every copy of a group holds its own groups inside."""
    groups = context.document.groups
    inside = members(groups)
    graph = graph.copy()
    for key in sorted(groups, key=lambda k: (len(ancestors(groups, k)), k)):
        group, repeat = groups[key], _repeats(groups[key])
        if repeat == 1:
            continue
        pairs = _pairs(group["ports"])
        if not pairs:
            message = f"group '{group['name']}' repeats {repeat} times but exposes no ports to chain by"
            context.report(NO_CHAIN(tuple(group["nodes"]), message, hint="expose one input and one output"))
            continue
        places = _places(groups, key)
        if len(graph) + len(inside[key]) * len(places) * (repeat - 1) > MOST_NODES:
            context.report(TOO_MANY((), f"group '{group['name']}' expands to over {MOST_NODES:,} nodes"))
            return graph
        for place in places:
            _repeat(graph, sorted(inside[key]), place, repeat, pairs)
    return graph


def _repeats(group: dict[str, Any]) -> int:
    return int(group.get("repeat", 1))


def _places(groups: dict[str, Any], key: str) -> list[Copies]:
    """Where a group stands: once in every copy of the groups around it."""
    around = [_repeats(groups[a]) for a in reversed(ancestors(groups, key)[1:])]
    return list(product(*(range(n) for n in around if n > 1)))


def _pairs(ports: dict[str, Any]) -> list[tuple[End, End]]:
    """(out end, in end) pairs that chain one copy to the next."""
    outs, ins = ports.get("out", {}), ports.get("in", {})
    return [((outs[out][0], outs[out][1]), (ins[into][0], ins[into][1])) for out, into in chained(ports)]


def chained(ports: dict[str, Any]) -> list[tuple[str, str]]:
    """Which exposed output of a copy feeds which exposed input of the next."""
    outs, ins = ports.get("out", {}), ports.get("in", {})
    if len(outs) == len(ins) == 1:
        return [(out, into) for out in outs for into in ins]
    return [(name, name) for name in sorted(outs) if name in ins]


def _repeat(graph: Graph, nodes: list[str], place: Copies, repeat: int, pairs: list[tuple[End, End]]) -> None:
    """Put ``repeat`` chained copies where one group stands."""
    names = [{_name(node, place): _name(node, (*place, copy)) for node in nodes} for copy in range(repeat)]
    own, here = names[0], [((_name(a, place), out), (_name(b, place), into)) for (a, out), (b, into) in pairs]
    before = [e for e in edges(graph) if e.source in own or e.target in own]
    chained = {into for _, into in here}
    for copy in range(1, repeat):
        for name, made in names[copy].items():
            v = vertex(graph, name)
            add(graph, replace(v, id=made, name=f"{v.name} {copy + 1}"))
        for e in before:
            if e.target in own and (e.source in own or (e.target, e.target_port) not in chained):
                source = names[copy].get(e.source, e.source)
                join(graph, e._replace(wire=f"{e.wire}~{copy}", source=source, target=names[copy][e.target]))
        for n, ((a, out), (b, into)) in enumerate(here):
            join(graph, Edge(f"{a}~{copy}~{n}", names[copy - 1][a], out, names[copy][b], into))
    for e in before:
        if e.source in own and e.target not in own:
            graph.remove_edge(e.source, e.target, e.wire)
            join(graph, e._replace(source=names[-1][e.source]))


def _name(node: str, copies: Copies) -> str:
    """The id of a copy: ``node~1-2``; zeros at the end are left out, so that the first copy keeps its id."""
    while copies and copies[-1] == 0:
        copies = copies[:-1]
    return f"{node}~{'-'.join(map(str, copies))}" if copies else node
