"""Random but possible edits, for the laws that must hold of every sequence of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from engine.document import Document, copy, delete_nodes, paste

VALUES: list[Any] = [
    None,
    True,
    0,
    -3,
    2**70,
    0.0,
    -0.0,
    1e-300,
    0.1,
    "",
    "tau",
    "zwölf\n\u2028 \U0001f9e0",
    [],
    {},
    [1, 2.5, 3],
    [[1], ["a", None]],
    {"a": {"b": [{}]}},
    list(range(60)),
]
KEYS = ["tau_mem", "v_th", "size", "ü", "", "from"]
Ops = list[dict[str, Any]]


def new_document() -> Document:
    """An empty document whose ids are counted, so that a failing example repeats."""
    numbers = count()
    return Document.new("law", mint=lambda: f"id{next(numbers):06d}")


def random_document(rng: Random) -> Document:
    """A document after some random edits."""
    document = new_document()
    for _ in range(rng.randrange(12)):
        document.edit("random", random_ops(document, rng))
    return document


def random_ops(document: Document, rng: Random) -> Ops:
    """The operations of one possible edit of any kind."""
    kinds: list[Callable[[Document, Random], Ops]] = [_node]
    if document.nodes:
        kinds += [_node, _wire, _wire, _delete, _param, _param, _name, _move, _group, _paste]
    kinds += [_section] + [_unwire] * bool(document.wires) + [_regroup] * bool(document.groups)
    return rng.choice(kinds)(document, rng)


def _pick(rng: Random, ids: Any) -> str:
    return str(rng.choice(sorted(ids)))


def _some(document: Document, rng: Random) -> list[str]:
    return rng.sample(sorted(document.nodes), rng.randint(1, min(3, len(document.nodes))))


def _node(document: Document, rng: Random) -> Ops:
    params = {rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.randrange(4))}
    node = {
        "type": rng.choice(["population.lif", "acme.unknown"]),
        "v": rng.randrange(3),
        "name": rng.choice(["a", "b", ""]),
        "params": params,
        "note": rng.choice(VALUES),
    }
    return [{"op": "add_node", "id": document.fresh_id(), "node": node}]


def _wire(document: Document, rng: Random) -> Ops:
    ends = [[_pick(rng, document.nodes), rng.choice(["in", "spikes"])] for _ in range(2)]
    wire = {"from": ends[0], "to": ends[1], "colour": rng.choice(VALUES)}
    return [{"op": "add_wire", "id": document.fresh_id(), "wire": wire}]


def _unwire(document: Document, rng: Random) -> Ops:
    return [{"op": "del_wire", "id": _pick(rng, document.wires)}]


def _delete(document: Document, rng: Random) -> Ops:
    return delete_nodes(document, _some(document, rng))


def _param(document: Document, rng: Random) -> Ops:
    node = _pick(rng, document.nodes)
    path = ["nodes", node, "params", rng.choice(KEYS)]
    if path[-1] in document.nodes[node].params and rng.random() < 0.4:
        return [{"op": "unset", "path": path}]
    return [{"op": "set", "path": path, "value": rng.choice(VALUES)} for _ in range(2)]


def _name(document: Document, rng: Random) -> Ops:
    node = _pick(rng, document.nodes)
    return [
        {"op": "set", "path": ["nodes", node, "name"], "value": rng.choice("abc")},
        {"op": "set", "path": ["nodes", node, "unknown"], "value": rng.choice(VALUES)},
    ]


def _move(document: Document, rng: Random) -> Ops:
    node = _pick(rng, document.nodes)
    if node in document.layout:
        return [{"op": "set", "path": ["layout", node, "at", rng.randrange(2)], "value": rng.randrange(500)}]
    return [{"op": "set", "path": ["layout", node], "value": {"at": [rng.random(), 0]}}]


def _group(document: Document, rng: Random) -> Ops:
    """A group of one free node, perhaps within another group."""
    taken = {node for group in document.groups.values() for node in group["nodes"]}
    free = sorted(set(document.nodes) - taken)[:1]
    ports = {"in": {}, "out": {"y": [free[0], "spikes"]} if free else {}}
    parent = rng.choice([None, *sorted(document.groups)])
    group = {"name": "g", "nodes": free, "ports": ports, "parent": parent, "repeat": rng.randint(1, 3)}
    return [{"op": "set", "path": ["groups", document.fresh_id()], "value": group}]


def _regroup(document: Document, rng: Random) -> Ops:
    path = ["groups", _pick(rng, document.groups)]
    return [
        {"op": "set", "path": [*path, "name"], "value": rng.choice("gh")},
        {"op": "set", "path": [*path, "nodes"], "value": list(document.groups[path[1]]["nodes"])},
    ]


def _paste(document: Document, rng: Random) -> Ops:
    return paste(document, copy(document, _some(document, rng)))


def _section(document: Document, rng: Random) -> Ops:
    value = rng.choice(VALUES)
    choices: list[Ops] = [
        [{"op": "set", "path": ["meta", "seed"], "value": rng.randrange(9)}],
        [{"op": "set", "path": ["meta", "author"], "value": value}],
        [{"op": "set", "path": ["recipes", "train"], "value": {"epochs": value}}],
        [{"op": "set", "path": ["views", len(document.views)], "value": {"kind": value}}],
        [{"op": "set", "path": ["unknown"], "value": value}],
        [{"op": "unset", "path": ["views", len(document.views) - 1]}] if document.views else [],
        [{"op": "unset", "path": ["unknown"]}] if "unknown" in document.extra else [],
    ]
    return rng.choice(choices)
