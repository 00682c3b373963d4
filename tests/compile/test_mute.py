"""Muted nodes are as if they were not drawn; bypassed ones as if a wire ran past them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from engine.compile import compile_document
from engine.document import Document, delete_nodes
from tests.compile.drawing import codes, group, new_document, program_of, project, set_groups


def set_mode(document: Document, node: str, mode: str) -> None:
    document.edit("mode", [{"op": "set", "path": ["nodes", node, "mode"], "value": mode}])


def without(document: Document, names: Iterable[str]) -> str:
    """The program's text of the document from which these nodes are deleted."""
    other = document.copy()
    other.edit("delete", delete_nodes(other, [other.find(name) for name in names]))
    return program_of(other).text()


def chain() -> Document:
    """source -> p1 (delays) -> first -> p2 -> second, both probed; a count of the second."""
    d = new_document()
    source = d.add("population.poisson", name="source", size=[2])
    first = d.add("population.lif", name="first", size=[2])
    second = d.add("population.lif", name="second", size=[2])
    project(d, source, first, name="p1", delay=3.0)
    project(d, first, second, name="p2")
    for name, cells in (("see first", first), ("see second", second)):
        d.connect(cells, "spikes", d.add("probe.spikes", name=name), "input")
    d.connect(second, "spikes", d.add("readout.spike_count", name="count"), "input")
    return d


def test_a_muted_population_takes_its_projections_delays_and_probes_along() -> None:
    d = chain()
    set_mode(d, d.find("first"), "mute")
    assert program_of(d).text() == without(d, ["p1", "fixed", "first", "p2", "see first"])
    told = {name for x in compile_document(d).diagnostics for name in [d.nodes[x.nodes[0]].name]}
    assert told == {"p1", "fixed", "p2", "see first"}
    assert set(codes(compile_document(d))) == {"MYL107"}


def test_a_muted_node_of_an_unknown_type_is_left_out() -> None:
    d = chain()
    unknown = {"type": "population.not_installed", "v": 1, "name": "unknown", "params": {}}
    wire = {"from": ["u", "spikes"], "to": [d.find("p2"), "input"]}
    ops = [{"op": "add_node", "id": "u", "node": unknown}, {"op": "add_wire", "id": "uw", "wire": wire}]
    plain = program_of(d).text()
    d.edit("add", ops)
    assert "MYL101" in codes(compile_document(d))
    set_mode(d, "u", "mute")
    assert program_of(d).text() == plain
    set_mode(d, "u", "bypass")
    assert "MYL101" in codes(compile_document(d))


def test_a_muted_projection_leaves_the_populations() -> None:
    d = chain()
    set_mode(d, d.find("p1"), "mute")
    assert program_of(d).text() == without(d, ["p1", "fixed"])


def test_muted_delays_leave_their_projection() -> None:
    d = chain()
    set_mode(d, d.find("fixed"), "mute")
    assert program_of(d).text() == without(d, ["fixed"])


def test_a_population_with_another_source_stays() -> None:
    d = chain()
    other = d.add("population.poisson", name="other", size=[2])
    project(d, other, d.find("first"), name="p3")
    set_mode(d, d.find("source"), "mute")
    assert program_of(d).text() == without(d, ["source", "p1", "fixed"])


def test_a_bypassed_node_passes_on_what_it_is_given() -> None:
    d = chain()
    p2, second = d.find("p2"), d.find("second")
    plain = program_of(d).text()
    (wire,) = [key for key, w in d.wires.items() if w.source.node == p2]
    d.edit("unwire", [{"op": "del_wire", "id": wire}])
    norm = d.add("structure.dropout", name="dropout")
    d.connect(p2, "output", norm, "input")
    d.connect(norm, "output", second, "input")
    assert program_of(d).text() != plain
    set_mode(d, norm, "bypass")
    assert program_of(d).text() == plain


def test_a_bypassed_projection_between_spikes_and_current_is_told() -> None:
    d = chain()
    set_mode(d, d.find("p2"), "bypass")
    (found,) = compile_document(d).errors
    assert str(found).startswith("error MYL106: 'p2' cannot be bypassed: spikes does not fit into input of")
    assert found.fix is not None


def test_bypassed_nodes_in_a_row() -> None:
    d = new_document()
    here = d.add("population.poisson", name="source", size=[2])
    projection = d.add("projection.dense", size=[2])
    d.connect(here, "spikes", projection, "input")
    last = projection
    for n in range(3):
        then = d.add("structure.dropout", name=f"d{n}")
        d.connect(last, "output", then, "input")
        set_mode(d, then, "bypass")
        last = then
    d.connect(last, "output", d.add("population.lif", name="cells"), "input")
    program = program_of(d)
    assert sorted(op.type for op in program.ops.values()) == [
        "population.lif", "population.poisson", "projection.dense",
    ]  # fmt: skip


def test_every_copy_of_a_repeated_group_is_muted() -> None:
    d = new_document()
    source = d.add("population.poisson", name="source", size=[2])
    cells = d.add("population.lif", name="cells", size=[2])
    projection = project(d, source, cells, name="p")
    extra = d.add("population.lif", name="extra", size=[2])
    side = project(d, cells, extra, name="side")
    block = group([projection, cells, extra, side], (projection, "input"), (cells, "spikes"), 3)
    set_groups(d, g=block)
    set_mode(d, extra, "mute")
    assert program_of(d).text() == without(d, ["extra", "side"])


@pytest.mark.parametrize("mode", ["mute", "bypass"])
def test_a_mode_on_everything_leaves_nothing(mode: str) -> None:
    d = chain()
    for key in list(d.nodes):
        set_mode(d, key, mode)
    program = compile_document(d).program
    assert program is None or not program.ops


def test_an_unknown_mode_is_told() -> None:
    d = chain()
    set_mode(d, d.find("first"), "muted")
    assert codes(compile_document(d)) == ["MYL108"]
