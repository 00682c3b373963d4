"""Automatic layout: layers from left to right, attachments below what they are attached to.  No Qt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

import networkx as nx
from fast_sugiyama import from_edges

from engine.document import Document
from nodes import registry
from studio.canvas.face import ATTACHED, GRID, node_size

ACROSS, DOWN = 80.0, 40.0
"""Free space between layers, and between nodes of a layer."""
BELOW = 40.0
"""Free space between a projection and the delays or rule below it."""

Place = tuple[float, float]
Size = tuple[float, float]


def auto_layout(document: Document, only: Collection[str] | None = None) -> dict[str, list[float]]:
    """Places [x, y] for all nodes, or for some, whose top left corner then stays where it is.

    Loops go round: a wire that closes one runs back from right to left.
    """
    chosen = set(document.nodes) if only is None else set(only) & document.nodes.keys()
    sizes = {node: node_size(document, node) for node in chosen}
    hosts = _hosts(document, chosen)
    blocks = _blocks(chosen, sizes, hosts)
    wires = [
        (hosts.get(wire.source.node, wire.source.node), hosts.get(wire.target.node, wire.target.node))
        for _, wire in sorted(document.wires.items())
        if wire.source.node in chosen and wire.target.node in chosen
    ]
    places = _layered(blocks, [(a, b) for a, b in wires if a != b])
    for node, host in sorted(hosts.items()):
        places[node] = _below(node, host, places, sizes, hosts)
    return _anchored(document, places, only is not None)


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


def _layered(blocks: dict[str, Size], wires: list[tuple[str, str]]) -> dict[str, Place]:
    """Sugiyama's layers; unconnected nodes and parts one below the other."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(blocks))
    graph.add_edges_from((a, b) for a, b in wires if a in blocks and b in blocks)
    places: dict[str, Place] = {}
    top = 0.0
    for part in sorted(nx.weakly_connected_components(graph), key=lambda part: (-len(part), min(part))):
        placed = _part(graph.subgraph(part), {node: blocks[node] for node in part})
        for node, (x, y) in placed.items():
            places[node] = (x, y + top)
        top = max(places[node][1] + blocks[node][1] for node in part) + 2 * DOWN
    return places


def _part(graph: nx.DiGraph, blocks: dict[str, Size]) -> dict[str, Place]:
    """One connected part: ranks and order from the library, room from the sizes of the nodes."""
    if len(blocks) == 1:
        return dict.fromkeys(blocks, (0.0, 0.0))
    ids = sorted(graph)
    numbers = {node: number for number, node in enumerate(ids)}
    edges = sorted((numbers[a], numbers[b]) for a, b in _forward(graph).edges)
    found = from_edges(edges, vertex_spacing=1, dummy_vertices=True, check_layout=False).to_dict()
    spots = {ids[key]: spot for key, spot in found.items() if isinstance(key, int) and key < len(ids)}
    layers: dict[float, list[str]] = defaultdict(list)
    for node, (_, rank) in spots.items():
        layers[-rank].append(node)
    columns = [sorted(layers[rank], key=lambda node: (spots[node][0], node)) for rank in sorted(layers)]
    heights = {node: spots[node][0] for node in ids}
    return _spread(columns, heights, blocks, graph)


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


def _spread(
    columns: list[list[str]], heights: dict[str, float], blocks: dict[str, Size], graph: nx.DiGraph
) -> dict[str, Place]:
    """Real places: columns as wide as their widest node, nodes as near to their neighbours as room allows."""
    x = 0.0
    left: dict[str, float] = {}
    for column in columns:
        for node in column:
            left[node] = x
        x += _grid(max(blocks[node][0] for node in column) + ACROSS)
    top = dict.fromkeys(heights, 0.0)
    for column in columns:
        _stack(column, blocks, top, lambda node: 0.0)
    for sweep in range(8):
        order = columns if sweep % 2 == 0 else columns[::-1]
        for column in order:
            _stack(column, blocks, top, lambda node: _wanted(graph, node, top))
    return {node: (left[node], top[node]) for node in heights}


def _wanted(graph: nx.DiGraph, node: str, top: dict[str, float]) -> float:
    """The height at which a node's wires are straightest."""
    around = [top[other] for other in {*graph.predecessors(node), *graph.successors(node)}]
    around.sort()
    middle = len(around) // 2
    if not around:
        return top[node]
    return around[middle] if len(around) % 2 else (around[middle - 1] + around[middle]) / 2


def _stack(
    column: list[str], blocks: dict[str, Size], top: dict[str, float], wanted: Callable[[str], float]
) -> None:
    """Put a column's nodes, in order, as near to where they want to be as they can without overlap."""
    runs: list[tuple[float, float, list[str]]] = []
    for node in column:
        run = (wanted(node), blocks[node][1] + DOWN, [node])
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
            y += _grid(blocks[node][1] + DOWN)
        edge = y


def _below(
    node: str, host: str, places: dict[str, Place], sizes: dict[str, Size], hosts: dict[str, str]
) -> Place:
    """Under the projection, middle to middle, one after the other."""
    x, y = places[host]
    before = [other for other in hosts if hosts[other] == host and other < node]
    y += sizes[host][1] + BELOW + sum(sizes[other][1] + BELOW for other in before)
    return x + (sizes[host][0] - sizes[node][0]) / 2, y


def _anchored(document: Document, places: dict[str, Place], stay: bool) -> dict[str, list[float]]:
    if not places:
        return {}
    x, y = min(x for x, _ in places.values()), min(y for _, y in places.values())
    old = [document.layout[node]["at"] for node in places if "at" in document.layout.get(node, {})]
    dx = min(at[0] for at in old) if stay and old else 0.0
    dy = min(at[1] for at in old) if stay and old else 0.0
    return {node: [a - x + dx, b - y + dy] for node, (a, b) in sorted(places.items())}


def _grid(length: float) -> float:
    return float(-(-length // GRID) * GRID)
