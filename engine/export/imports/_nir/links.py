"""The edges of a NIR graph: delays taken out, an order, and those that close a loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from engine.errors import MyelinError
from engine.export.nir.file import NirNode

Edge = tuple[str, str]


@dataclass(frozen=True)
class Link:
    """One node feeds another, ``delay`` (in steps, one for each element; None for none) later.

    ``via``: the nodes Delay on the way, the last one first.
    """

    source: str
    target: str
    delay: np.ndarray | None = None
    via: tuple[str, ...] = ()


def links_of(nodes: Mapping[str, NirNode], edges: Iterable[Edge], dt: float) -> list[Link]:
    """The edges of a flat graph without its nodes Delay; ``dt``: a step in the file's unit."""
    into: dict[str, list[str]] = {name: [] for name in nodes}
    for a, b in edges:
        into[b].append(a)

    def arriving(here: str, link: Link) -> Iterable[Link]:
        for source in into[here]:
            if nodes[source].type != "Delay":
                yield Link(source, link.target, link.delay, link.via)
            elif source in link.via:
                raise MyelinError(f"the delays of the NIR file feed themselves at '{source}'")
            else:
                own = np.asarray(nodes[source].fields["delay"], np.float64) / dt
                if (own < 0).any():
                    raise MyelinError(f"the delays of '{source}' in the NIR file must not be below 0")
                total = own if link.delay is None else own + link.delay
                yield from arriving(source, Link("", link.target, total, (*link.via, source)))

    real = [name for name, node in nodes.items() if node.type != "Delay"]
    return [link for name in real for link in arriving(name, Link("", name))]


def order(nodes: Mapping[str, NirNode], links: Sequence[Link]) -> tuple[list[str], list[Edge]]:
    """The names of all nodes but delays, each after what feeds it; and the edges that this leaves out."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(name for name, node in nodes.items() if node.type != "Delay"))
    graph.add_edges_from(sorted((link.source, link.target) for link in links))
    inputs = [name for name in graph if nodes[name].type == "Input"]
    back = _closing(graph, [*inputs, *graph])
    flow = nx.DiGraph(graph)
    flow.remove_edges_from(back)
    return list(nx.lexicographical_topological_sort(flow)), back


def _closing(graph: nx.DiGraph, starts: Iterable[str]) -> list[Edge]:
    """The edges to a node that a depth-first search is still busy with; without them there is no loop."""
    back: list[Edge] = []
    done: set[str] = set()
    for start in starts:
        if start in done:
            continue
        busy: dict[str, Any] = {start: iter(sorted(graph.successors(start)))}
        while busy:
            here = next(reversed(busy))
            after = next(busy[here], None)
            if after is None:
                done.add(here)
                del busy[here]
            elif after in busy:
                back.append((here, after))
            elif after not in done:
                busy[after] = iter(sorted(graph.successors(after)))
    return back


def columns(names: Sequence[str], wires: Iterable[Edge]) -> dict[str, tuple[int, int]]:
    """(column, row) of every node of a drawing that runs from left to right."""
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(wires)
    graph.remove_edges_from(_closing(graph, list(graph)))
    placed: dict[str, tuple[int, int]] = {}
    for column, layer in enumerate(nx.topological_generations(graph)):
        for row, name in enumerate(sorted(layer, key=list(names).index)):
            placed[name] = (column, row)
    return placed
