"""One-click fixes that add nodes: relay populations, and a population made two.

Each leaves what the network computes as it was, or says how it changes.  They need the document, whose wires
they move; ids of new nodes follow from those of old ones, so that the same drawing gives the same fix.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from engine.compile.diagnostics import Fix
from engine.document import Document, Node, Wire, new_node
from engine.document.document import distinct
from engine.document.groups import members
from engine.document.ops import add_node, add_wire, set_op
from engine.document.records import End
from engine.export.hardware.chips import Chip, Part
from engine.export.hardware.demand import Demand, Layer, Link, origin
from engine.export.hardware.fixes import put
from nodes import registry
from nodes.spec import Values, defaults

Json = dict[str, Any]
RELAYS = ("population.if", "population.lif")
SHIFTED = {
    "delays.fixed": ("delay",),
    "delays.random": ("low", "high", "mean"),
    "delays.learnable": ("min_delay", "max_delay"),
}


class Draft:
    """Operations under way, and the ids and names they have taken."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.ops: list[Json] = []
        self._taken = {*document.nodes, *document.wires, *document.groups}
        self._names = document.names()

    def node(self, beside: str, node: Node, down: float) -> str:
        """Add a node under the one it is ``beside``; its id."""
        key = self._id(beside)
        name = distinct(node.name, self._names)
        self._names.add(name)
        self.ops.append(add_node(key, Node(node.type, node.v, name, node.params, node.extra)))
        place = self.document.layout.get(beside, {}).get("at")
        if place:
            self.ops.append(set_op(["layout", key], {"at": [place[0] + 40, place[1] + down]}))
        return key

    def wire(self, source: End, target: End) -> None:
        """Add a wire."""
        self.ops.append(add_wire(self._id(source.node), Wire(source, target)))

    def cut(self, wire: str) -> None:
        """Delete a wire."""
        self.ops.append({"op": "del_wire", "id": wire})

    def set(self, node: str, values: Mapping[str, Any]) -> None:
        """Change parameters of a node."""
        self.ops += [put(["nodes", node, "params", name], value) for name, value in values.items()]

    def fix(self, label: str) -> Fix:
        """What has been drafted."""
        return Fix(label, tuple(self.ops))

    def _id(self, base: str) -> str:
        number = 2
        while f"{base}_{number}" in self._taken:
            number += 1
        self._taken.add(f"{base}_{number}")
        return f"{base}_{number}"


def relay_delay(asked: Demand, link: Link, target: Chip) -> Fix | None:
    """A relay population that takes as much of a long delay as the chip's projections cannot hold."""
    delay, hop, most = link.op.delay, int(target.least("hop_steps")), int(target.most("delay_steps") or 0)
    document, wire = asked.document, _only_wire(asked, link)
    if document is None or wire is None or delay is None or not most:
        return None
    shares = [other for other in asked.links.values() if other.op.delay and other.op.delay.node == delay.node]
    shift = max(hop, link.op.largest_delay - hop - most)
    fits = delay.low >= shift and shift - hop <= most and len(shares) == 1
    if not fits or delay.type not in SHIFTED or delay.p.get("file") or delay.p.get("table"):
        return None
    draft = Draft(document)
    relay = _relay(draft, asked, document.wires[wire].source, target, shift - hop)
    if relay is None:
        return None
    draft.cut(wire)
    draft.wire(End(relay, "spikes"), End(origin(link.op), "input"))
    dt = asked.program.dt
    shifted = {name: max(0.0, delay.p[name] - shift * dt) for name in SHIFTED[delay.type]}
    draft.set(delay.node, shifted)
    return draft.fix(f"Insert a relay population before '{link.op.name}'")


def relay_fan_out(asked: Demand, layer: Layer, target: Chip) -> Fix | None:
    """A relay population that takes some of the projections of a population that reaches too many."""
    document = asked.document
    if document is None:
        return None
    wires = {link.op.id: _only_wire(asked, link) for link in layer.leaving}
    moved = _shared(layer.leaving, target.most("fan_out"), target.most("destinations"))
    if not moved or any(wires[link.op.id] is None for link in moved):
        return None
    draft = Draft(document)
    relay = _relay(draft, asked, End(origin(layer.op), "spikes"), target, 0)
    if relay is None:
        return None
    for link in moved:
        draft.cut(wires[link.op.id] or "")
        draft.wire(End(relay, "spikes"), End(origin(link.op), "input"))
    return draft.fix(f"Insert a relay population behind '{layer.op.name}'")


