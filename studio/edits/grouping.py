"""Groups: making, undoing, folding them, and the ports that they show."""

from __future__ import annotations

from collections.abc import Iterable

from engine.document import Document, EditError, End
from engine.document.document import distinct
from engine.document.groups import ancestors, members, new_group
from engine.document.ops import set_op, unset_op
from studio.edits.boxes import around
from studio.edits.draft import Draft, Ops, group_of
from studio.edits.remove import with_members

SIDES = ("in", "out")


def group(document: Document, ids: Iterable[str], name: str = "") -> tuple[Ops, str]:
    """Put nodes and groups into a new group that exposes the ports that wires cross; its id."""
    chosen = set(ids)
    inner = _outermost(document, chosen & document.groups.keys())
    within = with_members(document, inner)
    nodes = sorted((chosen & document.nodes.keys()) - within)
    if not nodes and not inner:
        raise EditError("select nodes to group first")
    draft = Draft(document)
    id, parent = document.fresh_id(document.layout), _parent(document, nodes, inner)
    place = around(document, [*nodes, *inner])
    wanted = name or distinct("group", {entry["name"] for entry in document.groups.values()})
    _leave(draft, nodes)
    parent = parent if parent in draft.document.groups else None
    draft.do([set_op(["groups", id], new_group(wanted, nodes, parent))])
    draft.do([set_op(["groups", inside, "parent"], id) for inside in sorted(inner)])
    _drop_stale_ports(draft)
    draft.do([set_op(["layout", id], {"at": [place.left, place.top], "collapsed": False})] if place else [])
    _expose_crossed(draft, id)
    return draft.ops, id


def ungroup(document: Document, ids: Iterable[str]) -> tuple[Ops, list[str]]:
    """Take groups apart, their members lie in the group around; the second value: what was inside."""
    draft, left = Draft(document), list[str]()
    for id in sorted(set(ids) & document.groups.keys()):
        entry = draft.document.groups[id]
        if entry.get("repeat", 1) > 1:
            raise EditError(
                f"'{entry['name']}' repeats {entry['repeat']} times: set that to 1 before ungrouping"
            )
        inner = sorted(key for key, other in draft.document.groups.items() if other["parent"] == id)
        draft.do([set_op(["groups", key, "parent"], entry["parent"]) for key in inner])
        draft.do([unset_op(["groups", id])])
        draft.do([unset_op(["layout", id])] if id in draft.document.layout else [])
        draft.enter(entry["parent"], entry["nodes"])
        notes = [key for key, place in draft.document.layout.items() if place.get("group") == id]
        draft.do([_note_in(entry["parent"], key) for key in sorted(notes)])
        left += [*entry["nodes"], *inner]
    if not left and not draft.ops:
        raise EditError("select a group to take apart first")
    return draft.ops, [key for key in left if key in draft.document.nodes or key in draft.document.groups]


def collapse(document: Document, group: str, collapsed: bool) -> Ops:
    """Draw a group as one box, or show what is inside in its place."""
    _known(document, group)
    place = around(document, members(document.groups)[group])
    start = {"at": [place.left, place.top]} if place and group not in document.layout else {}
    return [set_op(["layout", group], {**start, **document.layout.get(group, {}), "collapsed": collapsed})]


def rename(document: Document, group: str, name: str) -> Ops:
    """Give a group another name."""
    _known(document, group)
    if not name.strip():
        raise EditError("a group needs a name")
    return [set_op(["groups", group, "name"], name.strip())]


def expose(document: Document, group: str, side: str, end: End) -> Ops:
    """Show a member's port on the group."""
    _known(document, group)
    if end.node not in members(document.groups)[group]:
        raise EditError(f"'{document.groups[group]['name']}' shows ports of what is in it only")
    repeat, name = document.groups[group].get("repeat", 1), document.groups[group]["name"]
    if repeat > 1:
        raise EditError(
            f"'{name}' repeats {repeat} times and is chained by the ports it shows: "
            "set repeat to 1 before it shows another"
        )
    draft = Draft(document)
    expose_end(draft, group, side, end)
    return draft.ops


