from __future__ import annotations

import json
from random import Random
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networkx.algorithms import isomorphism

from engine.document import Document, DocumentError, copy, dumps, paste
from tests.document.edits import new_document, random_document


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _graph(document: Document, nodes: set[str]) -> nx.MultiDiGraph:
    """The part of a document on these nodes: nodes by their record but for the name, wires by their ports."""
    graph = nx.MultiDiGraph()
    for key in nodes:
        node = document.nodes[key]
        group = next(
            (
                group["name"]
                for group in document.groups.values()
                if key in group["nodes"] and set(group["nodes"]) <= nodes
            ),
            None,
        )
        graph.add_node(key, label=_text([node.type, node.v, node.params, node.extra]), group=group)
    for wire in document.wires.values():
        if {wire.source.node, wire.target.node} <= nodes:
            graph.add_edge(
                wire.source.node,
                wire.target.node,
                ports=_text([wire.source.port, wire.target.port, wire.extra]),
            )
    return graph


def _same(one: nx.MultiDiGraph, other: nx.MultiDiGraph, *labels: str) -> bool:
    nodes = isomorphism.categorical_node_match(labels, [""] * len(labels))
    edges = isomorphism.categorical_multiedge_match("ports", "")
    return bool(nx.is_isomorphic(one, other, node_match=nodes, edge_match=edges))


@given(st.randoms(use_true_random=False))
def test_the_pasted_part_is_isomorphic_to_the_copied_one(rng: Random) -> None:
    document = random_document(rng)
    if not document.nodes:
        document.add("acme.thing")
    chosen = set(rng.sample(sorted(document.nodes), rng.randint(1, len(document.nodes))))
    text, before, old = copy(document, chosen), dumps(document), set(document.nodes)
    edit = document.edit("Paste", paste(document, text))
    pasted = set(document.nodes) - old
    assert _same(_graph(document, chosen), _graph(document, pasted), "label")
    document.edit("undo", edit.inverse)
    assert dumps(document) == before

    empty = new_document()
    empty.edit("Paste", paste(empty, copy(document, document.nodes)))
    assert _same(_graph(document, old), _graph(empty, set(empty.nodes)), "label", "group")


def _grouped() -> tuple[Document, str, str]:
    document = Document.new("groups")
    a, b = document.add("acme.a", at=(1, 2)), document.add("acme.b")
    document.connect(a, "out", b, "in")
    inner = {"name": "inner", "nodes": [a], "ports": {"in": {}, "out": {"y": [a, "out"]}}, "parent": "outer"}
    outer = {"name": "outer", "nodes": [b], "ports": {"in": {}, "out": {"y": [a, "out"]}}, "parent": None}
    document.edit(
        "group",
        [
            {"op": "set", "path": ["groups"], "value": {"inner": inner, "outer": outer}},
            {"op": "set", "path": ["layout", "outer"], "value": {"collapsed": True}},
        ],
    )
    return document, a, b


def test_whole_groups_come_along_with_their_ports_and_layout() -> None:
    document, a, b = _grouped()
    other = Document.new("other")
    other.edit("Paste", paste(other, copy(document, [a, b]), offset=(10, 20)))
    ids = {node.name: key for key, node in other.nodes.items()}
    groups = {group["name"]: (key, group) for key, group in other.groups.items()}
    outer, inner = groups["outer"], groups["inner"]
    assert inner[1] == {
        "name": "inner",
        "nodes": [ids["a"]],
        "parent": outer[0],
        "ports": {"in": {}, "out": {"y": [ids["a"], "out"]}},
    }
    assert outer[1]["ports"]["out"] == {"y": [ids["a"], "out"]}
    assert other.layout == {ids["a"]: {"at": [11, 22]}, outer[0]: {"collapsed": True}}


def test_a_group_copied_without_its_parent_lies_at_the_top() -> None:
    document, a, _ = _grouped()
    other = Document.new("other")
    other.edit("Paste", paste(other, copy(document, [a])))
    assert [(group["name"], group["parent"]) for group in other.groups.values()] == [("inner", None)]
    assert other.wires == {}


def test_names_stay_unique() -> None:
    document, a, _ = _grouped()
    text = copy(document, [a])
    document.edit("Paste", paste(document, text))
    document.edit("Paste", paste(document, text))
    assert sorted(node.name for node in document.nodes.values()) == ["a", "a_2", "a_3", "b"]


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"format": "myelin", "schema": 99}', "\0", "[" * 5000])
def test_a_clipboard_with_something_else_gives_one_sentence(text: str) -> None:
    with pytest.raises(DocumentError, match="the clipboard") as caught:
        paste(Document.new(), text)
    assert str(caught.value).isprintable()


def test_an_empty_selection_pastes_nothing() -> None:
    with pytest.raises(DocumentError, match="holds no nodes"):
        paste(Document.new(), copy(Document.new(), []))
