"""Copy and paste: the clipboard's text is itself a small document, so a whole file can be pasted too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.document import ops as operations
from engine.document.document import Document, distinct
from engine.document.errors import DocumentError
from engine.document.groups import ancestors, members
from engine.document.records import End, Json, Wire
from engine.document.store import dumps, loads


def copy(document: Document, ids: Iterable[str]) -> str:
    """The nodes, the wires and groups that lie wholly among them, and their layout, as text."""
    nodes = {key: document.nodes[key] for key in ids if key in document.nodes}
    wires = {
        key: wire
        for key, wire in document.wires.items()
        if wire.source.node in nodes and wire.target.node in nodes
    }
    groups = _groups_inside(document.groups, set(nodes))
    layout = {
        key: place for key, place in document.layout.items() if key in nodes or key in wires or key in groups
    }
    return dumps(Document(nodes=nodes, wires=wires, groups=groups, layout=layout))


def paste(document: Document, text: str, offset: Sequence[float] = (20, 20)) -> list[Json]:
    """The operations that add the copied part, with new ids and names not yet used, moved by ``offset``."""
    source = loads(text, "the clipboard")
    if not source.nodes:
        raise DocumentError("the clipboard holds no nodes")
    ids: dict[str, str] = {}
    for key in [*sorted(source.nodes), *sorted(source.wires), *sorted(source.groups)]:
        ids[key] = document.fresh_id(ids.values())
    return [
        *_nodes(document, source, ids),
        *_wires(source, ids),
        *_groups(source, ids),
        *_layout(source, ids, offset),
    ]


def _groups_inside(groups: Json, nodes: set[str]) -> Json:
    """The groups whose members are all in ``nodes``; a group copied without its parent lies at the top."""
    inside = {key for key, found in members(groups).items() if found and found <= nodes}
    kept = {key for key in groups if inside.intersection(ancestors(groups, key))}
    return {
        key: {**groups[key], "parent": groups[key]["parent"] if groups[key]["parent"] in kept else None}
        for key in kept
    }


def _nodes(document: Document, source: Document, ids: dict[str, str]) -> list[Json]:
    names, ops = document.names(), []
    for key, node in sorted(source.nodes.items()):
        name = distinct(node.name, names) if node.name else ""
        names.add(name)
        ops.append({"op": "add_node", "id": ids[key], "node": {**node.to_json(), "name": name}})
    return ops


def _wires(source: Document, ids: dict[str, str]) -> list[Json]:
    return [
        operations.add_wire(ids[key], Wire(_end(wire.source, ids), _end(wire.target, ids), wire.extra))
        for key, wire in sorted(source.wires.items())
    ]


def _end(end: End, ids: dict[str, str]) -> End:
    return End(ids[end.node], end.port)


def _groups(source: Document, ids: dict[str, str]) -> list[Json]:
    return [
        operations.set_op(["groups", ids[key]], _group(group, ids))
        for key, group in sorted(source.groups.items())
    ]


def _group(group: Json, ids: dict[str, str]) -> Json:
    ports = {
        side: {name: [ids[node], port] for name, (node, port) in exposed.items()}
        for side, exposed in group["ports"].items()
    }
    parent = None if group["parent"] is None else ids[group["parent"]]
    return {**group, "nodes": [ids[node] for node in group["nodes"]], "ports": ports, "parent": parent}


def _layout(source: Document, ids: dict[str, str], offset: Sequence[float]) -> list[Json]:
    return [
        operations.set_op(["layout", ids[key]], _shifted(place, offset))
        for key, place in sorted(source.layout.items())
        if key in ids
    ]


def _shifted(place: Json, offset: Sequence[float]) -> Json:
    """A place moved by ``offset``, with the points that a wire is led over."""
    moved = dict(place)
    if "at" in place:
        moved["at"] = _moved(place["at"], offset)
    if isinstance(place.get("points"), list):
        moved["points"] = [_moved(point, offset) for point in place["points"]]
    return moved


def _moved(point: Any, offset: Sequence[float]) -> Any:
    """A point [x, y] moved; anything else, which a file may hold under ``points``, stays as it is."""
    match point:
        case [int() | float() as x, int() | float() as y]:
            return [x + offset[0], y + offset[1]]
    return point
