"""Automatic layout: layers from left to right, attachments below what they are attached to.  No Qt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx
from fast_sugiyama import from_edges

from engine.document import Document
from engine.document.ops import set_op
from nodes import registry
from studio.canvas.face import ATTACHED, AXIS, GRID, node_size
from studio.canvas.moves import place_ops

ACROSS, DOWN = 80.0, 40.0
"""Free space between layers, and between nodes of a layer."""
LINE = 20.0
"""Room for a wire that passes between nodes."""
BELOW = 40.0
"""Free space between a projection and the delays or rule below it."""

Place = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where nodes go, [x, y] of their top left corners, and through which points their wires run."""

    places: dict[str, Place]
    points: dict[str, list[Place]]


def auto_layout(document: Document, only: Collection[str] | None = None) -> Layout:
    """A layout of all nodes, or of some, whose top left corner then stays where it is.

    Wires that skip layers keep clear of the nodes between; those that close a loop run back above all.
    """
    chosen = set(document.nodes) if only is None else set(only) & document.nodes.keys()
    sizes = {node: node_size(document, node) for node in chosen}
    hosts = _hosts(document, chosen)
    joints = _joints(document, chosen, hosts)
    drawn = _layered(_blocks(chosen, sizes, hosts), joints)
    for node, host in sorted(hosts.items()):
        drawn.places[node] = _below(node, host, drawn.places, sizes, hosts)
    return _anchored(document, drawn, only is not None)


def missing_layout(document: Document) -> Layout:
    """A layout of the nodes that have no place, below those that have one.

    A node that is all alone needs none.
    """
    missing = {node for node in document.nodes if "at" not in document.layout.get(node, {})}
    if len(document.nodes) < 2 or not missing:
        return Layout({}, {})
    found = auto_layout(document, missing)
    placed = [(*document.layout[node]["at"], node) for node in document.nodes.keys() - missing]
    if not placed:
        return found
    left = min(x for x, _, _ in placed)
    top = max(y + node_size(document, node)[1] for _, y, node in placed) + 2 * DOWN
    return _moved(found, left, _grid(top - min(y for _, y in found.places.values())))


def layout_ops(document: Document, layout: Layout) -> list[dict[str, Any]]:
    """The operations that lay the nodes out so; reroute points of wires between them are made anew."""
    ops = place_ops(document, layout.places)
    for key, wire in sorted(document.wires.items()):
        if not {wire.source.node, wire.target.node} <= layout.places.keys():
            continue
        entry = {name: value for name, value in document.layout.get(key, {}).items() if name != "points"}
        if key in layout.points:
            entry["points"] = [[round(x), round(y)] for x, y in layout.points[key]]
        if entry != document.layout.get(key, {}):
            ops.append(set_op(["layout", key], entry))
    return ops


