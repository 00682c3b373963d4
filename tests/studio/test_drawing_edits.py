"""The edits of drawing as pure functions: what they leave, what they refuse, and that undo restores all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compile import compile_document
from engine.document import Document, DocumentError, EditError, End, dumps, load
from nodes import registry
from studio.edits import arrange, clipboard, create, grouping, modes, notes, remove, wiring
from studio.edits.boxes import around, box
from studio.edits.ports import Ports, fitting_port

PROJECTS = Path(__file__).resolve().parents[2] / "projects"


def new_document() -> Document:
    numbers = count()
    return Document.new("drawing", mint=lambda: f"n{next(numbers):03d}")


def apply(document: Document, made: Any) -> Any:
    """Make an edit, check that its inverse restores every byte, and leave it made; what it named besides."""
    ops, named = made if isinstance(made, tuple) else (made, None)
    before = dumps(document)
    edit = document.edit("edit", ops)
    after = dumps(document)
    document.edit("undo", edit.inverse)
    assert dumps(document) == before
    document.edit("redo", edit.ops)
    assert dumps(document) == after
    return named


def wires(document: Document) -> set[str]:
    """The wires by the names of what they join."""
    name = {key: node.name for key, node in document.nodes.items()}
    return {
        f"{name[w.source.node]}.{w.source.port}>{name[w.target.node]}.{w.target.port}"
        for w in document.wires.values()
    }


def two() -> tuple[Document, str, str]:
    d = new_document()
    return (
        d,
        d.add("population.poisson", "a", (0, 0), size=[2]),
        d.add("population.lif", "b", (600, 0), size=[2]),
    )


def chain() -> tuple[Document, str, str, str]:
    d, a, b = two()
    apply(d, wiring.connect(d, End(a, "spikes"), End(b, "input")))
    return d, a, d.find("dense"), b


def test_populations_are_joined_by_the_default_projection_midway() -> None:
    d, a, projection, b = chain()
    assert wires(d) == {"a.spikes>dense.input", "dense.output>b.input"}
    assert d.nodes[projection].type == "projection.dense"
    first, middle, last = (box(d, key) for key in (a, projection, b))
    assert first is not None
    assert middle is not None
    assert last is not None
    assert first.right < middle.left < middle.right < last.left
    assert not compile_document(d).errors


def test_a_population_is_joined_to_itself_by_a_projection_above_it() -> None:
    d, _, _, b = chain()
    apply(d, wiring.connect(d, End(b, "spikes"), End(b, "input")))
    assert {"b.spikes>dense_2.input", "dense_2.output>b.input"} <= wires(d)
    found, cells = box(d, d.find("dense_2")), box(d, b)
    assert found is not None
    assert cells is not None
    assert found.bottom < cells.top


def test_data_are_joined_to_a_population_likewise() -> None:
    d = new_document()
    data, cells = d.add("dataset.mnist", "data"), d.add("population.lif", "cells")
    apply(d, wiring.connect(d, End(data, "data"), End(cells, "input")))
    assert wires(d) == {"data.data>dense.input", "dense.output>cells.input"}


def test_delays_are_attached_and_replace_those_before() -> None:
    d, _, projection, _ = chain()
    one, other = d.add("delays.fixed", "one"), d.add("delays.learnable", "other")
    apply(d, wiring.connect(d, End(one, "delays"), End(projection, "delays")))
    apply(d, wiring.connect(d, End(other, "delays"), End(projection, "delays")))
    assert {w for w in wires(d) if "delays" in w} == {"other.delays>dense.delays"}


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (("dense", "output"), ("dense", "delays"), "a current cannot enter the port delays of 'dense': it "),
        (("fixed", "delays"), ("b", "input"), "delays cannot enter the port input of 'b': it takes current"),
        (("a", "spikes"), ("dense", "input"), "these two ports are joined already"),
        (("dense", "output"), ("b", "input"), "these two ports are joined already"),
        (("a", "label"), ("dense", "input"), "'a' has no output label"),
        (("a", "spikes"), ("dense", "output"), "'dense' has no input output"),
        (("drop", "output"), ("drop", "input"), "'drop' cannot feed itself directly"),
        (("a", "spikes"), ("odd", "input"), "'odd' has the type acme.odd, which is not installed"),
        (("digits", "data"), ("dense", "input"), "a sound cannot enter the port input of 'dense': it takes"),
    ],
)  # fmt: skip
def test_a_wire_that_does_not_fit_is_refused_in_words(
    source: tuple[str, str], target: tuple[str, str], reason: str
) -> None:
    d, *_ = chain()
    for type, name in (("delays.fixed", "fixed"), ("structure.dropout", "drop"), ("acme.odd", "odd")):
        d.add(type, name)
    d.add("dataset.audio_folder", "digits")
    ends = End(d.find(source[0]), source[1]), End(d.find(target[0]), target[1])
    assert Ports(d).reason(*ends).startswith(reason)
    with pytest.raises(EditError, match=r"cannot|joined|has"):
        wiring.connect(d, *ends)


def test_a_reason_names_what_to_put_between() -> None:
    d = new_document()
    sound, dense = d.add("dataset.audio_folder", "digits"), d.add("projection.dense", "dense")
    assert "put Cochlea between" in Ports(d).reason(End(sound, "data"), End(dense, "input"))


def test_what_passes_on_its_kind_carries_what_arrives() -> None:
    d, a, _, b = chain()
    drop = d.add("structure.dropout", "drop")
    ports = Ports(d)
    assert ports.kind(End(drop, "output")) is None
    apply(d, wiring.connect(d, End(a, "spikes"), End(drop, "input")))
    assert Ports(d).kind(End(drop, "output")) == "spikes"
    assert Ports(d).bridge(End(drop, "output"), End(b, "input"))


def test_what_is_refused_is_what_the_compiler_reports() -> None:
    """A wire drawn without asking is reported as a misfit just where drawing would refuse or bridge it."""
    d, *_ = chain()
    for type in (
        "delays.fixed",
        "readout.spike_count",
        "loss.cross_entropy",
        "dataset.spoken_digits",
        "probe.state",
    ):
        d.add(type)
    ports = Ports(d)
    outputs = [end for key in d.nodes for end in ports.outputs(key)]
    inputs = [end for key in d.nodes for end in ports.inputs(key)]
    for source in outputs:
        for target in inputs:
            refusal = ports.refusal(source, target)
            if source.node != target.node and "joined" not in refusal:
                drawn = d.copy()
                drawn.connect(*source, *target)
                reported = any(x.code == "MYL121" for x in compile_document(drawn).diagnostics)
                assert reported == bool(refusal), (source, target, refusal)


def test_the_best_port_of_a_node() -> None:
    d, a, projection, b = chain()
    loss, data = d.add("loss.cross_entropy"), d.add("dataset.spoken_digits")
    ports = Ports(d)
    assert ports.best(End(data, "label"), True, ports.inputs(loss)) == End(loss, "label")
    late = d.add("delays.fixed")
    assert Ports(d).best(End(late, "delays"), True, ports.inputs(projection)) == End(projection, "delays")
    assert ports.best(End(b, "input"), False, ports.outputs(a)) == End(a, "spikes")
    assert ports.best(End(data, "label"), True, ports.inputs(b)) is None


def test_picking_up_a_wire_moves_it() -> None:
    d, _, projection, b = chain()
    c = d.add("population.lif", "c")
    (wire,) = [key for key, w in d.wires.items() if w.target.node == b]
    apply(d, wiring.connect(d, End(projection, "output"), End(c, "input"), instead=wire))
    assert wires(d) == {"a.spikes>dense.input", "dense.output>c.input"}


def test_a_node_is_put_on_a_wire_and_taken_off_again() -> None:
    d, _, _, b = chain()
    before = wires(d)
    norm = d.add("structure.batch_norm", "norm")
    (wire,) = [key for key, w in d.wires.items() if w.target.node == b]
    apply(d, wiring.set_points(d, wire, [[400, 90]]))
    apply(d, wiring.insert(d, norm, wire))
    assert wires(d) == {"a.spikes>dense.input", "dense.output>norm.input", "norm.output>b.input"}
    assert wire not in d.layout
    apply(d, wiring.dissolve(d, [norm]))
    assert wires(d) == before


def test_a_population_on_a_wire_gets_a_projection_behind_it() -> None:
    d, _, _, b = chain()
    (wire,) = [key for key, w in d.wires.items() if w.target.node == b]
    apply(d, create.add_on_wire(d, "population.lif", (300, 50), wire))
    assert wires(d) == {
        "a.spikes>dense.input", "dense.output>lif.input", "lif.spikes>dense_2.input",
        "dense_2.output>b.input",
    }  # fmt: skip


def test_what_cannot_stand_on_a_wire_is_refused() -> None:
    d, *_ = chain()
    probe = d.add("probe.spikes", "probe")
    with pytest.raises(EditError, match="'probe' has no input and output"):
        wiring.insert(d, probe, sorted(d.wires)[0])


def test_swapping_two_nodes_swaps_wires_and_places() -> None:
    d, _, _, b = chain()
    other = d.add("population.cuba", "other", (900, 300))
    apply(d, wiring.swap(d, b, other))
    assert wires(d) == {"a.spikes>dense.input", "dense.output>other.input"}
    assert (d.layout[b]["at"], d.layout[other]["at"]) == ([900, 300], [600, 0])


def test_reroute_points_are_added_moved_and_deleted() -> None:
    d, *_ = chain()
    wire = sorted(d.wires)[0]
    apply(d, wiring.add_point(d, wire, (10.2, 20), 0))
    apply(d, wiring.add_point(d, wire, (30, 40), 1))
    apply(d, wiring.move_point(d, wire, 0, (5, 6)))
    assert wiring.points(d, wire) == [[5, 6], [30, 40]]
    apply(d, wiring.delete_point(d, wire, 0))
    apply(d, wiring.delete_point(d, wire, 0))
    assert wire not in d.layout
    with pytest.raises(EditError):
        wiring.delete_point(d, wire, 0)


def test_a_new_node_at_the_loose_end_of_a_wire() -> None:
    d, a, b = two()
    apply(d, create.add_wired(d, "projection.sparse", (300, 0), End(a, "spikes"), True))
    apply(d, create.add_wired(d, "projection.dense", (300, 90), End(b, "input"), False))
    assert wires(d) == {"a.spikes>sparse.input", "dense.output>b.input"}
    dense = box(d, d.find("dense"))
    assert dense is not None
    assert dense.right == 300
    apply(d, create.add_wired(d, "population.lif", (300, 300), End(a, "spikes"), True))
    assert {"a.spikes>dense_2.input", "dense_2.output>lif.input"} <= wires(d)


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        ("population.lif", {"b.spikes>dense.input", "dense.output>lif.input"}),
        ("dataset.spoken_digits", {"spoken digits.data>dense.input", "dense.output>b.input"}),
        ("probe.state", {"b.v>state variable.input"}),
        ("encoder.poisson", {"poisson.output>dense.input", "dense.output>b.input"}),
        ("projection.dense", {"b.spikes>dense.input"}),
    ],
)
def test_a_node_dropped_on_a_population_is_joined_to_it(type: str, expected: set[str]) -> None:
    d, _, b = two()
    apply(d, create.add_beside(d, type, b))
    assert wires(d) == expected


def test_delays_dropped_on_a_projection_are_attached_below_it() -> None:
    d, _, projection, _ = chain()
    late = apply(d, create.add_beside(d, "delays.learnable", projection))
    assert "learnable delays.delays>dense.delays" in wires(d)
    above, below = box(d, projection), box(d, late)
    assert above is not None
    assert below is not None
    assert above.bottom < below.top


def test_what_does_not_fit_is_not_added_beside() -> None:
    d, _, b = two()
    with pytest.raises(EditError, match="no ports that fit"):
        create.add_beside(d, "loss.cross_entropy", d.add("delays.fixed"))
    assert b in d.nodes


def test_deleting_takes_wires_plots_groups_and_notes_along() -> None:
    d, a, projection, b = chain()
    d.edit(
        "views", [{"op": "set", "path": ["views"], "value": [{"id": "v", "node": b}, {"id": "w", "node": a}]}]
    )
    group = apply(d, grouping.group(d, [projection, b]))
    note = apply(d, notes.frame(d, [a]))
    apply(d, remove.delete(d, [group, note]))
    assert set(d.nodes) == {a}
    assert not d.groups
    assert not d.wires
    assert [view["id"] for view in d.views] == ["w"]
    assert set(d.layout) == {a}


def test_deleting_a_group_deletes_the_groups_within() -> None:
    d, a, projection, b = chain()
    inner = apply(d, grouping.group(d, [projection, b]))
    outer = apply(d, grouping.group(d, [a, inner]))
    for group in (inner, outer):
        apply(d, notes.comment(d, (0, 0), "seen only inside", group))
    apply(d, remove.delete(d, [outer]))
    assert not d.nodes
    assert not d.groups
    assert not d.layout


def test_a_group_shows_the_ports_that_wires_cross() -> None:
    d, _, projection, b = chain()
    group = apply(d, grouping.group(d, [projection, b], "layer"))
    entry = d.groups[group]
    assert entry["name"] == "layer"
    assert entry["ports"] == {"in": {"input": [projection, "input"]}, "out": {}}
    (inside,) = [box(d, group)]
    assert inside == around(d, [projection, b])


def test_groups_within_groups_and_back() -> None:
    d, a, projection, b = chain()
    inner = apply(d, grouping.group(d, [projection, b]))
    outer = apply(d, grouping.group(d, [a, inner]))
    assert d.groups[inner]["parent"] == outer
    deepest = apply(d, grouping.group(d, [b]))
    assert d.groups[deepest]["parent"] == inner
    assert d.groups[inner]["nodes"] == [projection]
    inside = apply(d, grouping.ungroup(d, [inner]))
    assert set(inside) == {projection, deepest}
    assert set(d.groups[outer]["nodes"]) == {a, projection}
    assert d.groups[deepest]["parent"] == outer


def test_a_repeated_group_is_not_taken_apart() -> None:
    d, *_, b = chain()
    group = apply(d, grouping.group(d, [b], "layer"))
    d.edit("repeat", [{"op": "set", "path": ["groups", group, "repeat"], "value": 3}])
    with pytest.raises(EditError, match="'layer' repeats 3 times"):
        grouping.ungroup(d, [group])


def test_a_wire_into_a_group_exposes_its_port() -> None:
    d, a, b = two()
    group = apply(d, grouping.group(d, [b]))
    apply(d, wiring.connect(d, End(a, "spikes"), End(b, "input")))
    assert d.groups[group]["ports"]["in"] == {"input": [b, "input"]}
    assert d.groups[group]["nodes"] == [b]
    with pytest.raises(EditError, match="remove that first"):
        grouping.unexpose(d, group, "in", "input")


def test_ports_of_a_group_are_shown_renamed_and_hidden() -> None:
    d, _, b = two()
    group = apply(d, grouping.group(d, [b]))
    apply(d, grouping.expose(d, group, "out", End(b, "spikes")))
    apply(d, grouping.rename_port(d, group, "out", "spikes", "fired"))
    assert d.groups[group]["ports"]["out"] == {"fired": [b, "spikes"]}
    apply(d, grouping.unexpose(d, group, "out", "fired"))
    assert d.groups[group]["ports"]["out"] == {}
    apply(d, grouping.rename(d, group, " cells "))
    assert d.groups[group]["name"] == "cells"


def test_a_collapsed_group_lies_where_its_members_are() -> None:
    d, _, b = two()
    group = apply(d, grouping.group(d, [b]))
    apply(d, grouping.collapse(d, group, True))
    assert d.layout[group] == {"at": [600, 0], "collapsed": True}


def test_copies_keep_wires_groups_notes_and_reroute_points() -> None:
    d, a, projection, b = chain()
    wire = sorted(d.wires)[0]
    apply(d, wiring.add_point(d, wire, (300, 90), 0))
    group = apply(d, grouping.group(d, [projection, b]))
    note = apply(d, notes.comment(d, (0, 300), "what this is"))
    text = clipboard.copy(d, [a, group, note])
    other = new_document()
    chosen = apply(other, clipboard.paste(other, text, at=(1000, 500)))
    assert wires(other) == wires(d)
    assert len(other.groups) == 1
    moved, old = around(other, [*other.nodes, *chosen]), around(d, [*d.nodes, group, note])
    assert moved is not None
    assert old is not None
    assert (moved.left, moved.top) == (1000, 500)
    dx, dy = moved.left - old.left, moved.top - old.top
    points = [place["points"] for place in other.layout.values() if "points" in place]
    assert points == [[[300 + dx, 90 + dy]]]
    assert [place["comment"] for place in other.layout.values() if "comment" in place] == ["what this is"]
    assert len(chosen) == 3


def test_pasting_into_an_entered_group() -> None:
    d, _, projection, b = chain()
    group = apply(d, grouping.group(d, [projection, b]))
    added = apply(d, clipboard.paste(d, clipboard.copy(d, [projection, b]), group=group))
    assert set(added) <= set(d.groups[group]["nodes"])
    note = apply(d, clipboard.paste(d, clipboard.copy(d, [apply(d, notes.comment(d, (0, 0)))]), group=group))
    assert d.layout[note[0]]["group"] == group


def test_duplicates_have_names_of_their_own() -> None:
    d, a, projection, b = chain()
    chosen = apply(d, clipboard.duplicate(d, [projection, b]))
    assert sorted(d.nodes[key].name for key in chosen) == ["b_2", "dense_2"]
    assert wires(d) >= {"dense_2.output>b_2.input"}
    assert a in d.nodes


@pytest.mark.parametrize("project", sorted(PROJECTS.glob("*/*.myelin")), ids=lambda path: path.stem)
def test_the_text_of_a_file_is_pasted(project: Path) -> None:
    d, source = new_document(), load(project)
    apply(d, clipboard.paste(d, project.read_text(encoding="utf-8"), at=(0, 0)))
    assert len(d.nodes) == len(source.nodes)
    assert len(d.wires) == len(source.wires)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the clipboard holds no network"),
        ("hello", "the clipboard holds no network"),
        ('{"a": 1}', "the clipboard holds no network"),
        (dumps(Document.new("empty")), "the clipboard holds an empty network"),
        ('{"format": "myelin", "schema": 99}', "newer"),
    ],
)
def test_another_clipboard_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(EditError, match=sentence):
        clipboard.paste(new_document(), text)


def test_modes_go_on_and_off() -> None:
    d, a, projection, _ = chain()
    apply(d, modes.toggle(d, [a], "mute"))
    apply(d, modes.toggle(d, [a, projection], "mute"))
    assert [modes.mode_of(d, key) for key in (a, projection)] == ["mute", "mute"]
    apply(d, modes.toggle(d, [a], "bypass"))
    apply(d, modes.toggle(d, [projection], "mute"))
    assert [modes.mode_of(d, key) for key in (a, projection)] == ["bypass", None]


def test_things_are_aligned_and_distributed() -> None:
    d = new_document()
    keys = [d.add("population.lif", at=(x, y)) for x, y in ((0, 0), (300, 70), (1000, 40))]
    for edge, of in {"top": "top", "bottom": "bottom", "left": "left", "right": "right"}.items():
        e = d.copy()
        apply(e, arrange.align(e, keys, edge))
        assert len({getattr(box(e, key), of) for key in keys}) == 1
    apply(d, arrange.distribute(d, keys, "horizontally"))
    first, middle, last = (box(d, key) for key in keys)
    assert first is not None
    assert middle is not None
    assert last is not None
    assert middle.left - first.right == pytest.approx(last.left - middle.right, abs=1)
    assert (first.left, last.left) == (0, 1000)
    with pytest.raises(EditError, match="at least two"):
        arrange.align(d, keys[:1], "left")


def test_a_frame_surrounds_what_is_selected() -> None:
    d, a, b = two()
    note = apply(d, notes.frame(d, [a, b], "input"))
    frame, inner = box(d, note), around(d, [a, b])
    assert frame is not None
    assert inner is not None
    assert frame.left < inner.left
    assert frame.top < inner.top
    assert frame.right > inner.right
    assert frame.bottom > inner.bottom
    apply(d, notes.write(d, note, "sources"))
    assert d.layout[note]["frame"] == "sources"


def test_every_type_finds_the_port_that_fits_a_kind() -> None:
    lif, dense = registry.all()["population.lif"], registry.all()["projection.dense"]
    assert fitting_port(dense, ("spikes",), True) == "input"
    assert fitting_port(dense, ("delays",), True) == "delays"
    assert fitting_port(lif, ("potential",), False) == "v"
    assert fitting_port(lif, ("label",), True) is None


Change = Callable[[Document, Random], Any]


def _ids(d: Document, rng: Random) -> list[str]:
    everything = sorted({*d.nodes, *d.wires, *d.groups, *d.layout})
    return rng.sample(everything, rng.randint(0, min(4, len(everything))))


def _one(d: Document, rng: Random) -> str:
    return rng.choice(sorted({*d.nodes, *d.groups, *d.wires}) or ["none"])


def _end(d: Document, rng: Random) -> End:
    return End(_one(d, rng), rng.choice(["input", "output", "spikes", "delays", "v", "data", "label"]))


def _type(rng: Random) -> str:
    return rng.choice(sorted(registry.all()))


def _scope(d: Document, rng: Random) -> str | None:
    return rng.choice([None, *sorted(d.groups)])


def _at(rng: Random) -> tuple[float, float]:
    return rng.uniform(-900, 900), rng.uniform(-900, 900)


CHANGES: list[Change] = [
    *[lambda d, rng: create.add(d, _type(rng), _at(rng), _scope(d, rng))] * 4,
    lambda d, rng: create.add_centred(d, _type(rng), _at(rng), _scope(d, rng)),
    lambda d, rng: create.add_wired(
        d, _type(rng), _at(rng), _end(d, rng), rng.random() < 0.5, _scope(d, rng)
    ),
    lambda d, rng: create.add_on_wire(d, _type(rng), _at(rng), _one(d, rng)),
    *[lambda d, rng: create.add_beside(d, _type(rng), _one(d, rng))] * 4,
    *[lambda d, rng: wiring.connect(d, _end(d, rng), _end(d, rng))] * 4,
    lambda d, rng: wiring.insert(d, _one(d, rng), _one(d, rng)),
    lambda d, rng: wiring.dissolve(d, _ids(d, rng)),
    lambda d, rng: wiring.swap(d, _one(d, rng), _one(d, rng)),
    lambda d, rng: wiring.delete_wires(d, _ids(d, rng)),
    lambda d, rng: wiring.add_point(d, _one(d, rng), _at(rng), rng.randrange(3)),
    lambda d, rng: wiring.move_point(d, _one(d, rng), rng.randrange(2), _at(rng)),
    lambda d, rng: wiring.delete_point(d, _one(d, rng), rng.randrange(2)),
    lambda d, rng: remove.delete(d, _ids(d, rng)),
    lambda d, rng: clipboard.duplicate(d, _ids(d, rng), _scope(d, rng)),
    lambda d, rng: clipboard.paste(d, clipboard.copy(d, _ids(d, rng)), _at(rng), _scope(d, rng)),
    *[lambda d, rng: grouping.group(d, _ids(d, rng))] * 2,
    lambda d, rng: grouping.ungroup(d, _ids(d, rng)),
    lambda d, rng: grouping.collapse(d, _one(d, rng), rng.random() < 0.5),
    lambda d, rng: grouping.expose(d, _one(d, rng), rng.choice(["in", "out"]), _end(d, rng)),
    lambda d, rng: grouping.unexpose(d, _one(d, rng), rng.choice(["in", "out"]), "input"),
    lambda d, rng: grouping.rename(d, _one(d, rng), rng.choice(["", "g"])),
    lambda d, rng: notes.frame(d, _ids(d, rng), "frame", _scope(d, rng)),
    lambda d, rng: notes.comment(d, _at(rng), "comment", _scope(d, rng)),
    lambda d, rng: modes.toggle(d, _ids(d, rng), rng.choice(["mute", "bypass"])),
    lambda d, rng: arrange.align(d, _ids(d, rng), rng.choice(sorted(arrange.EDGES))),
    lambda d, rng: arrange.distribute(d, _ids(d, rng), rng.choice(["horizontally", "vertically"])),
]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 25))
def test_any_sequence_of_edits_is_undone_to_identical_bytes(rng: Random, steps: int) -> None:
    d = new_document()
    before, inverses = dumps(d), []
    for _ in range(steps):
        try:
            made = rng.choice(CHANGES)(d, rng)
        except DocumentError:
            continue
        inverses.append(d.edit("random", made[0] if isinstance(made, tuple) else made).inverse)
    for inverse in reversed(inverses):
        d.edit("undo", inverse)
    assert dumps(d) == before


@pytest.mark.parametrize(
    ("type", "names"),
    [
        ("structure.batch_norm", ["batch norm", "batch norm 2", "batch norm 3"]),
        ("population.lif", ["lif", "lif_2", "lif_3"]),
        ("dataset.npz_events", ["events", "events_2", "events_3"]),
    ],
)
def test_a_new_node_is_called_by_its_label(type: str, names: list[str]) -> None:
    d = new_document()
    ids = [apply(d, create.add(d, type, (0, 0))) for _ in names]
    assert [d.nodes[id].name for id in ids] == names
