"""Stages: the largest chunk a loop allows, an order that runs, and loops without delay called by name."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from engine.compile import compile_document
from engine.document import Document
from engine.program import Program, Stage
from tests.compile.drawing import codes, new_document, program_of, project

WIRES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1)), max_size=12
)


def drawn(wires: list[tuple[int, int, int, int]]) -> Document:
    """Five populations and projections (from, to, delay, lag) between them."""
    d = new_document()
    cells = [d.add("population.lif", size=[1]) for _ in range(5)]
    for a, b, delay, lag in wires:
        project(d, cells[a], cells[b], delay=float(delay), lag=lag)
    return d


def wiring(document: Document) -> tuple[nx.DiGraph, dict[str, int]]:
    """Nodes joined by wires, and the delay of each, read off the document alone."""
    graph, delay = nx.DiGraph(), dict.fromkeys(document.nodes, 0)
    for key, node in document.nodes.items():
        delay[key] += int(node.params.get("lag", 0))
    for wire in document.wires.values():
        if wire.target.port == "delays":
            delay[wire.target.node] += round(document.nodes[wire.source.node].params["delay"])
        else:
            graph.add_edge(wire.source.node, wire.target.node)
    return graph, delay


def runs_in(graph: nx.DiGraph, delay: dict[str, int], chunk: int) -> bool:
    """Every cycle passes something that lasts at least a chunk."""
    return nx.is_directed_acyclic_graph(graph.subgraph([key for key in graph if delay[key] < chunk]))


def largest_chunk(graph: nx.DiGraph, delay: dict[str, int]) -> int:
    return max(chunk for chunk in range(1, 20) if runs_in(graph, delay, chunk))


def is_order(graph: nx.DiGraph, stage: Stage) -> bool:
    """Every op of a loop but those that cut it comes after what it reads."""
    place = {key: n for n, key in enumerate(stage.ops)}
    return all(place[a] < place[b] for a, b in graph.edges() if b not in stage.cut)


@given(WIRES)
def test_loops_run_in_the_largest_possible_chunks_or_are_refused(
    wires: list[tuple[int, int, int, int]],
) -> None:
    document = drawn(wires)
    graph, delay = wiring(document)
    undelayed = graph.subgraph([key for key in graph if delay[key] == 0])
    compiled = compile_document(document)
    if not nx.is_directed_acyclic_graph(undelayed):
        assert compiled.program is None
        for found in (d for d in compiled.diagnostics if d.code == "MYL160"):
            nx.find_cycle(undelayed.subgraph(found.nodes))
            assert all(
                undelayed.has_edge(a, b)
                for a, b in zip(found.nodes, [*found.nodes[1:], found.nodes[0]], strict=True)
            )
        assert "MYL160" in codes(compiled)
        return
    assert compiled.program is not None
    check(compiled.program, graph, delay)


def check(program: Program, graph: nx.DiGraph, delay: dict[str, int]) -> None:
    loops = {
        frozenset(part)
        for part in nx.strongly_connected_components(graph)
        if len(part) > 1 or any(graph.has_edge(key, key) for key in part)
    }
    assert {frozenset(stage.ops) for stage in program.stages if stage.chunk is not None} == loops
    done: set[str] = set()
    for stage in program.stages:
        part = graph.subgraph(stage.ops)
        if stage.chunk is None:
            assert is_order(part, stage)
            assert not stage.cut
        else:
            assert stage.chunk == largest_chunk(part, delay)
            assert all(delay[key] >= stage.chunk for key in stage.cut)
            assert is_order(part, stage)
        done |= set(stage.ops)
        assert all(a in done for key in stage.ops for a in graph.pred.get(key, ()))
    assert done == set(program.ops)


@given(WIRES)
def test_fixing_loop_after_loop_ends_in_a_program(wires: list[tuple[int, int, int, int]]) -> None:
    document = drawn(wires)
    for _ in range(len(wires) + 1):
        broken = [d for d in compile_document(document).diagnostics if d.code == "MYL160"]
        if not broken:
            break
        assert broken[0].fix is not None
        document.edit(broken[0].fix.label, broken[0].fix.ops)
    assert program_of(document)


def test_the_loop_is_named_from_its_smallest_id_on() -> None:
    d = new_document()
    a, b = d.add("population.lif", name="a", size=[1]), d.add("population.lif", name="b", size=[1])
    project(d, b, a, name="back")
    project(d, a, b, name="forth")
    (found,) = compile_document(d).errors
    assert found.message == "the loop 'a' -> 'forth' -> 'b' -> 'back' -> 'a' has no delay"


def test_neighbouring_stages_without_a_loop_are_one() -> None:
    d = drawn([(0, 1, 0, 0), (1, 2, 3, 0), (2, 3, 0, 1)])
    assert [stage.chunk for stage in program_of(d).stages] == [None]
