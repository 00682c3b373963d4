"""Edit operations: plain JSON, each applied in place and answered by its inverse.

=========================================  =====================================================
``{"op": "add_node", "id", "node"}``       a new node
``{"op": "del_node", "id"}``               refused at the end of the edit while a wire touches it
``{"op": "add_wire", "id", "wire"}``       a new wire between existing nodes
``{"op": "del_wire", "id"}``
``{"op": "set", "path", "value"}``         write one value; the object or list around it must exist
``{"op": "unset", "path"}``                remove one key, or the last item of a list
=========================================  =====================================================

A path names keys exactly as in the file: ``["nodes", id, "params", "tau_mem"]``, ``["nodes", id, "name"]``,
``["meta", "seed"]``, ``["layout", id, "at"]``, ``["views", 0]``, ``["groups", id, "nodes"]``; a first key
that the format does not know addresses an unknown top-level key. In a list, ``set`` also appends at the index
one past the end. Nodes and wires as a whole come and go only by their own operations.

Values are replaced along the path, never changed in place, so records held elsewhere stay as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from engine.document.errors import EditError, show
from engine.document.records import (
    Json,
    Node,
    Wire,
    check_layout,
    check_meta,
    check_place,
    check_recipes,
    check_views,
)
from engine.document.values import MAX_DEPTH, check_depth, expect

if TYPE_CHECKING:
    from engine.document.document import Document

MISSING: Final = object()
"""No value: what ``unset`` writes, and what a path that leads nowhere holds."""

CHECKS: dict[str, Callable[[Any], None]] = {
    "meta": check_meta,
    "layout": check_layout,
    "recipes": check_recipes,
    "views": check_views,
    "groups": lambda groups: expect(groups, dict, "groups"),
}


def apply(document: Document, op: Json) -> Json:
    """Apply one operation of plain JSON and return its inverse; EditError if it is not possible."""
    kind = expect(op, dict, "an operation").get("op")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise EditError(f"there is no operation {show(kind)}, only {', '.join(_KINDS)}")
    expected = {"op", *_KINDS[kind][1]}
    if set(op) != expected:
        takes, given = ", ".join(sorted(expected)), show(", ".join(sorted(op)))
        raise EditError(f"the operation {kind} takes {takes}, not {given}")
    return _KINDS[kind][0](document, op)


def set_op(path: list[Any], value: Any) -> Json:
    """The operation that writes ``value`` at ``path``."""
    return {"op": "set", "path": path, "value": value}


def unset_op(path: list[Any]) -> Json:
    """The operation that removes what is at ``path``."""
    return {"op": "unset", "path": path}


def add_node(node_id: str, node: Node) -> Json:
    """The operation that adds ``node``."""
    return {"op": "add_node", "id": node_id, "node": node.to_json()}


def add_wire(wire_id: str, wire: Wire) -> Json:
    """The operation that adds ``wire``."""
    return {"op": "add_wire", "id": wire_id, "wire": wire.to_json()}


def delete_nodes(document: Document, ids: Iterable[str]) -> list[Json]:
    """The operations that delete nodes with wires, layout and group membership; emptied groups go too."""
    doomed = sorted(set(ids))
    wires = document.wires_of(doomed)
    groups = _groups_without(document.groups, set(doomed))
    gone = {*doomed, *wires, *document.groups} - set(groups)
    places = sorted(key for key in gone if key in document.layout)
    ops: list[Json] = [{"op": "del_wire", "id": wire} for wire in wires]
    ops += [unset_op(["layout", key]) for key in places]
    ops += [
        set_op(["groups", key], group)
        for key, group in sorted(groups.items())
        if group != document.groups[key]
    ]
    ops += [unset_op(["groups", key]) for key in sorted(document.groups) if key not in groups]
    return ops + [{"op": "del_node", "id": node} for node in doomed]


def _groups_without(groups: Json, doomed: set[str]) -> Json:
    """The groups without these members and the ports they expose, less the groups that this empties."""
    left = {key: _group_without(group, doomed) for key, group in groups.items()}
    touched = {key for key in groups if left[key] != groups[key]}
    while True:
        parents = {group["parent"] for group in left.values()}
        empty = [key for key in touched & set(left) if not left[key]["nodes"] and key not in parents]
        if not empty:
            return left
        for key in empty:
            touched.add(left.pop(key)["parent"])


def _group_without(group: Json, doomed: set[str]) -> Json:
    ports = {
        side: {name: end for name, end in exposed.items() if end[0] not in doomed}
        for side, exposed in group["ports"].items()
    }
    return {**group, "nodes": [node for node in group["nodes"] if node not in doomed], "ports": ports}


def _add_node(document: Document, op: Json) -> Json:
    key = _new_key(op, document.nodes, "node")
    check_depth(op["node"], f"nodes.{key}", MAX_DEPTH - 2)
    document.nodes[key] = Node.from_json(op["node"], f"nodes.{key}")
    return {"op": "del_node", "id": key}


def _del_node(document: Document, op: Json) -> Json:
    key = _old_key(op, document.nodes, "node")
    return add_node(key, document.nodes.pop(key))


def _add_wire(document: Document, op: Json) -> Json:
    key = _new_key(op, document.wires, "wire")
    check_depth(op["wire"], f"wires.{key}", MAX_DEPTH - 2)
    wire = Wire.from_json(op["wire"], f"wires.{key}")
    for end in (wire.source, wire.target):
        if end.node not in document.nodes:
            raise EditError(f"the wire {show(key)} names the missing node {show(end.node)}")
    document.wires[key] = wire
    return {"op": "del_wire", "id": key}


def _del_wire(document: Document, op: Json) -> Json:
    key = _old_key(op, document.wires, "wire")
    return add_wire(key, document.wires.pop(key))


def _set(document: Document, op: Json) -> Json:
    return _write(document, _path(op), op["value"])


def _unset(document: Document, op: Json) -> Json:
    return _write(document, _path(op), MISSING)


_KINDS: Final[dict[str, tuple[Callable[[Document, Json], Json], tuple[str, ...]]]] = {
    "add_node": (_add_node, ("id", "node")),
    "del_node": (_del_node, ("id",)),
    "add_wire": (_add_wire, ("id", "wire")),
    "del_wire": (_del_wire, ("id",)),
    "set": (_set, ("path", "value")),
    "unset": (_unset, ("path",)),
}


def _write(document: Document, path: list[Any], value: Any) -> Json:
    """Replace what is at ``path`` and return the operation that puts the old value back."""
    first, rest = path[0], path[1:]
    check_depth(value, _dotted(path), MAX_DEPTH - len(path))
    if first in ("nodes", "wires"):
        old = _write_record(document, path, value)
    elif first in CHECKS:
        old = _write_section(document, first, rest, value)
    elif first in ("format", "schema", "app"):
        raise EditError(f"{first} belongs to the file format and cannot be edited")
    else:
        old = _write_entry(document.extra, path, path, value)
    return unset_op(path) if old is MISSING else set_op(path, old)


def _write_record(document: Document, path: list[Any], value: Any) -> Any:
    if len(path) < 3:
        raise EditError(f"{_dotted(path)} is changed by add and del operations, not by set")
    if path[0] == "wires" and path[2] in ("from", "to"):
        raise EditError("the ends of a wire cannot be edited, delete it and add another")
    kind: Any = Node if path[0] == "nodes" else Wire
    records: dict[Any, Any] = getattr(document, path[0])
    if not isinstance(path[1], str) or path[1] not in records:
        raise EditError(f"there is no {_dotted(path[:2])}")
    tree, old = _replaced(records[path[1]].to_json(), path[2:], path, value)
    if value is MISSING and path[2:] in (["type"], ["v"], ["name"], ["params"]):
        raise EditError(f"{_dotted(path)} cannot be removed")
    records[path[1]] = kind.from_json(tree, _dotted(path[:2]))
    return old


def _write_section(document: Document, name: str, rest: list[Any], value: Any) -> Any:
    section = getattr(document, name)
    if not rest:
        if value is MISSING:
            raise EditError(f"{name} cannot be removed")
        CHECKS[name](value)
        setattr(document, name, value)
        return section
    path = [name, *rest]
    if name not in ("layout", "groups"):
        changed, old = _replaced(section, rest, path, value)
        CHECKS[name](changed)
        setattr(document, name, changed)
        return old
    # These two grow with the network: write one entry, check that alone; the edit checks groups at its end.
    return _write_entry(section, rest, path, value)


def _write_entry(section: Json, rest: list[Any], path: list[Any], value: Any) -> Any:
    """Write below one key of a large object without copying the object; the old value or MISSING."""
    key = rest[0]
    small, old = _replaced({key: section[key]} if key in section else {}, rest, path, value)
    if path[0] == "layout" and small:
        check_place(small[key], _dotted(path[:2]))
    section.pop(key, None)
    section.update(small)
    return old


def _replaced(tree: Any, rest: list[Any], path: list[Any], value: Any) -> tuple[Any, Any]:
    """A copy of ``tree`` with ``value`` at ``rest``, and the old value there or MISSING."""
    key = rest[0]
    copy = _opened(tree, key, path)
    if len(rest) == 1:
        return copy, _swap(copy, key, path, value)
    if not _holds(copy, key):
        raise EditError(f"there is no {_dotted(path[: len(path) - len(rest) + 1])}")
    copy[key], old = _replaced(copy[key], rest[1:], path, value)
    return copy, old


def _opened(tree: Any, key: Any, path: list[Any]) -> Any:
    """A shallow copy of the object or list ``tree``, if ``key`` is of the type it takes."""
    if isinstance(tree, dict) and isinstance(key, str):
        return dict(tree)
    if isinstance(tree, list) and type(key) is int and 0 <= key <= len(tree):
        return list(tree)
    raise EditError(f"{_dotted(path)} leads nowhere at {show(key)}")


def _holds(tree: Any, key: Any) -> bool:
    return key in tree if isinstance(tree, dict) else key < len(tree)


def _swap(copy: Any, key: Any, path: list[Any], value: Any) -> Any:
    """Write or remove one item of the fresh copy of an object or list; the old item or MISSING."""
    old = copy[key] if _holds(copy, key) else MISSING
    if value is not MISSING:
        if isinstance(copy, list) and old is MISSING:
            copy.append(value)
        else:
            copy[key] = value
        return old
    if old is MISSING:
        raise EditError(f"there is no {_dotted(path)} to remove")
    if isinstance(copy, list) and key != len(copy) - 1:
        raise EditError(f"{_dotted(path)} is not the last item of its list, set the whole list instead")
    del copy[key]
    return old


def _new_key(op: Json, used: dict[str, Any], noun: str) -> str:
    key = op["id"]
    if not isinstance(key, str) or not key:
        raise EditError(f"the id of a {noun} must be a text, not {show(key)}")
    if key in used:
        raise EditError(f"there is already a {noun} {show(key)}")
    return key


def _old_key(op: Json, used: dict[str, Any], noun: str) -> str:
    key = op["id"]
    if not isinstance(key, str) or key not in used:
        raise EditError(f"there is no {noun} {show(key)}")
    return key


def _path(op: Json) -> list[Any]:
    path = op["path"]
    if not isinstance(path, list) or not path or not isinstance(path[0], str):
        raise EditError(f"a path must be a list that starts with a key, not {show(path)}")
    if any(type(key) not in (str, int) for key in path):
        raise EditError(f"a path must be made of keys and indices, not {show(path)}")
    return path


def _dotted(path: list[Any]) -> str:
    return show(".".join(str(key) for key in path))[1:-1]
