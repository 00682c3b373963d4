"""Wires: joining ports, putting nodes on wires and taking them off, slicing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.document import Document, EditError, End
from engine.document.groups import ancestors
from engine.document.ops import delete_nodes, set_op
from studio.canvas.face import node_size
from studio.edits.draft import Draft, Ops, Point, corner, group_of, known
from studio.edits.ports import DEFAULT_PROJECTION, Ports, main_port

GAP = 60.0
"""Free space (scene units) left beside a node that is put next to another."""


def connect(document: Document, source: End, target: End, instead: str | None = None) -> Ops:
    """Join an output to an input, with the default projection between if they fit only so.

    The only wire of an input that takes one is replaced, as is ``instead``, a wire whose end was picked up.
    """
    draft = Draft(document)
    if instead is not None:
        draft.unwire([instead])
    join(draft, source, target)
    return draft.ops


def join(draft: Draft, source: End, target: End) -> list[str]:
    """Connect on a draft; the ids of the nodes that were put between."""
    known(draft.document, source.node, target.node)
    ports = Ports(draft.document)
    refusal = ports.refusal(source, target)
    if not refusal:
        draft.unwire(ports.replaced(target))
        _cross(draft, draft.wire(source, target))
        return []
    if not ports.bridge(source, target):
        raise EditError(refusal)
    draft.unwire(ports.replaced(target))
    home = _home(draft, source, target)
    between = draft.add(DEFAULT_PROJECTION, corner(draft.document, source.node), home)
    draft.do([draft.place(between, midway(draft.document, source.node, target.node, between))])
    _cross(draft, draft.wire(source, End(between, "input")))
    _cross(draft, draft.wire(End(between, "output"), target))
    return [between]


def midway(document: Document, source: str, target: str, between: str) -> tuple[float, float]:
    """The corner for a node between two others, for straight wires; above one joined to itself."""
    (x1, y1), (x2, y2) = corner(document, source), corner(document, target)
    (source_width, _), (width, height) = node_size(document, source), node_size(document, between)
    if source == target:
        return free_place(document, (x1 + (source_width - width) / 2, y1 - height - GAP), between)
    return free_place(document, ((x1 + source_width + x2 - width) / 2, (y1 + y2) / 2), between)


def free_place(document: Document, at: Point, mover: str) -> tuple[float, float]:
    """``at``, or the nearest place below with no corner close by of a node other than the ``mover``."""
    x, y = at
    places = [corner(document, id) for id in document.nodes if id != mover]
    while any(abs(x - other[0]) < 40 and abs(y - other[1]) < 30 for other in places):
        y += 50
    return x, y


def _home(draft: Draft, source: End, target: End) -> str | None:
    """The innermost group that holds both ends."""
    groups = draft.document.groups
    first, second = group_of(draft.document, source.node), group_of(draft.document, target.node)
    around = set(ancestors(groups, second)) if second else set()
    return next((group for group in (ancestors(groups, first) if first else ()) if group in around), None)


def _cross(draft: Draft, wire: str) -> None:
    """Expose the ports of a new wire in every group whose border it crosses."""
    from studio.edits.grouping import expose_end  # grouping builds on wiring

    found, groups = draft.document.wires[wire], draft.document.groups
    first, second = (group_of(draft.document, end.node) for end in (found.source, found.target))
    out_of = ancestors(groups, first) if first else []
    into = ancestors(groups, second) if second else []
    for group in out_of:
        if group not in into:
            expose_end(draft, group, "out", found.source)
    for group in into:
        if group not in out_of:
            expose_end(draft, group, "in", found.target)


def delete_wires(document: Document, wires: Iterable[str]) -> Ops:
    """Delete wires: a slice through them, or one of them dropped on nothing."""
    draft = Draft(document)
    draft.unwire(id for id in wires if id in document.wires)
    return draft.ops


def insert(document: Document, node: str, wire: str) -> Ops:
    """Put an existing node on a wire."""
    known(document, node)
    draft = Draft(document)
    put_on(draft, node, wire)
    return draft.ops


def put_on(draft: Draft, node: str, wire: str) -> None:
    """Replace a wire by two through a node; EditError if it has no ports for that."""
    old = draft.document.wires.get(wire)
    if old is None or node in (old.source.node, old.target.node):
        raise EditError("there is no such wire to put the node on")
    draft.unwire([wire])
    spec = Ports(draft.document).spec(node)
    entry = main_port(spec.inputs) if spec else None
    exit = main_port(spec.outputs) if spec else None
    name = draft.document.nodes[node].name
    if entry is None or exit is None:
        raise EditError(f"'{name}' has no input and output to stand on a wire")
    join(draft, old.source, End(node, entry))
    join(draft, End(node, exit), old.target)


def dissolve(document: Document, nodes: Iterable[str]) -> Ops:
    """Delete nodes and join what arrived at each main input to where its outputs led, where that fits."""
    draft = Draft(document)
    for node in sorted(set(nodes) & document.nodes.keys()):
        _heal(draft, node)
        draft.do(delete_nodes(draft.document, [node]))
    return draft.ops


def _heal(draft: Draft, node: str) -> None:
    ports = Ports(draft.document)
    spec = ports.spec(node)
    main = main_port(spec.inputs) if spec else None
    wires = draft.document.wires.values()
    arriving = sorted(wire.source for wire in wires if wire.target == End(node, str(main)))
    leaving = sorted(wire.target for wire in wires if wire.source.node == node)
    draft.unwire(draft.document.wires_of([node]))
    for source in arriving:
        for target in leaving:
            if node not in (source.node, target.node) and not Ports(draft.document).refusal(source, target):
                draft.wire(source, target)


def swap(document: Document, one: str, other: str) -> Ops:
    """Exchange two nodes: each takes the other's place and, where they fit, its wires."""
    known(document, one, other)
    draft = Draft(document)
    exchange = {one: other, other: one}
    ids = draft.document.wires_of([one, other])
    old = [draft.document.wires[id] for id in ids]
    draft.unwire(ids)
    for wire in old:
        source = End(exchange.get(wire.source.node, wire.source.node), wire.source.port)
        target = End(exchange.get(wire.target.node, wire.target.node), wire.target.port)
        if refusal := Ports(draft.document).refusal(source, target):
            raise EditError(f"the two cannot be swapped: {refusal}")
        draft.wire(source, target)
    places = corner(document, one), corner(document, other)
    draft.do([draft.place(one, places[1]), draft.place(other, places[0])])
    return draft.ops


