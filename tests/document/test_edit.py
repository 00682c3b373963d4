from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.document import Document, DocumentError, Edit, EditError, End, delete_nodes, dumps, loads
from tests.document.edits import new_document, random_document, random_ops

LIF = {"type": "population.lif", "v": 1, "name": "a", "params": {"size": [2]}}


@given(st.randoms(use_true_random=False), st.integers(0, 25))
def test_inverted_edits_restore_every_byte(rng: Random, count: int) -> None:
    document = new_document()
    before, edits = [], []
    for _ in range(count):
        before.append(dumps(document))
        edits.append(document.edit("random", random_ops(document, rng)))
    last = dumps(document)
    for text, edit in zip(reversed(before), reversed(edits), strict=True):
        document.edit("undo", edit.inverse)
        assert dumps(document) == text
    for edit in edits:
        document.edit("redo", edit.ops)
    assert dumps(document) == last


@given(st.randoms(use_true_random=False))
def test_a_failing_edit_changes_nothing_and_tells_nobody(rng: Random) -> None:
    document = random_document(rng)
    before, seen = dumps(document), []
    document.subscribe(seen.append)
    ops = [*random_ops(document, rng), {"op": "del_node", "id": "no such node"}]
    with pytest.raises(EditError):
        document.edit("fails", ops)
    assert dumps(document) == before
    assert seen == []


def _pair() -> tuple[Document, str, str, str]:
    document = Document.new("pair")
    a = document.add("population.lif", name="a", at=(0, 0))
    b = document.add("population.lif", name="b")
    return document, a, b, document.connect(a, "spikes", b, "in")


BAD: list[tuple[list[Any], str]] = [
    ([{"op": "explode"}], "there is no operation 'explode'"),
    ([{}], "there is no operation None"),
    ([7], "must be an object"),
    ([{"op": []}], "there is no operation"),
    ([{"op": "add_node", "id": "x"}], "takes id, node, op"),
    ([{"op": "add_node", "id": "A", "node": LIF}], "already a node 'A'"),
    ([{"op": "add_node", "id": "", "node": LIF}], "must be a text"),
    ([{"op": "add_node", "id": "x", "node": {"v": 1}}], "nodes.x.type is missing"),
    ([{"op": "del_node", "id": "A"}], "still has the wire 'W'"),
    ([{"op": "del_node", "id": ["A"]}], "there is no node"),
    ([{"op": "add_wire", "id": "W", "wire": {"from": ["A", "o"], "to": ["B", "i"]}}], "already a wire"),
    ([{"op": "add_wire", "id": "x", "wire": {"from": ["A", "o"], "to": ["Z", "i"]}}], "missing node 'Z'"),
    ([{"op": "add_wire", "id": "x", "wire": {"from": "A", "to": ["B", "i"]}}], "must be [node, port]"),
    ([{"op": "del_wire", "id": "x"}], "there is no wire 'x'"),
    ([{"op": "set", "path": [], "value": 1}], "a path must be a list"),
    ([{"op": "set", "path": ["meta", None], "value": 1}], "keys and indices"),
    ([{"op": "set", "path": ["nodes", "A"], "value": LIF}], "add and del operations"),
    ([{"op": "set", "path": ["nodes"], "value": {}}], "add and del operations"),
    ([{"op": "set", "path": ["nodes", "Z", "name"], "value": "z"}], "there is no nodes.Z"),
    ([{"op": "set", "path": ["nodes", "A", "name"], "value": 3}], "nodes.A.name must be a text"),
    ([{"op": "unset", "path": ["nodes", "A", "params"]}], "cannot be removed"),
    ([{"op": "set", "path": ["nodes", "A", "params", "q", "r"], "value": 3}], "there is no nodes.A.params.q"),
    ([{"op": "set", "path": ["nodes", "A", "params", "size", 9], "value": 3}], "leads nowhere at 9"),
    ([{"op": "set", "path": ["nodes", "A", "params", "tau_mem", "x"], "value": 3}], "leads nowhere"),
    ([{"op": "unset", "path": ["nodes", "A", "params", "nope"]}], "to remove"),
    ([{"op": "set", "path": ["nodes", "A", "params", "x"], "value": float("nan")}], "finite number"),
    ([{"op": "set", "path": ["nodes", "A", "params", "x"], "value": {1: 2}}], "keys must be texts"),
    ([{"op": "set", "path": ["nodes", "A", "params", "x"], "value": {2j}}], "plain JSON, not a set"),
    ([{"op": "set", "path": ["nodes", "A", "params", "x"], "value": "\ud800"}], "not valid Unicode"),
    ([{"op": "set", "path": ["wires", "W", "to"], "value": ["A", "in"]}], "ends of a wire"),
    ([{"op": "set", "path": ["schema"], "value": 2}], "belongs to the file format"),
    ([{"op": "set", "path": ["meta", "dt_ms"], "value": 0}], "meta.dt_ms must be above 0"),
    ([{"op": "unset", "path": ["layout"]}], "layout cannot be removed"),
    ([{"op": "set", "path": ["layout", "A"], "value": {"at": [0]}}], "must be [x, y]"),
    ([{"op": "set", "path": ["layout", "A", "at", 0], "value": "left"}], "layout.A.at must be a number"),
    ([{"op": "set", "path": ["views"], "value": {}}], "views must be a list"),
    ([{"op": "set", "path": ["groups", "g"], "value": {"name": "g"}}], "groups.g.nodes must be a list"),
    (
        [
            {
                "op": "set",
                "path": ["groups", "g"],
                "value": {"name": "g", "nodes": ["Z"], "ports": {}, "parent": None},
            }
        ],
        "missing node 'Z'",
    ),
]


