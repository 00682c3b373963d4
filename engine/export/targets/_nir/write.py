"""A converted network as a NIR graph."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from engine.errors import MyelinError
from engine.export.folding import affine
from engine.export.frozen import Frozen, Part, Synapses, Unit
from engine.export.nir.dialects import DIALECTS
from engine.export.nir.file import NirGraph, NirNode
from engine.export.targets._lif import constant, is_constant
from engine.export.targets._names import unique
from engine.export.targets._nir.neurons import neurons
from engine.export.targets._nir.paths import Path, paths
from engine.export.targets._nir.rules import KINDS, deployed
from engine.program import Source
from engine.versions import own_version
from nodes.spec import Shape

Nodes = dict[str, NirNode | NirGraph]


class Writer:
    """Turns parts into nodes and edges; ``step``: of the file, in its unit."""

    def __init__(self, frozen: Frozen, name: str) -> None:
        self.frozen, self.name, self.dialect = frozen, name, DIALECTS[name]
        self.step = self.dialect.dt or frozen.dt / 1000
        found = deployed(frozen)
        self.parts, self.host = found.parts, found.host
        self.nodes: dict[str, NirNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.at: dict[Source, str] = {}
        self.factor: dict[str, np.ndarray | None] = {}
        self.loops = loops(self.parts)

    def graph(self) -> NirGraph:
        """The whole file."""
        self._inputs()
        units = [part for part in self.parts if isinstance(part, Unit) and not is_constant(part)]
        for unit in units:
            self._node(unit)
        for unit in units:
            for source in unit.sources:
                self._arrive(unit, source)
        self._outputs()
        return NirGraph(dict(self.nodes), tuple(dict.fromkeys(self.edges)), self._metadata())

    def signals(self) -> dict[str, Source]:
        """What each node of neurons gives, after ``graph``: its spikes, or its potential."""
        found = {}
        for unit in (part for part in self.parts if isinstance(part, Unit) and part.op.type in KINDS):
            port = "spikes" if "spikes" in unit.traced.outputs else "v"
            found[self.at[Source(unit.id, port)]] = Source(unit.id, port)
        return found

    def put(self, wanted: str, node: NirNode) -> str:
        """A node under a free name."""
        name = unique(safe(wanted), self.nodes)
        self.nodes[name] = node
        return name

    def link(self, source: str, target: str) -> None:
        """An edge."""
        self.edges.append((source, target))

    def _metadata(self) -> dict[str, Any]:
        return {
            "dialect": self.name,
            "dt": np.float64(self.step),
            "dt_ms": np.float64(self.frozen.dt),
            "tau_unit": "steps" if self.dialect.rule in ("sinabs", "spyx") else "s",
            "loop_lag": np.int64(1),
            "reset": "v - v_threshold" if self.dialect.reset == "subtract" else "v_reset",
            "written_by": f"myelin {own_version()}",
        }

    def _inputs(self) -> None:
        """One node Input; several inputs are its parts, one after the other; without any it is fed 0."""
        given = list(self.frozen.inputs.items())
        if len(given) == 1:
            source, shape = given[0]
            op = self.frozen.program.ops[source.op]
            name = op.name if op.type == "dataset.frames" else "input"
            self.at[source] = self.put(name, NirNode("Input", {"shape": np.array(shape)}))
            self.entry = self.at[source]
            return
        sizes = [math.prod(shape) for _, shape in given]
        total = max(1, sum(sizes))
        self.entry = self.put("input", NirNode("Input", {"shape": np.array([total])}))
        for number, (source, shape) in enumerate(given):
            start = sum(sizes[:number])
            pick = np.zeros((sizes[number], total), np.float32)
            pick[np.arange(sizes[number]), start + np.arange(sizes[number])] = 1
            self.at[source] = self.put(
                self.frozen.program.ops[source.op].name, NirNode("Linear", {"weight": pick})
            )
            self.link(self.entry, self.at[source])
            if len(shape) > 1:
                raise MyelinError(f"'{self.frozen.name(source)}' has several axes, and so has another input")

    @property
    def width(self) -> int:
        """Elements of the Input."""
        return math.prod(int(n) for n in np.asarray(self.nodes[self.entry].fields["shape"]).ravel())

    def _node(self, unit: Unit) -> None:
        if unit.op.type in KINDS:
            made = neurons(unit, self.frozen.dt, self.dialect, self.step)
            node, self.factor[unit.id] = made.node, made.factor
        else:
            node = _structure(unit, self.frozen)
        name = self.put(unit.op.name, node)
        for port in unit.traced.outputs:
            self.at[Source(unit.id, port)] = name

    def _arrive(self, unit: Unit, source: Source) -> None:
        """What a source brings to a unit, on paths of its own."""
        target, factor = self.at[Source(unit.id, next(iter(unit.traced.outputs)))], self.factor.get(unit.id)
        part = self._part(source)
        if isinstance(part, Synapses):
            self._through(part, target, factor)
        elif part is not None and is_constant(part):
            assert isinstance(part, Unit)
            bias = constant(part, self.frozen) * (1 if factor is None else factor)
            self._bias(part.op.name, np.broadcast_to(bias, (unit.size,)), target, 0)
        elif factor is None:
            self.link(self.at[source], target)
        else:
            if len(unit.shape) > 1:
                raise MyelinError(f"what arrives at '{unit.op.name}' passes no weights that could be scaled")
            weight = np.diag(factor).astype(np.float32)
            between = self.put(f"{unit.op.name}_gain", NirNode("Linear", {"weight": weight}))
            self.link(self.at[source], between)
            self.link(between, target)

    def _part(self, source: Source) -> Part | None:
        return None if source in self.frozen.inputs else self.frozen.by_id.get(source.op)

    def _bias(self, name: str, bias: np.ndarray, target: str, delay: int) -> None:
        """A constant current, ``delay`` steps after the start."""
        weight = np.zeros((bias.size, self.width), np.float32)
        shape = np.asarray(self.nodes[self.entry].fields["shape"])
        if shape.size > 1:
            raise MyelinError(f"the constant current of '{name}' needs an input of one axis in NIR")
        node = self.put(name, NirNode("Affine", {"weight": weight, "bias": bias.astype(np.float32)}))
        self.link(self.entry, node)
        if delay:
            late = self._delay(f"{name}_delay", np.full(bias.size, delay))
            self.link(node, late)
            node = late
        self.link(node, target)

    def _delay(self, name: str, steps: np.ndarray) -> str:
        return self.put(name, NirNode("Delay", {"delay": (steps * self.step).astype(np.float32)}))

    def _through(self, synapses: Synapses, target: str, factor: np.ndarray | None) -> None:
        early = 1 if synapses.id in self.loops else 0
        for source in synapses.inputs:
            steady = self._part(source)
            if steady is not None and is_constant(steady) and isinstance(steady, Unit):
                self._steady(synapses, steady, target, factor)
        moving = [self.at[s] for s in synapses.inputs if s in self.at]
        if not moving:
            if synapses.offset is not None:
                scale = np.ones(synapses.target_size) if factor is None else factor
                self._bias(synapses.op.name, synapses.offset * scale, target, 0)
            return
        rank = len(synapses.source_shape)
        for path in paths(synapses, factor, early, self.dialect, rank, self._delays(synapses)):
            first, last = self._chain(path)
            for name in moving:
                self.link(name, first or target)
            if last:
                self.link(last, target)

    def _delays(self, synapses: Synapses) -> str:
        """What the node of its delays is called."""
        document, delay = self.frozen.document, synapses.op.delay
        named = document.nodes[delay.node].name if document and delay and delay.node in document.nodes else ""
        return named or f"{synapses.op.name}_delay"

    def _steady(self, synapses: Synapses, steady: Unit, target: str, factor: np.ndarray | None) -> None:
        scale = np.ones(synapses.target_size) if factor is None else factor
        for delay in np.unique(synapses.delay).tolist():
            here = synapses.delay == delay
            bias = np.zeros(synapses.target_size)
            given = np.broadcast_to(constant(steady, self.frozen), (synapses.source_size,))
            np.add.at(bias, synapses.post[here], synapses.weight[here] * given[synapses.pre[here]])
            self._bias(f"{steady.op.name}_{synapses.op.name}", bias * scale, target, int(delay))

    def _chain(self, path: Path) -> tuple[str, str]:
        """The names of the first and the last node of a path; empty where it is a bare edge."""
        names: list[str] = []
        for wanted, node in path:
            if isinstance(node, np.ndarray):
                names.append(self._delay(wanted, node))
            else:
                names.append(self.put(wanted, node))
        for a, b in pairwise(names):
            self.link(a, b)
        return (names[0], names[-1]) if names else ("", "")

    def _outputs(self) -> None:
        found = final(self.frozen, self.parts, self.host)
        if len(found) == 1:
            shape = np.array(self.frozen.shape(found[0]))
            name = self.put(self._called(found[0]), NirNode("Output", {"shape": shape}))
            self.link(self.at[found[0]], name)
            return
        sizes = [math.prod(self.frozen.shape(source)) for source in found]
        name = self.put("output", NirNode("Output", {"shape": np.array([sum(sizes)])}))
        for number, source in enumerate(found):
            place = np.zeros((sum(sizes), sizes[number]), np.float32)
            place[sum(sizes[:number]) + np.arange(sizes[number]), np.arange(sizes[number])] = 1
            between = self.put(f"{self.at[source]}_out", NirNode("Linear", {"weight": place}))
            self.link(self.at[source], between)
            self.link(between, name)

    def _called(self, source: Source) -> str:
        """Like the probe of an imported network, else ``output``."""
        names = [record.name for record in self.frozen.program.records if record.source == source]
        return next((name for name in names if name.lower().startswith("output")), "output")


def nested(graph: NirGraph, wanted: bool) -> NirGraph:
    """The graph with every population that its own weights feed as a graph of four nodes, if so wanted."""
    rings = [(a, b) for a, b in graph.edges if (b, a) in graph.edges and _is(graph, a, "LIF", "CubaLIF")]
    if not wanted or not rings:
        return graph
    nodes, edges = dict(graph.nodes), list(graph.edges)
    for neuron, weights in rings:
        if not _is(graph, weights, "Linear", "Affine"):
            raise MyelinError(f"'{weights}' is recurrent and delayed, which no nested NIR graph can be")
        node = nodes[neuron]
        assert isinstance(node, NirNode)
        shape = np.array(np.shape(node.fields["r"]))
        gates = {"input": NirNode("Input", {"shape": shape}), "output": NirNode("Output", {"shape": shape})}
        inner = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
        outer = neuron.removesuffix(".lif")
        outer = neuron if outer in nodes else outer
        del nodes[neuron]
        nodes[outer] = NirGraph({**gates, "lif": node, "w_rec": nodes.pop(weights)}, tuple(inner))
        edges = [
            (outer if a == neuron else a, outer if b == neuron else b)
            for a, b in edges
            if weights not in (a, b)
        ]
    return NirGraph(nodes, tuple(edges), graph.metadata)


def _is(graph: NirGraph, name: str, *types: str) -> bool:
    node = graph.nodes[name]
    return isinstance(node, NirNode) and node.type in types


_TAKEN = {
    *keyword.kwlist, "device", "inf", "nan", "np", "self", "state", "torch",
    "add_module", "apply", "buffers", "call_super_init", "children", "compile", "cpu", "cuda", "double",
    "dump_patches", "eval", "extra_repr", "forward", "half", "ipu", "load_state_dict", "module", "modules",
    "parameters", "requires_grad_", "share_memory", "state_dict", "to", "to_empty", "train", "training",
    "bfloat16", "float", "type", "xpu", "zero_grad",
}  # fmt: skip
"""What a module of PyTorch, or the code that torch.fx makes of it, calls something else."""


def safe(name: str) -> str:
    """A name without what HDF5 or PyTorch would not take."""
    word = re.sub(r"[^A-Za-z0-9_.]+", "_", name) or "node"
    return f"{word}_" if word in _TAKEN else word


def loops(parts: Iterable[Part]) -> set[str]:
    """The projections that close a loop over neurons: their readers let them act a step later."""
    import networkx as nx

    graph = nx.DiGraph()
    known = {part.id: part for part in parts}
    for part in known.values():
        read = part.inputs if isinstance(part, Synapses) else part.sources
        graph.add_edges_from((source.op, part.id) for source in read if source.op in known)
    inside = [group for group in nx.strongly_connected_components(graph) if len(group) > 1]
    return {key for group in inside for key in group if isinstance(known[key], Synapses)}


def final(frozen: Frozen, parts: Iterable[Part], host: Frozen) -> list[Source]:
    """The outputs of the file: what decisions read, else populations that feed nothing, else all."""
    held = {part.id for part in parts}
    asked = [source for source in host.inputs if source.op in held]
    if asked:
        return asked
    given = [source for source in frozen.outputs if source.op in held]
    read = {
        source for part in parts for source in (part.inputs if isinstance(part, Synapses) else part.sources)
    }
    return [source for source in given if source not in read] or given


def _structure(unit: Unit, frozen: Frozen) -> NirNode:
    """Nodes without state."""
    p, shape = unit.op.p, unit.op.shapes["input"] or ()
    if unit.op.type == "structure.flatten":
        fields = {"start_dim": p.before, "end_dim": -1 - p.after, "input_type": np.array(shape)}
        return NirNode("Flatten", {key: np.asarray(value) for key, value in fields.items()})
    if unit.op.type == "structure.pool":
        return _pool(unit, shape)
    if unit.op.type == "encoder.threshold":
        level = np.broadcast_to(unit.values["level"], unit.shape)
        return NirNode("Threshold", {"threshold": level.astype(np.float32)})
    found = affine(unit)
    if found is not None and not found[1].any():
        return NirNode("Scale", {"scale": np.broadcast_to(found[0], unit.shape).astype(np.float32)})
    raise MyelinError(f"'{unit.op.name}' ({unit.op.spec.label}) has no words in NIR")


def _pool(unit: Unit, shape: Shape) -> NirNode:
    p = unit.op.p
    if len(shape) != 3 or p.mode == "max":
        raise MyelinError(f"'{unit.op.name}' pools in a way for which NIR has no words")
    pair = np.array([p.window, p.window])
    fields: Mapping[str, Any] = {"kernel_size": pair, "stride": pair, "padding": np.zeros(2, np.int64)}
    return NirNode("SumPool2d" if p.mode == "sum" else "AvgPool2d", fields)