def points(document: Document, wire: str) -> list[list[float]]:
    """The reroute points of a wire, from its source on."""
    return list(document.layout.get(wire, {}).get("points", []))


def set_points(document: Document, wire: str, changed: Sequence[Point]) -> Ops:
    """Lead a wire over these points."""
    if wire not in document.wires:
        raise EditError("there is no such wire")
    rounded = [[round(x), round(y)] for x, y in changed]
    return [set_op(["layout", wire], {**document.layout.get(wire, {}), "points": rounded})]


def add_point(document: Document, wire: str, at: Point, index: int) -> Ops:
    """Add a reroute point as the ``index``-th of a wire."""
    found = points(document, wire)
    return set_points(document, wire, [*found[:index], at, *found[index:]])


def move_point(document: Document, wire: str, index: int, at: Point) -> Ops:
    """Move a reroute point."""
    found = points(document, wire)
    if not 0 <= index < len(found):
        raise EditError("the wire has no such point")
    return set_points(document, wire, [*found[:index], at, *found[index + 1 :]])


def delete_point(document: Document, wire: str, index: int) -> Ops:
    """Remove a reroute point; without any, a wire finds its own way."""
    found = points(document, wire)
    if not 0 <= index < len(found):
        raise EditError("the wire has no such point")
    left = [*found[:index], *found[index + 1 :]]
    if left:
        return set_points(document, wire, left)
    rest = {key: value for key, value in document.layout[wire].items() if key != "points"}
    path = ["layout", wire]
    return [set_op(path, rest) if rest else {"op": "unset", "path": path}]


def straighten(document: Document, wires: Iterable[str]) -> Ops:
    """Remove all reroute points of wires."""
    draft = Draft(document)
    for wire in sorted(set(wires) & document.wires.keys()):
        while points(draft.document, wire):
            draft.do(delete_point(draft.document, wire, 0))
    return draft.ops