def _shared(leaving: Iterable[Link], fans: float | None, reach: float | None) -> list[Link]:
    """The projections to move so that a population and its relay keep the limits; none if that cannot be."""

    def fits(links: list[Link], besides: int) -> bool:
        reached = {target for link in links for target in link.targets}
        out = sum(link.fan_out for link in links) + besides
        return (fans is None or out <= fans) and (reach is None or len(reached) + besides <= reach)

    ranked = sorted(leaving, key=lambda link: (-link.fan_out, link.op.id))
    kept: list[Link] = []
    for link in ranked:
        if fits([*kept, link], 1):
            kept.append(link)
    moved = [link for link in ranked if link not in kept]
    return moved if fits(moved, 0) else []


def _only_wire(asked: Demand, link: Link) -> str | None:
    """The wire by which a population's single spikes reach a projection, where nothing else does."""
    document = asked.document
    if document is None or len(link.sources) != 1 or link.op.id != origin(link.op):
        return None
    source = asked.program.ops[link.sources[0].op]
    plain = source.id in asked.layers and source.p.get("max_spikes", 1) == 1 and source.id == origin(source)
    into = asked.wires.get(End(link.op.id, "input"), ())
    found = [key for key in into if document.wires[key].source == (source.id, "spikes")]
    return (
        found[0] if plain and len(found) == 1 and not _repeated(document, [link.op.id, source.id]) else None
    )


def _repeated(document: Document, nodes: Iterable[str]) -> bool:
    """Whether one of the nodes lies in a group that is repeated."""
    wanted = set(nodes)
    repeats = {key for key, group in document.groups.items() if group.get("repeat", 1) > 1}
    if not repeats:
        return False
    inside = members(document.groups)
    return any(wanted & set(inside[key]) for key in repeats)


def _relay(draft: Draft, asked: Demand, source: End, target: Chip, steps: int) -> str | None:
    """Add a population that repeats each spike of ``source``, ``steps`` beyond the chip's hop later."""
    made = _relay_node(target)
    if made is None:
        return None
    relay_type, params = made
    shape = list(asked.program.ops[source.node].shapes["spikes"] or ())
    relay = draft.node(source.node, new_node(relay_type, "relay", **{**params, "size": shape}), 120)
    hop = int(target.least("hop_steps"))
    given = {
        "connectivity": "one_to_one",
        "init": "constant",
        "gain": 1.0,
        "train_weights": False,
        "lag": hop,
    }
    copy = draft.node(relay, new_node("projection.sparse", "to relay", **given), 80)
    draft.wire(source, End(copy, "input"))
    draft.wire(End(copy, "output"), End(relay, "input"))
    if steps:
        late = {"delay": steps * asked.program.dt, "granularity": "projection"}
        wait = draft.node(copy, new_node("delays.fixed", "relay delay", **late), 80)
        draft.wire(End(wait, "delays"), End(copy, "delays"))
    return relay


def _relay_node(target: Chip) -> tuple[str, Json] | None:
    """Type and parameters of a neuron of the chip that fires once for each spike of weight 1."""
    hidden = [part for part in target.neurons if part.where in ("", "hidden")]
    for part in hidden:
        for name in RELAYS:
            params = _relay_params(name, part) if name in part.types else None
            if params is not None:
                return name, params
    return None


def _relay_params(name: str, part: Part) -> Json | None:
    spec = registry.get(name)
    assert spec is not None
    wanted = {"v_th": 0.5, "v_reset": 0.0, "reset": "zero", "decay_input": False, "max_spikes": 1}
    if "zero" not in part.only.get("reset", ("zero",)):
        wanted["reset"] = "value"  # to a v_reset of 0: the same
    params = {**defaults(spec), **{key: value for key, value in wanted.items() if key in spec.params}}
    for key, allowed in part.only.items():
        if key in params and params[key] not in allowed:
            if key in wanted:
                return None
            params[key] = allowed[0]
    coerced = Values({key: param.coerce(params[key]) for key, param in spec.params.items()})
    return None if spec.check(coerced) else params