def _joints(document: Document, chosen: set[str], hosts: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The wires that the layers are made from: none of attachments, none from a node to itself."""
    found = {}
    for key, wire in sorted(document.wires.items()):
        a, b = wire.source.node, wire.target.node
        if a in chosen and b in chosen and a not in hosts and b not in hosts and a != b:
            found[key] = (a, b)
    return found


def _hosts(document: Document, chosen: set[str]) -> dict[str, str]:
    """The projection that each delays or rule node hangs on, if it hangs on one alone."""
    found: dict[str, set[str]] = defaultdict(set)
    for wire in document.wires.values():
        spec = registry.get(document.nodes[wire.source.node].type)
        kinds = spec.outputs[wire.source.port].kinds if spec and wire.source.port in spec.outputs else ("",)
        if wire.source.node in chosen and wire.target.node in chosen:
            found[wire.source.node].add(wire.target.node if kinds[0] in ATTACHED else "")
    return {node: next(iter(hosts)) for node, hosts in found.items() if len(hosts) == 1 and hosts != {""}}


def _blocks(chosen: set[str], sizes: dict[str, Size], hosts: dict[str, str]) -> dict[str, Size]:
    """The room that every node takes with what hangs below it."""
    blocks = {node: sizes[node] for node in chosen - hosts.keys()}
    for node, host in hosts.items():
        if host in blocks:
            width, height = blocks[host]
            blocks[host] = (max(width, sizes[node][0]), height + BELOW + sizes[node][1])
    return blocks


def _layered(blocks: dict[str, Size], joints: dict[str, tuple[str, str]]) -> Layout:
    """Sugiyama's layers; parts that are not connected lie one below the other."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(blocks))
    graph.add_edges_from(joints.values())
    drawn = Layout({}, {})
    top = 0.0
    for part in sorted(nx.weakly_connected_components(graph), key=lambda part: (-len(part), min(part))):
        own = {key: ends for key, ends in joints.items() if ends[0] in part}
        placed = _part(graph.subgraph(part), {node: blocks[node] for node in part}, own)
        ways = [spot for points in placed.points.values() for spot in points]
        highest = min(y for _, y in [*placed.places.values(), *ways])
        down = top - min(0.0, highest)
        drawn.places.update({node: (x, y + down) for node, (x, y) in placed.places.items()})
        drawn.points.update({key: [(x, y + down) for x, y in way] for key, way in placed.points.items()})
        top = max(drawn.places[node][1] + blocks[node][1] for node in part) + 2 * DOWN
    return drawn


def _part(graph: nx.DiGraph, blocks: dict[str, Size], joints: dict[str, tuple[str, str]]) -> Layout:
    """One connected part: ranks and order from the library, room from the sizes of the nodes."""
    if len(blocks) == 1:
        return Layout(dict.fromkeys(blocks, (0.0, 0.0)), {})
    forward = _forward(graph)
    chains = _chains(forward, _ranks(forward))
    proper = nx.DiGraph()
    for chain in chains.values():
        nx.add_path(proper, chain)
    rooms = {**dict.fromkeys(proper, (0.0, LINE)), **blocks}
    places = _spread(_columns(proper), rooms, proper)
    points = {}
    for key, ends in joints.items():
        if ends in chains:
            points[key] = _corners([(places[node][0], places[node][1] + AXIS) for node in chains[ends][1:-1]])
    points.update(_returns(places, blocks, {k: ends for k, ends in joints.items() if ends not in chains}))
    return Layout({node: places[node] for node in blocks}, {key: way for key, way in points.items() if way})


def _ranks(forward: nx.DiGraph) -> dict[str, int]:
    """The layer of every node, counted from the left."""
    return {node: rank for rank, column in enumerate(_columns(forward)) for node in column}


def _columns(graph: nx.DiGraph) -> list[list[str]]:
    """The library's layers from left to right, each in the order that crosses fewest wires."""
    ids = sorted(graph)
    numbers = {node: number for number, node in enumerate(ids)}
    edges = sorted((numbers[a], numbers[b]) for a, b in graph.edges)
    spots = from_edges(edges, vertex_spacing=1, dummy_vertices=False, check_layout=False).to_dict()
    layers: dict[float, list[int]] = defaultdict(list)
    for number, (_, height) in spots.items():
        layers[height].append(number)
    first = spots[edges[0][0]][1] > spots[edges[0][1]][1]
    return [
        [ids[number] for number in sorted(layers[height], key=lambda number: (spots[number][0], number))]
        for height in sorted(layers, reverse=first)
    ]


def _chains(forward: nx.DiGraph, ranks: dict[str, int]) -> dict[tuple[str, str], list[str]]:
    """Every wire as a path through all layers between its ends."""
    return {
        (a, b): [a, *(f"{a} {b} {rank}" for rank in range(ranks[a] + 1, ranks[b])), b]
        for a, b in forward.edges
    }


def _corners(way: list[Place]) -> list[Place]:
    """The points of a way without those in the middle of a level stretch."""
    last = len(way) - 1
    return [
        spot for i, spot in enumerate(way) if i in (0, last) or not way[i - 1][1] == spot[1] == way[i + 1][1]
    ]


def _returns(
    places: dict[str, Place], blocks: dict[str, Size], backward: dict[str, tuple[str, str]]
) -> dict[str, list[Place]]:
    """Ways above everything for the wires that run back, the short ones below the long ones."""
    points: dict[str, list[Place]] = {}
    lanes: list[tuple[float, float, float]] = []
    for key, (a, b) in sorted(backward.items(), key=lambda item: _length(places, item[1])):
        left, right = places[b][0], places[a][0] + blocks[a][0]
        over = [
            places[n][1] for n in places if n in blocks and _meets(places[n][0], blocks[n][0], left, right)
        ]
        over += [y for x, end, y in lanes if x < right and end > left]
        lane = min(over) - LINE
        lanes.append((left, right, lane))
        points[key] = [(right, lane), (left, lane)]
    return points


def _length(places: dict[str, Place], ends: tuple[str, str]) -> float:
    return places[ends[0]][0] - places[ends[1]][0]


def _meets(x: float, width: float, left: float, right: float) -> bool:
    return x < right and x + width > left


def _forward(graph: nx.DiGraph) -> nx.DiGraph:
    """The graph without the wires that close loops, so that the main flow runs from left to right."""
    forward = nx.DiGraph()
    forward.add_nodes_from(graph)
    turning = {
        node: number for number, part in enumerate(nx.strongly_connected_components(graph)) for node in part
    }
    for a, b in _by_depth(graph):
        if turning[a] != turning[b] or not nx.has_path(forward, b, a):
            forward.add_edge(a, b)
    return forward


def _by_depth(graph: nx.DiGraph) -> Iterable[tuple[str, str]]:
    """Wires in the order in which a signal from the sources reaches them."""
    sources = [node for node in sorted(graph) if graph.in_degree(node) == 0] or [min(graph)]
    depth: dict[str, int] = {}
    for source in [*sources, *sorted(graph)]:
        if source not in depth:
            for node, steps in nx.single_source_shortest_path_length(graph, source).items():
                depth[node] = min(depth.get(node, steps), steps)
    return sorted(graph.edges, key=lambda edge: (depth[edge[0]], depth[edge[1]], edge))


def _spread(columns: list[list[str]], rooms: dict[str, Size], graph: nx.DiGraph) -> dict[str, Place]:
    """Real places: columns as wide as their widest node, nodes as near to their neighbours as room allows."""
    x = 0.0
    left: dict[str, float] = {}
    for column in columns:
        width = max(rooms[node][0] for node in column)
        for node in column:
            left[node] = x if rooms[node][0] else x + width / 2
        x += _grid(width + ACROSS)
    top = dict.fromkeys(left, 0.0)
    real = {node for node in left if rooms[node][0]}
    for sweep in range(9):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            _stack(column, rooms, top, [_wanted(graph, node, top, real) if sweep else 0.0 for node in column])
    return {node: (left[node], top[node]) for node in left}


def _wanted(graph: nx.DiGraph, node: str, top: dict[str, float], real: set[str]) -> float:
    """The height at which a node's wires are straightest, those to the next layer above all."""
    near = {*graph.predecessors(node), *graph.successors(node)}
    around = sorted(top[other] for other in (near & real or near))
    middle = len(around) // 2
    if not around:
        return top[node]
    return around[middle] if len(around) % 2 else (around[middle - 1] + around[middle]) / 2


def _stack(column: list[str], rooms: dict[str, Size], top: dict[str, float], wanted: list[float]) -> None:
    """Put a column's nodes, in order, as near to where they want to be as they can without overlap."""
    runs: list[tuple[float, float, list[str]]] = []
    for node, start in zip(column, wanted, strict=True):
        run = (start, _grid(rooms[node][1] + DOWN), [node])
        while runs and runs[-1][0] + runs[-1][1] > run[0]:
            above = runs.pop()
            count = len(above[2]) + len(run[2])
            start = (above[0] * len(above[2]) + (run[0] - above[1]) * len(run[2])) / count
            run = (start, above[1] + run[1], above[2] + run[2])
        runs.append(run)
    edge = float("-inf")
    for start, _, nodes in runs:
        y = max(_grid(start), edge)
        for node in nodes:
            top[node] = y
            y += _grid(rooms[node][1] + DOWN)
        edge = y


def _below(
    node: str, host: str, places: dict[str, Place], sizes: dict[str, Size], hosts: dict[str, str]
) -> Place:
    """Under the projection, middle to middle, one after the other."""
    x, y = places[host]
    before = [other for other in hosts if hosts[other] == host and other < node]
    y += sizes[host][1] + BELOW + sum(sizes[other][1] + BELOW for other in before)
    return x + (sizes[host][0] - sizes[node][0]) / 2, y


def _anchored(document: Document, drawn: Layout, stay: bool) -> Layout:
    """The layout moved to the origin, or to where the top left corner of these nodes was."""
    if not drawn.places:
        return drawn
    old = [document.layout[node]["at"] for node in drawn.places if "at" in document.layout.get(node, {})]
    dx = (min(at[0] for at in old) if stay and old else 0.0) - min(x for x, _ in drawn.places.values())
    dy = (min(at[1] for at in old) if stay and old else 0.0) - min(y for _, y in drawn.places.values())
    return _moved(drawn, dx, dy)


def _moved(drawn: Layout, dx: float, dy: float) -> Layout:
    return Layout(
        {node: (x + dx, y + dy) for node, (x, y) in sorted(drawn.places.items())},
        {key: [(x + dx, y + dy) for x, y in way] for key, way in sorted(drawn.points.items())},
    )


def _grid(length: float) -> float:
    return float(-(-length // GRID) * GRID)