@pytest.mark.parametrize(("ops", "reason"), BAD)
def test_an_impossible_edit_is_refused_with_one_sentence(ops: list[Any], reason: str) -> None:
    document, a, b, wire = _pair()
    document = _renamed(document, {a: "A", b: "B", wire: "W"})
    before = dumps(document)
    with pytest.raises(EditError) as caught:
        document.edit("Try", ops)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("Try: ")
    assert "\n" not in str(caught.value)
    assert dumps(document) == before


def _renamed(document: Document, ids: dict[str, str]) -> Document:
    text = dumps(document)
    for old, new in ids.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return loads(text)


def test_nesting_deeper_than_a_file_may_be_is_refused() -> None:
    document, node, *_ = _pair()
    deep: Any = 0
    for _ in range(90):
        deep = [deep]
    path: list[Any] = ["nodes", node, "params", "deep"]
    document.edit("deep", [{"op": "set", "path": path, "value": deep}])
    assert loads(dumps(document)) == document
    with pytest.raises(EditError, match="nested too deep"):
        document.edit("deeper", [{"op": "set", "path": path + [0] * 90, "value": deep}])


def test_a_node_is_deleted_with_all_that_hangs_on_it() -> None:
    document, a, b, wire = _pair()
    inner = {"name": "in", "nodes": [a], "ports": {"in": {}, "out": {"y": [a, "spikes"]}}, "parent": "outer"}
    outer = {"name": "out", "nodes": [b], "ports": {"in": {}, "out": {"y": [a, "spikes"]}}, "parent": None}
    document.edit(
        "group",
        [
            {"op": "set", "path": ["groups"], "value": {"inner": inner, "outer": outer}},
            {"op": "set", "path": ["layout", "inner"], "value": {"at": [1, 2]}},
            {"op": "set", "path": ["layout", wire], "value": {}},
        ],
    )
    before = dumps(document)
    edit = document.edit("delete", delete_nodes(document, [a]))
    assert list(document.nodes) == [b]
    assert document.wires == {}
    assert document.layout == {}
    assert document.groups == {"outer": {**outer, "ports": {"in": {}, "out": {}}}}
    document.edit("undo", edit.inverse)
    assert dumps(document) == before
    document.edit("delete both", delete_nodes(document, [a, b]))
    assert document.groups == {}


