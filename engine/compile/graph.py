"""The graph that passes work on: a networkx multigraph of vertices joined by wires between ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx

from engine.compile.diagnostics import Diagnostic
from engine.document import Document
from engine.program import Delay, Program
from nodes.spec import Shape, Spec, Values

Graph = (
    Any  # nx.MultiDiGraph: nodes carry "vertex", edges (keyed by wire id) carry "source" and "target" ports
)


@dataclass(frozen=True)
class Vertex:
    """A node of the document on its way to becoming an op.  ``origin``: the node's id in the document."""

    id: str
    origin: str
    name: str
    type: str
    spec: Spec | None
    raw: dict[str, Any]
    p: Values = field(default_factory=Values)
    shapes: dict[str, Shape | None] = field(default_factory=dict)
    delays: str = ""
    delay: Delay | None = None

    @property
    def role(self) -> str:
        """The role its declaration has, or ``unknown``."""
        return self.spec.role if self.spec else "unknown"

    @property
    def lag(self) -> int:
        """Steps of this hop besides the delays."""
        return int(self.p.get("lag", 0))

    @property
    def smallest_delay(self) -> int:
        """Steps that any signal needs to pass this vertex."""
        return self.lag + (self.delay.low if self.delay else 0)


class Edge(NamedTuple):
    """A wire: ids of its ends and their ports."""

    wire: str
    source: str
    source_port: str
    target: str
    target_port: str


@dataclass
class Context:
    """What passes share: the document, its folder, the diagnostics, the program at the end."""

    document: Document
    dt: float
    seed: int
    folder: Path = Path()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    delays: dict[str, Vertex] = field(default_factory=dict)
    stages: list[Any] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    program: Program | None = None

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a problem."""
        self.diagnostics.append(diagnostic)


Pass = Callable[[Graph, Context], Graph]


def empty() -> Graph:
    """A graph without vertices."""
    return nx.MultiDiGraph()


def vertices(graph: Graph) -> Iterator[Vertex]:
    """All vertices in the order of their ids."""
    return (graph.nodes[key]["vertex"] for key in sorted(graph.nodes))


def vertex(graph: Graph, key: str) -> Vertex:
    """One vertex."""
    found: Vertex = graph.nodes[key]["vertex"]
    return found


def add(graph: Graph, new: Vertex) -> None:
    """Add or replace a vertex."""
    graph.add_node(new.id, vertex=new)


def update(graph: Graph, key: str, **changes: Any) -> None:
    """Replace fields of a vertex."""
    graph.nodes[key]["vertex"] = replace(vertex(graph, key), **changes)


def join(graph: Graph, edge: Edge) -> None:
    """Add a wire."""
    graph.add_edge(edge.source, edge.target, key=edge.wire, source=edge.source_port, target=edge.target_port)


def edges(graph: Graph) -> list[Edge]:
    """All wires in the order of their ids."""
    rows = (Edge(wire, a, d["source"], b, d["target"]) for a, b, wire, d in graph.edges(keys=True, data=True))
    return sorted(rows)


def wires_into(graph: Graph, key: str) -> list[Edge]:
    """The wires that end in a vertex, in the order of their ids."""
    rows = graph.in_edges(key, keys=True, data=True)
    return sorted(Edge(wire, a, d["source"], b, d["target"]) for a, b, wire, d in rows)


def wires_from(graph: Graph, key: str) -> list[Edge]:
    """The wires that start in a vertex, in the order of their ids."""
    rows = graph.out_edges(key, keys=True, data=True)
    return sorted(Edge(wire, a, d["source"], b, d["target"]) for a, b, wire, d in rows)