def unexpose(document: Document, group: str, side: str, name: str) -> Ops:
    """Show a port on the group no longer; not while a wire from outside ends there."""
    _known(document, group)
    exposed = document.groups[group]["ports"].get(side, {})
    if name not in exposed:
        raise EditError(f"'{document.groups[group]['name']}' shows no port {name}")
    end, inside = End(*exposed[name]), members(document.groups)[group]
    for wire in document.wires.values():
        here, there = (wire.target, wire.source) if side == "in" else (wire.source, wire.target)
        if here == end and there.node not in inside:
            raise EditError(f"a wire from outside is joined to {name}: remove that first")
    return [unset_op(["groups", group, "ports", side, name])]


def rename_port(document: Document, group: str, side: str, old: str, new: str) -> Ops:
    """Call a group's exposed port something else."""
    _known(document, group)
    exposed = dict(document.groups[group]["ports"].get(side, {}))
    if old not in exposed or not new.strip():
        raise EditError("a port needs a name")
    if new != old and new in exposed:
        raise EditError(f"'{document.groups[group]['name']}' has a port {new} already")
    exposed = {new.strip() if name == old else name: end for name, end in exposed.items()}
    return [set_op(["groups", group, "ports", side], exposed)]


def expose_end(draft: Draft, group: str, side: str, end: End) -> None:
    """Expose a port on a draft; a repeated group is left alone, for its ports say how it chains."""
    entry = draft.document.groups[group]
    exposed = entry["ports"].get(side, {})
    if list(end) in exposed.values() or entry.get("repeat", 1) > 1:
        return
    name = end.port
    if name in exposed:
        name = distinct(f"{draft.document.nodes[end.node].name or end.node} {end.port}", exposed)
    ports = {**entry["ports"], side: {**exposed, name: list(end)}}
    draft.do([set_op(["groups", group, "ports"], ports)])


def _known(document: Document, group: str) -> None:
    if group not in document.groups:
        raise EditError("there is no such group")


def _outermost(document: Document, groups: set[str]) -> set[str]:
    """Those of these groups that lie in none of the others."""
    return {id for id in groups if not groups.intersection(ancestors(document.groups, id)[1:])}


def _parent(document: Document, nodes: list[str], inner: set[str]) -> str | None:
    """The innermost group that everything to be grouped lies in."""
    homes = [group_of(document, node) for node in nodes]
    homes += [document.groups[id]["parent"] for id in inner]
    lines = [ancestors(document.groups, home) if home else [] for home in homes]
    return next((id for id in lines[0] if all(id in line for line in lines)), None)


def _leave(draft: Draft, nodes: list[str]) -> None:
    """Take nodes out of the groups they are in."""
    leaving = set(nodes)
    for id, entry in sorted(draft.document.groups.items()):
        if leaving.intersection(entry["nodes"]):
            kept = [node for node in entry["nodes"] if node not in leaving]
            ports = {side: _without(entry["ports"].get(side, {}), leaving) for side in SIDES}
            draft.do([set_op(["groups", id], {**entry, "nodes": kept, "ports": ports})])


def _without(exposed: dict[str, list[str]], nodes: set[str]) -> dict[str, list[str]]:
    return {name: end for name, end in exposed.items() if end[0] not in nodes}


def _drop_stale_ports(draft: Draft) -> None:
    """Groups expose ports of members only."""
    inside = members(draft.document.groups)
    for id, entry in sorted(draft.document.groups.items()):
        for side in SIDES:
            exposed = entry["ports"].get(side, {})
            kept = {name: end for name, end in exposed.items() if end[0] in inside[id]}
            if kept != exposed:
                draft.do([set_op(["groups", id, "ports", side], kept)])


def _expose_crossed(draft: Draft, group: str) -> None:
    inside = members(draft.document.groups)[group]
    for _, wire in sorted(draft.document.wires.items()):
        if (wire.source.node in inside) != (wire.target.node in inside):
            side, end = ("out", wire.source) if wire.source.node in inside else ("in", wire.target)
            expose_end(draft, group, side, end)


def _note_in(group: str | None, note: str) -> dict[str, object]:
    path = ["layout", note, "group"]
    return unset_op(path) if group is None else set_op(path, group)