def test_records_held_elsewhere_never_change() -> None:
    document, a, *_ = _pair()
    snapshot, text, node = document.copy(), dumps(document), document.nodes[a]
    size = [1, 2]
    document.edit(
        "set",
        [
            {"op": "set", "path": ["nodes", a, "params", "size"], "value": size},
            {"op": "set", "path": ["layout", a, "at", 0], "value": 99},
            {"op": "set", "path": ["meta", "title"], "value": "other"},
        ],
    )
    size.append(3)
    assert document.nodes[a].params["size"] == [1, 2]
    assert node.params["size"] != [1, 2]
    assert dumps(snapshot) == text


def test_observers_get_each_edit_until_they_leave() -> None:
    document, a, *_ = _pair()
    seen: list[Edit] = []
    leave = document.subscribe(seen.append)
    edit = document.edit("rename", [{"op": "set", "path": ["nodes", a, "name"], "value": "z"}])
    document.edit("nothing", [])
    leave()
    document.edit("unseen", [{"op": "set", "path": ["nodes", a, "name"], "value": "y"}])
    assert seen == [edit]
    assert edit.inverse == [{"op": "set", "path": ["nodes", a, "name"], "value": "a"}]


def test_the_builder_writes_every_parameter() -> None:
    from nodes import registry

    spec = registry.get("population.lif")
    assert spec is not None
    document = Document.new("built", dt_ms=0.5)
    node = document.add("population.lif", size=(3,), name="named", at=(1, 2))
    other = document.add("population.lif")
    third = document.add("population.lif")
    wire = document.connect(node, "spikes", other, "in")
    assert set(document.nodes[node].params) == set(spec.params)
    assert document.nodes[node].params["size"] == [3]
    assert document.nodes[node].v == spec.version
    assert [document.nodes[key].name for key in (node, other, third)] == ["named", "lif", "lif_2"]
    assert document.wires[wire].source == End(node, "spikes")
    assert document.layout == {node: {"at": [1, 2]}}
    assert document.meta == {"title": "built", "dt_ms": 0.5, "seed": 0}


def test_an_unknown_type_is_a_placeholder_with_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document.new()
    assert document.nodes[document.add("acme.thing", gain=2)].params == {"gain": 2}
    monkeypatch.setitem(__import__("sys").modules, "nodes", None)
    assert document.nodes[document.add("population.lif", gain=2)].params == {"gain": 2}


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(DocumentError, match="plain JSON"):
        Document.new().add("acme.thing", gain=object())


def test_nodes_are_found_by_id_or_by_a_name_of_their_own() -> None:
    document, a, b, _ = _pair()
    assert (document.find(a), document.find("b")) == (a, b)
    document.edit("rename", [{"op": "set", "path": ["nodes", b, "name"], "value": "a"}])
    with pytest.raises(DocumentError, match="2 nodes are named 'a'"):
        document.find("a")
    with pytest.raises(DocumentError, match="no node 'c'"):
        document.find("c")


def test_ids_are_minted_anew_until_one_is_free() -> None:
    ids = iter(["one", "one", "one", "two"])
    document = Document.new(mint=lambda: next(ids))
    assert [document.add("acme.thing"), document.add("acme.thing")] == ["one", "two"]


def test_paths_are_those_of_the_file() -> None:
    document, a, _, wire = _pair()
    paths = [
        ["comment"],
        ["meta", "author"],
        ["nodes", a, "note"],
        ["nodes", a, "params", "gain"],
        ["wires", wire, "note"],
    ]
    document.edit("all", [{"op": "set", "path": path, "value": path} for path in paths])
    tree = json.loads(dumps(document))
    assert tree["comment"] == ["comment"]
    assert tree["meta"]["author"] == ["meta", "author"]
    assert tree["nodes"][a]["note"] == ["nodes", a, "note"]
    assert tree["nodes"][a]["params"]["gain"] == ["nodes", a, "params", "gain"]
    assert tree["wires"][wire]["note"] == ["wires", wire, "note"]