def split(asked: Demand, layer: Layer, most: int) -> tuple[Fix | None, str]:
    """Make one population as many as keep to ``most`` neurons each; or None, and why not.

    Every projection into and out of it gets a copy for each part.  Weights drawn with a spread that falls
    with the number of sources keep it (their gain is scaled), a bias stays on one copy.
    """
    document, key = asked.document, layer.op.id
    if document is None or key != origin(layer.op) or _repeated(document, [key]):
        return None, "make it smaller"
    arriving, leaving = layer.arriving, layer.leaving
    reason = _whole(layer, document)
    if reason:
        return None, f"it cannot be split by a click: {reason}"
    parts = math.ceil(layer.neurons / most)
    sizes = [layer.neurons * (n + 1) // parts - layer.neurons * n // parts for n in range(parts)]
    draft = Draft(document)
    node = document.nodes[key]
    names = [key, *(draft.node(key, _sized(node, size), 120.0 * n) for n, size in enumerate(sizes[1:], 1))]
    draft.set(key, {"size": [sizes[0]]})
    for link in {one.op.id: one for one in (*arriving, *leaving)}.values():
        _copy_link(draft, link, names, sizes, link in arriving, link in leaving)
    _copy_probes(draft, key, names)
    return draft.fix(f"Split '{layer.op.name}' into {parts} populations"), ""


def _whole(layer: Layer, document: Document) -> str:
    """Why a population cannot be split, or nothing."""
    key, arriving, leaving = layer.op.id, layer.arriving, layer.leaving
    if document.meta.get("weights"):
        return "its trained weights are in a file; split it before training"
    if len(layer.op.shapes.get("spikes") or ()) != 1:
        return "it has axes of space"
    for link in (*arriving, *leaving):
        dense = link.op.type == "projection.dense"
        if not dense and link.op.p.get("connectivity") not in ("fixed_probability", "fixed_in_degree"):
            return f"'{link.op.name}' is neither dense nor random"
        if link.op.delay and (link.op.delay.p.get("table") or link.op.delay.p.get("file")):
            return f"the delays of '{link.op.name}' are listed"
        if link in arriving and link in leaving and link.op.p.get("allow_self") is False:
            return f"'{link.op.name}' bars neurons from themselves"
        if link in leaving and len(link.sources) > 1:
            return f"'{link.op.name}' hears others too"
    links = {link.op.id for link in (*arriving, *leaving)}
    for wire in document.wires.values():
        ends = {wire.source.node: wire.target.node, wire.target.node: wire.source.node}
        if key not in ends or ends[key] in links:
            continue
        spec = registry.get(document.nodes[ends[key]].type)
        if spec is None or spec.role != "probe" or wire.target.node == key:
            return f"'{document.nodes[ends[key]].name}' needs it whole"
    return ""


def _sized(node: Node, size: int) -> Node:
    return Node(node.type, node.v, node.name, {**node.params, "size": [size]}, node.extra)


def _copy_link(
    draft: Draft, link: Link, names: list[str], sizes: list[int], arrives: bool, leaves: bool
) -> None:
    """A copy of a projection for each part that it comes from and each that it goes to."""
    key = link.op.id
    node = draft.document.nodes[key]
    into = [(id, wire) for id, wire in draft.document.wires.items() if wire.target.node == key]
    out = [(id, wire) for id, wire in draft.document.wires.items() if wire.source.node == key]
    for n, (a, b) in enumerate((a, b) for a in _each(leaves, names) for b in _each(arrives, names)):
        params = _shared_params(node.params, n, sizes, a if leaves else None, b if arrives else None)
        if n == 0:
            draft.set(key, {name: value for name, value in params.items() if node.params.get(name) != value})
            continue
        copy = draft.node(key, Node(node.type, node.v, node.name, params, node.extra), 120.0 * n)
        for _, wire in into:
            own = leaves and wire.target.port == "input"
            draft.wire(End(names[a], wire.source.port) if own else wire.source, End(copy, wire.target.port))
        for _, wire in out:
            end = End(names[b], wire.target.port) if arrives and wire.target.node == names[0] else wire.target
            draft.wire(End(copy, wire.source.port), end)


def _each(split: bool, names: list[str]) -> range:
    return range(len(names)) if split else range(1)


def _shared_params(params: Json, n: int, sizes: list[int], source: int | None, target: int | None) -> Json:
    """Parameters of the n-th copy, from part ``source`` to part ``target`` (None: that end is whole)."""
    made = dict(params)
    if target is not None and made.get("size"):
        made["size"] = [sizes[target]]
    if n and "seed" in made:
        made["seed"] = int(made["seed"]) + n
    if source is None:
        return made
    part = sizes[source] / sum(sizes)
    if made.get("connectivity") == "fixed_in_degree":
        given, before = made["in_degree"], sum(sizes[:source])
        whole = sum(sizes)
        made["in_degree"] = given * (before + sizes[source]) // whole - given * before // whole
        part = made["in_degree"] / given if given else 1.0
    if str(made.get("init", "")).startswith("kaiming"):
        made["gain"] = made["gain"] * math.sqrt(part)
    if source and made.get("bias"):
        made["bias"] = False
    return made


def _copy_probes(draft: Draft, key: str, names: list[str]) -> None:
    """Every probe of a population for its other parts too."""
    document = draft.document
    for wire in [wire for wire in document.wires.values() if wire.source.node == key]:
        node = document.nodes[wire.target.node]
        spec = registry.get(node.type)
        if spec is not None and spec.role == "probe":
            for n, name in enumerate(names[1:], 1):
                copy = draft.node(wire.target.node, node, 120.0 * n)
                draft.wire(End(name, wire.source.port), End(copy, wire.target.port))
