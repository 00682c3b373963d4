"""Groups: named containers of ordinary nodes.

``groups`` maps a group id to::

    {"name": "block",
     "nodes": ["ab12", "cd34"],                  direct members; a node is in at most one group
     "ports": {"in":  {"x": ["ab12", "in"]},     exposed ports: name -> port of a member, however deep
               "out": {"y": ["cd34", "spikes"]}},
     "parent": "ef56" or null,                   the group this group lies in
     "repeat": 3}                                optional, at least 1

A group changes how a graph is drawn and named, never what it computes: members stay in ``nodes`` and wires
join members directly, also across the border. Whether a group is drawn collapsed is
``layout[group]["collapsed"]``; a later kind of group may add keys, which are kept.

``repeat`` n is the one exception: the compiler chains n copies of the members. Copy k's exposed ``out`` port
feeds copy k+1's exposed ``in`` port (the only one on each side, else the pairs with the same name). Wires
from outside into a chained ``in`` port reach the first copy, other wires from outside reach every copy, and
wires to the outside leave the last copy.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from engine.document.errors import DocumentError, show
from engine.document.records import Json
from engine.document.values import expect


def new_group(name: str, nodes: list[str], parent: str | None = None) -> Json:
    """A group without exposed ports."""
    return {"name": name, "nodes": nodes, "ports": {"in": {}, "out": {}}, "parent": parent}


def check_groups(groups: Any, nodes: Collection[str]) -> None:
    """Groups have their shape, members and parents exist, no node is in two, none lies inside itself."""
    for group_id, group in expect(groups, dict, "groups").items():
        _check_shape(group, f"groups.{group_id}")
    owner = _owners(groups, nodes)
    for group_id in groups:
        ancestors(groups, group_id)
    for group_id, group in groups.items():
        _check_ports(groups, group_id, group["ports"], owner)


def ancestors(groups: Json, group_id: str) -> list[str]:
    """The group itself, its parent, its grandparent, ... ; DocumentError on a missing parent or a loop."""
    line: list[str] = []
    current: str | None = group_id
    while current is not None:
        if current in line:
            raise DocumentError(f"groups.{group_id}.parent lies inside itself ({' > '.join(line)})")
        if current not in groups:
            raise DocumentError(f"groups.{line[-1]}.parent names the missing group {show(current)}")
        line.append(current)
        current = groups[current]["parent"]
    return line


def members(groups: Json) -> dict[str, set[str]]:
    """For each group its nodes and those of all groups within it."""
    found: dict[str, set[str]] = {group_id: set() for group_id in groups}
    for group_id, group in groups.items():
        for ancestor in ancestors(groups, group_id):
            found[ancestor].update(group["nodes"])
    return found


def _check_shape(group: Any, where: str) -> None:
    expect(group, dict, where)
    for key, kind in (("name", str), ("nodes", list), ("ports", dict)):
        expect(group.get(key), kind, f"{where}.{key}")
    for node in group["nodes"]:
        expect(node, str, f"{where}.nodes")
    if group.get("parent", "") is not None:
        expect(group.get("parent"), str, f"{where}.parent")
    if expect(group.get("repeat", 1), int, f"{where}.repeat") < 1:
        raise DocumentError(f"{where}.repeat must be at least 1, not {group['repeat']}")


def _owners(groups: Json, nodes: Collection[str]) -> dict[str, str]:
    owner: dict[str, str] = {}
    for group_id, group in groups.items():
        for node in group["nodes"]:
            if node not in nodes:
                raise DocumentError(f"groups.{group_id}.nodes names the missing node {show(node)}")
            if node in owner:
                raise DocumentError(f"groups.{group_id}.nodes names {show(node)}, already in {owner[node]}")
            owner[node] = group_id
    return owner


def _check_ports(groups: Json, group_id: str, ports: Json, owner: dict[str, str]) -> None:
    for side, exposed in ports.items():
        where = f"groups.{group_id}.ports.{side}"
        if side not in ("in", "out"):
            raise DocumentError(f"{where} is not known: a group has ports 'in' and 'out'")
        for name, end in expect(exposed, dict, where).items():
            match end:
                case [str(node), str()]:
                    if node not in owner or group_id not in ancestors(groups, owner[node]):
                        raise DocumentError(f"{where}.{name} names {show(node)}, which is not in the group")
                case _:
                    raise DocumentError(f"{where}.{name} must be [node, port], not {show(end)}")
