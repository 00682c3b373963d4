"""The graph of a NIR file as a document: nodes, wires, delays, recurrence and a layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import networkx as nx
import numpy as np

from engine.arrays import declared
from engine.arrays import drawn as drawn_arrays
from engine.compile import compile_document
from engine.compile.diagnostics import Diagnostic, declare
from engine.document import Document, DocumentError, new_node
from engine.document.document import distinct
from engine.document.ops import add_node, set_op
from engine.errors import MyelinError
from engine.export.imports import Imported
from engine.export.imports._nir.links import Link, columns, links_of, order
from engine.export.imports._nir.nodes import MAKERS, ONE_TO_ONE, one_to_one
from engine.export.nir.file import NirGraph, NirNode
from engine.export.nir.neurons import TYPES, neurons
from engine.export.nir.reading import Reading
from engine.program import Program
from nodes import registry
from nodes.spec import Spec

LAGGED = declare(
    "MYL301", "info", "A loop of a NIR file has no delay: one step is put in, as its readers do."
)
JOINED = declare("MYL302", "info", "A NIR file wires neurons directly: a one-to-one projection is put in.")
FITTED = declare("MYL303", "warning", "A delay of a NIR file is no whole number of steps.")
BATCHED = declare("MYL304", "info", "An input of a NIR file has an axis for the batch.")
UNBOUNDED = declare("MYL305", "warning", "sinabs bounds v of a neuron without leak; here it is not bounded.")
COLUMN, ROW = 240.0, 140.0
Place = tuple[str, str]


@dataclass
class _Draft:
    """What becomes a document, by the names of its nodes.

    ``entry``, ``exits``: where wires of a node of the file arrive and leave; a projection whose sources have
    different delays is drawn once for each.
    """

    how: Reading
    notes: list[Diagnostic]
    types: dict[str, str] = field(default_factory=dict)
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrays: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    wires: list[tuple[Place, Place]] = field(default_factory=list)
    entry: dict[str, str] = field(default_factory=dict)
    exits: dict[str, list[Place]] = field(default_factory=dict)
    bridges: dict[tuple[str, str], str] = field(default_factory=dict)

    def put(self, wanted: str, type: str, params: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
        """A new node; its name, which is ``wanted`` unless that is taken."""
        name = distinct(wanted, self.types)
        self.types[name], self.params[name], self.arrays[name] = type, dict(params), dict(arrays)
        return name

    def spec(self, name: str) -> Spec:
        """The declaration of a node."""
        return registry.all()[self.types[name]]

    def kind(self, source: Place) -> str:
        """The kind of an output; of a node that passes something on, the kind of that.

        Spikes where nothing arrives but in a circle.
        """
        seen: set[str] = set()
        while source[0] not in seen:
            seen.add(source[0])
            found = self.spec(source[0]).outputs[source[1]].kinds[0]
            if found != "same":
                return found
            source = next((a for a, b in self.wires if b == (source[0], "input")), source)
        return "spikes"

    def takes(self, target: str, kind: str) -> bool:
        """Whether the input of a node takes a kind."""
        return kind in self.spec(target).inputs["input"].kinds

    def is_projection(self, name: str) -> bool:
        """Whether a node of the file became a projection."""
        return name in self.entry and self.spec(self.entry[name]).role == "projection"


def build(title: str, graph: NirGraph, how: Reading, doubts: Sequence[Diagnostic]) -> Imported:
    """The document of a flat graph; MyelinError names the first thing that no document can hold."""
    try:
        return _build(title, graph, how, doubts)
    except MyelinError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, MemoryError, DocumentError) as error:
        raise MyelinError(
            f"the network in the NIR file cannot be drawn: its numbers do not fit together ({error})"
        ) from error


def _build(title: str, graph: NirGraph, how: Reading, doubts: Sequence[Diagnostic]) -> Imported:
    nodes = {name: node for name, node in graph.nodes.items() if isinstance(node, NirNode)}
    draft = _Draft(how, list(doubts))
    nodes = _without_batches(nodes, graph.edges, draft)
    links = links_of(nodes, graph.edges, how.dt)
    names, back = order(nodes, links)
    for name in names:
        if nodes[name].type != "Output":
            _draw(draft, name, nodes[name], [link for link in links if link.target == name])
    for name in names:
        own = [link for link in links if link.target == name]
        if nodes[name].type == "Output":
            _probe(draft, name, own)
        elif draft.is_projection(name):
            _into_projection(draft, name, own)
        else:
            _into_node(draft, name, own, links)
    every = graph.metadata.get("loop_lag") is not None
    for edge in _inside_loops(nodes, links) if every else back:
        if not every or draft.is_projection(edge[0]) or edge in draft.bridges:
            _lag(draft, edge)
    return _document(title, draft)


def _without_batches(
    nodes: Mapping[str, NirNode], edges: Sequence[tuple[str, str]], draft: _Draft
) -> dict[str, NirNode]:
    """Inputs without the leading axes of length 1 that Norse and Rockpool leave in, for the batch."""
    found = dict(nodes)
    for name, node in nodes.items():
        if node.type != "Input":
            continue
        shape = [int(n) for n in np.asarray(node.fields["shape"]).ravel()]
        taken = {_axes(nodes[b]) for a, b in edges if a == name} - {0}
        if len(taken) == 1 and len(shape) > min(taken) and set(shape[: -min(taken)]) == {1}:
            found[name] = NirNode("Input", {"shape": np.array(shape[-min(taken) :])}, node.metadata)
            message = f"the shape {shape} of '{name}' has axes for the batch, which are left out"
            draft.notes.append(BATCHED((), message))
    return found


def _axes(node: NirNode) -> int:
    """Axes of what a node takes; 0 where it does not say."""
    return {"Affine": 1, "Linear": 1, "Conv1d": 2, "Conv2d": 3}.get(node.type, 0)


def _draw(draft: _Draft, name: str, node: NirNode, arriving: Sequence[Link]) -> None:
    """The node itself; where every input has a factor of its own, that before it."""
    if node.type not in TYPES:
        kinds = {draft.kind(exit_) for link in arriving for exit_ in draft.exits.get(link.source, ())}
        key = draft.put(name, *MAKERS[node.type](name, node, "current" in kinds))
        draft.entry[name], draft.exits[name] = key, [(key, next(iter(draft.spec(key).outputs)))]
        return
    drawn = neurons(name, node, draft.how)
    if draft.how.name == "sinabs" and node.type == "IF":
        message = f"sinabs keeps v of '{name}' above minus its threshold, which no population here does"
        draft.notes.append(UNBOUNDED((name,), message))
    key = draft.put(name, drawn.type, drawn.params, drawn.arrays)
    draft.entry[name], draft.exits[name] = key, [(key, drawn.port)]
    if drawn.gain is not None:
        gain = draft.put(f"{name} gain", "structure.scale", {}, {"scale": drawn.gain})
        draft.wires.append(((gain, "output"), (key, "input")))
        draft.entry[name] = gain


def _into_projection(draft: _Draft, name: str, links: Sequence[Link]) -> None:
    """Wires into a projection, which is drawn again for every other delay that its sources have."""
    for number, via in enumerate(dict.fromkeys(link.via for link in links)):
        own = [link for link in links if link.via == via]
        key = draft.entry[name]
        if number:
            key = draft.put(name, draft.types[key], {**draft.params[key], "bias": False}, draft.arrays[key])
            draft.arrays[key].pop("offset", None)
            draft.exits[name].append((key, "output"))
        for exit_ in (exit_ for link in own for exit_ in draft.exits[link.source]):
            if not draft.takes(key, draft.kind(exit_)):
                raise MyelinError(
                    f"'{own[0].source}' feeds weights into the weights of '{name}' in the NIR file, with no "
                    "neuron between them; multiply them first"
                )
            draft.wires.append((exit_, (key, "input")))
        if own[0].delay is not None:
            _attach(draft, own[0], key, "axonal")


def _attach(draft: _Draft, link: Link, projection: str, granularity: str) -> None:
    """Fixed delays on a projection, in ms."""
    assert link.delay is not None
    steps = np.asarray(link.delay)
    if not np.allclose(steps, np.round(steps), atol=1e-3):
        message = f"the delays of '{link.via[0]}' are rounded to whole steps of {draft.how.dt_ms:g} ms"
        draft.notes.append(FITTED((), message))
    ms = np.round(steps) * draft.how.dt_ms
    same = ms.size == 0 or float(np.ptp(ms)) == 0
    params: dict[str, Any] = {"granularity": granularity, "delay": float(ms.flat[0]) if ms.size else 0.0}
    if not same:
        params["table"] = ms.ravel().tolist()
    delays = draft.put(link.via[0], "delays.fixed", params, {})
    draft.wires.append(((delays, "delays"), (projection, "delays")))


def _into_node(draft: _Draft, name: str, links: Sequence[Link], every: Sequence[Link]) -> None:
    """Wires into neurons and the like."""
    target = draft.entry[name]
    done: set[str] = set()
    for link in links:
        delayed = link.delay is not None
        if delayed and draft.is_projection(link.source) and _alone(draft, link, every):
            if link.source not in done:
                _attach(draft, link, draft.exits[link.source][0][0], "dendritic")
            done.add(link.source)
            delayed = False
        for exit_ in draft.exits[link.source]:
            if not delayed and draft.takes(target, draft.kind(exit_)):
                draft.wires.append((exit_, (target, "input")))
            else:
                draft.wires.append(((_bridge(draft, link, exit_), "output"), (target, "input")))


def _alone(draft: _Draft, link: Link, every: Sequence[Link]) -> bool:
    """Whether all that a projection gives is late by the same, and nothing delays what it reads."""
    same = all(other.via == link.via for other in every if other.source == link.source)
    key = draft.exits[link.source][0][0]
    free = not any(target == (key, "delays") for _, target in draft.wires)
    return same and free and len(draft.exits[link.source]) == 1


def _bridge(draft: _Draft, link: Link, exit_: Place) -> str:
    """A one-to-one projection of weight 1 from an output to where a current is wanted."""
    if draft.kind(exit_) == "current" or not draft.takes(draft.entry.get(link.target, ""), "current"):
        raise MyelinError(
            f"'{link.source}' and '{link.target}' are connected in the NIR file in a way that cannot be drawn"
            + (": a delay between them stands beside no weights of its own" if link.delay is not None else "")
        )
    key = draft.put(f"{link.source} to {link.target}", one_to_one(), ONE_TO_ONE, {})
    draft.wires.append((exit_, (key, "input")))
    if link.delay is not None:
        _attach(draft, link, key, "axonal")
    draft.bridges[link.source, link.target] = key
    message = f"'{link.source}' feeds '{link.target}' directly: '{key}' stands between them"
    draft.notes.append(JOINED((key,), message))
    return key


def _probe(draft: _Draft, name: str, links: Sequence[Link]) -> None:
    """An output of the file is a probe."""
    sources = [(link, exit_) for link in links for exit_ in draft.exits[link.source]]
    if len(sources) != 1:
        raise MyelinError(
            f"'{name}' (Output) in the NIR file has {len(sources)} sources; a probe records one"
        )
    link, exit_ = sources[0]
    if link.delay is not None:
        key = draft.put(f"{link.source} to {name}", one_to_one(), ONE_TO_ONE, {})
        if not draft.takes(key, draft.kind(exit_)):
            raise MyelinError(
                f"the delay before '{name}' (Output) in the NIR file follows weights, not neurons"
            )
        draft.wires.append((exit_, (key, "input")))
        _attach(draft, link, key, "axonal")
        exit_ = (key, "output")
    kind = draft.kind(exit_)
    probe = draft.put(name, "probe.spikes" if kind == "spikes" else "probe.state", {}, {})
    draft.wires.append((exit_, (probe, "input")))


def _inside_loops(nodes: Mapping[str, NirNode], links: Sequence[Link]) -> list[tuple[str, str]]:
    """The edges inside loops, as our own files mean them: all weights in a loop act a step later."""
    graph = nx.DiGraph((link.source, link.target) for link in links)
    group = {n: i for i, members in enumerate(nx.strongly_connected_components(graph)) for n in members}
    loops = {i for i in group.values() if list(group.values()).count(i) > 1}
    return sorted((a, b) for a, b in graph.edges if group[a] == group[b] and group[a] in loops)


def _lag(draft: _Draft, edge: tuple[str, str]) -> None:
    """One step on the projection at an end of an edge that closes a loop."""
    a, b = edge
    candidates = [*(key for key in [draft.bridges.get(edge)] if key)]
    for name in (a, b):
        if draft.is_projection(name):
            candidates += [place[0] for place in draft.exits[name]]
    if not candidates:
        raise MyelinError(
            f"the loop over '{a}' and '{b}' in the NIR file passes no weights that could be delayed"
        )
    owner = candidates[0] if draft.bridges.get(edge) else a if draft.is_projection(a) else b
    late = [candidates[0]] if draft.bridges.get(edge) else [place[0] for place in draft.exits[owner]]
    for key in late:
        draft.params[key]["lag"] = 1
    message = (
        f"'{late[0]}' closes a loop: it acts one step later, as recurrent weights do in the readers of NIR"
    )
    draft.notes.append(LAGGED(tuple(late), message))


def _document(title: str, draft: _Draft) -> Imported:
    rng = Random(0)  # the same file gives the same document

    def mint() -> str:
        return "n" + "".join(rng.choices("abcdefghijkmnpqrstuvwxyz23456789", k=7))

    document = Document.new(title, dt_ms=draft.how.dt_ms, mint=mint)
    ids: dict[str, str] = {}
    for name in draft.types:
        ids[name] = document.fresh_id(ids.values())
    places = columns(list(draft.types), [(a[0], b[0]) for a, b in draft.wires])
    ops = [add_node(ids[n], new_node(type, n, **draft.params[n])) for n, type in draft.types.items()]
    ops += [
        set_op(["layout", ids[name]], {"at": [COLUMN * column, ROW * row]})
        for name, (column, row) in places.items()
    ]
    taken = set(ids.values())
    for (a, a_port), (b, b_port) in dict.fromkeys(draft.wires):
        wire_id = document.fresh_id(taken)
        taken.add(wire_id)
        wire = {"from": [ids[a], a_port], "to": [ids[b], b_port]}
        ops.append({"op": "add_wire", "id": wire_id, "wire": wire})
    document.edit("Import NIR", ops)
    program = _compiled(document)
    arrays = _arrays(program, {ids[name]: (name, found) for name, found in draft.arrays.items()})
    notes = tuple(_with_ids(note, ids) for note in draft.notes)
    return Imported(document, arrays, notes)


def _with_ids(note: Diagnostic, ids: Mapping[str, str]) -> Diagnostic:
    nodes = tuple(ids[name] for name in note.nodes)
    return Diagnostic(note.code, note.severity, nodes, note.message, note.at, note.hint, note.fix)


def _compiled(document: Document) -> Program:
    compiled = compile_document(document)
    if compiled.program is None:
        raise MyelinError(f"the network in the NIR file cannot run: {compiled.errors[0].message}")
    return compiled.program


def _arrays(
    program: Program, given: Mapping[str, tuple[str, Mapping[str, np.ndarray]]]
) -> dict[str, dict[str, np.ndarray]]:
    """Every array of the program: those of the file, and what fixed delays and the like draw themselves."""
    found = drawn_arrays(program)
    for op in program.ops.values():
        name, own = given.get(op.id, ("", {}))
        for key, tensor in declared(op).items():
            if key in own:
                found[op.id][key] = _shaped(name, key, own[key], tensor.shape)
    return found


def _shaped(name: str, key: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        fitting = array.reshape(shape) if array.size == np.prod(shape) else np.broadcast_to(array, shape)
    except ValueError:
        raise MyelinError(
            f"'{name}' in the NIR file has {key} of shape {list(array.shape)}, where {list(shape)} is needed"
        ) from None
    return np.ascontiguousarray(fitting, np.float32)
