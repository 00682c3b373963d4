"""What a program asks of a chip: its layers, links and inputs, counted without drawing a weight.

A *layer* is a population with inputs, a *link* a projection; data sets, encoders, Poisson sources, readouts,
losses and probes stay outside the chip.  Structure nodes (batch norm, dropout, pooling between layers) are
looked through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from engine.document import Document, End
from engine.program import Op, Program, Source
from nodes.projections._connectivity import connect
from nodes.roles import Projection
from nodes.spec import Shape, Values

DRAWN = 1_000_000  # pairs of neurons up to which random connections are counted, not estimated
HOST = ("readout", "loss")


@dataclass(frozen=True)
class Link:
    """A projection between signals and layers.

    ``fan_in``: most connections onto one target neuron; ``fan_out``: most from one source neuron;
    ``connections``: all; ``weights``: numbers that are stored.
    """

    op: Op
    sources: tuple[Source, ...]
    targets: tuple[str, ...]
    connections: float
    weights: float
    fan_in: float
    fan_out: float

    @property
    def delay_steps(self) -> int:
        """Steps of the longest way through, the hop's lag included."""
        return self.op.largest_delay


@dataclass(frozen=True)
class Layer:
    """A population with inputs.  ``ports``: its outputs that something hears or records."""

    op: Op
    neurons: int
    output: bool
    looped: bool
    arriving: tuple[Link, ...]
    leaving: tuple[Link, ...]
    ports: frozenset[str]

    @property
    def fan_in(self) -> float:
        """Most connections onto one of its neurons."""
        return sum(link.fan_in for link in self.arriving)

    @property
    def fan_out(self) -> float:
        """Most connections from one of its neurons."""
        return sum(link.fan_out for link in self.leaving)

    @property
    def destinations(self) -> int:
        """Populations it projects to."""
        return len({target for link in self.leaving for target in link.targets})

    @property
    def where(self) -> str:
        """``output`` if it is read out, else ``hidden``."""
        return "output" if self.output else "hidden"

    @property
    def channels(self) -> int:
        """Features of a layer with space, neurons of a flat one."""
        return signal_shape(self.op)[0]


@dataclass(frozen=True)
class Demand:
    """A program as a chip sees it.  ``inputs``: signals from outside and their number of channels.

    ``document``: the one behind the program, where fixes may move its wires.
    """

    program: Program
    layers: Mapping[str, Layer]
    links: Mapping[str, Link]
    inputs: Mapping[Source, int]
    document: Document | None = None

    @property
    def neurons(self) -> int:
        """All neurons."""
        return sum(layer.neurons for layer in self.layers.values())

    @property
    def connections(self) -> float:
        """All connections."""
        return sum(link.connections for link in self.links.values())

    @cached_property
    def wires(self) -> Mapping[End, tuple[str, ...]]:
        """The document's wires by where they end."""
        found: dict[End, list[str]] = {}
        for key, wire in self.document.wires.items() if self.document else ():
            found.setdefault(wire.target, []).append(key)
        return {end: tuple(keys) for end, keys in found.items()}

    @property
    def readings(self) -> Iterator[tuple[Op, str]]:
        """Every readout or loss of a layer, and the kind of signal it reads there."""
        for op in (op for role in HOST for op in self.program.of_role(role)):
            given = (s for sources in op.inputs.values() for s in sources)
            behind = (s for one in given for s in _behind(self.program, one))
            yield from ((op, kind_of(self.program, s)) for s in behind if s.op in self.layers)

    def between_layers(self, link: Link) -> bool:
        """Whether a link starts in a layer, and so takes a hop of the chip."""
        return any(source.op in self.layers for source in link.sources)


def demand(program: Program, document: Document | None = None) -> Demand:
    """The layers, links and inputs of a program."""
    consumers = _consumers(program)
    links = {op.id: _link(program, consumers, op) for op in program.of_role("projection")}
    looped = {key for stage in program.stages if stage.chunk is not None for key in stage.ops}
    found = {
        op.id: _layer(program, consumers, links, op, op.id in looped)
        for op in program.of_role("population")
        if op.spec.inputs
    }
    return Demand(program, found, links, dict(_inputs(program, links, found)), document)


def signal_shape(op: Op) -> Shape:
    """Shape of what an op gives; of a single number (1,)."""
    shape = op.shapes.get("output") or op.shapes.get("spikes") or next(filter(None, op.shapes.values()), None)
    return shape or (1,)


def origin(op: Op) -> str:
    """The node in the document; copies in repeated groups are called ``id~1``, ``id~2``."""
    return op.id.partition("~")[0]


def kind_of(program: Program, source: Source) -> str:
    """The kind of a signal."""
    kinds = program.ops[source.op].spec.outputs[source.port].kinds
    return kinds[0] if kinds else "any"


def _consumers(program: Program) -> dict[Source, tuple[str, ...]]:
    """Who hears each signal; one that is only recorded has nobody."""
    found: dict[Source, list[str]] = {}
    for op in program.ops.values():
        for sources in op.inputs.values():
            for source in sources:
                found.setdefault(source, []).append(op.id)
    for record in program.records:
        found.setdefault(record.source, [])
    return {source: tuple(ids) for source, ids in found.items()}


def _link(program: Program, consumers: Mapping[Source, tuple[str, ...]], op: Op) -> Link:
    assert issubclass(op.spec, Projection)
    weights = op.spec.synapses(op.p, dict(op.shapes))
    fan_in, fan_out, connections = fans(op, weights)
    sources = tuple(dict.fromkeys(s for given in op.inputs.get("input", ()) for s in _behind(program, given)))
    reached = _ahead(program, consumers, op.id)
    targets = tuple(key for key in reached if program.ops[key].role == "population")
    return Link(op, sources, targets, connections, weights, fan_in, fan_out)


def _behind(program: Program, source: Source) -> list[Source]:
    """The signals behind a source, looking through structure."""
    if program.ops[source.op].role != "structure":
        return [source]
    found: dict[Source, None] = {}
    waiting = [source]
    while waiting:
        here = waiting.pop()
        op = program.ops[here.op]
        if op.role == "structure":
            waiting += op.inputs.get("input", ())
        else:
            found[here] = None
    return list(found)


def _ahead(program: Program, consumers: Mapping[Source, tuple[str, ...]], key: str) -> list[str]:
    """The ops that hear an op, looking through structure."""
    found: dict[str, None] = {}
    waiting = [key]
    while waiting:
        here = waiting.pop()
        for port in program.ops[here].spec.outputs:
            for heard in consumers.get(Source(here, port), ()):
                if program.ops[heard].role == "structure":
                    waiting.append(heard)
                else:
                    found[heard] = None
    return list(found)


def _layer(
    program: Program,
    consumers: Mapping[Source, tuple[str, ...]],
    links: Mapping[str, Link],
    op: Op,
    looped: bool,
) -> Layer:
    heard = [program.ops[key] for key in _ahead(program, consumers, op.id)]
    arriving = [links[s.op] for given in op.inputs.values() for s in _all_behind(program, given, links)]
    leaving = [links[o.id] for o in heard if o.id in links]
    output = not leaving or any(o.role in HOST for o in heard)
    used = frozenset(port for port in op.spec.outputs if Source(op.id, port) in consumers)
    size = math.prod(signal_shape(op))
    return Layer(op, size, output, looped, tuple(arriving), tuple(leaving), used)


def _all_behind(program: Program, given: tuple[Source, ...], links: Mapping[str, Link]) -> Iterator[Source]:
    """The links behind the sources of a port."""
    for source in given:
        yield from (s for s in _behind(program, source) if s.op in links)


def _inputs(
    program: Program, links: Mapping[str, Link], layers: Mapping[str, Layer]
) -> Iterator[tuple[Source, int]]:
    """Every signal that enters a link or a layer from outside."""
    for link in links.values():
        yield from ((s, _width(program, s)) for s in link.sources if s.op not in layers)
    for layer in layers.values():
        for given in layer.op.inputs.values():
            for source in (s for one in given for s in _behind(program, one)):
                if source.op not in links and source.op not in layers:
                    yield source, _width(program, source)


def _width(program: Program, source: Source) -> int:
    return math.prod(program.ops[source.op].shapes.get(source.port) or (1,))


def fans(op: Op, weights: float) -> tuple[float, float, float]:
    """(most connections onto a neuron, most from a neuron, all connections) of a projection."""
    source, target = op.shapes.get("input") or (1,), op.shapes.get("output") or (1,)
    sources, targets = math.prod(source), math.prod(target)
    if "window" in op.p:
        return _window_fans(op.p, source, target)
    if op.p.get("connectivity") in ("fixed_probability", "fixed_in_degree", "one_to_one", "matrix"):
        return _sparse_fans(op.p, sources, targets, weights)
    return weights / max(1, targets), weights / max(1, sources), weights


def _window_fans(p: Values, source: Shape, target: Shape) -> tuple[float, float, float]:
    """A convolution or a pooling."""
    rank, stride = max(1, len(source) - 1), p.get("stride", p.window)
    mixed = "channels" in p  # a convolution hears all channels, a pooling one
    fan_in = p.window**rank * (source[0] if mixed else 1)
    reach = [min(math.ceil(p.window / stride), n) for n in target[len(target) - rank :]]
    fan_out = math.prod(reach) * (target[0] if mixed else 1)
    return fan_in, fan_out, fan_in * math.prod(target)


def _sparse_fans(p: Values, sources: int, targets: int, weights: float) -> tuple[float, float, float]:
    """Counted in the drawn connections where there are few, else six deviations above the mean."""
    if p.connectivity == "one_to_one":
        return 1, 1, weights
    if p.connectivity == "matrix":
        return _counted(connect(p, sources, targets).pre, connect(p, sources, targets).post, weights)
    if sources * targets <= DRAWN:
        number = p.probability if p.connectivity == "fixed_probability" else p.in_degree
        most = _drawn_fans(p.connectivity, number, p.seed, p.allow_self, sources, targets)
        return (*most, weights)
    into, out = weights / max(1, targets), weights / max(1, sources)
    if p.connectivity == "fixed_in_degree":
        return p.in_degree, out + 6 * math.sqrt(out), weights
    return into + 6 * math.sqrt(into), out + 6 * math.sqrt(out), weights


@lru_cache(maxsize=4096)
def _drawn_fans(
    how: str, number: float, seed: int, allow_self: bool, sources: int, targets: int
) -> tuple[float, float]:
    """Of a draw that is made again only when it changes: this runs while somebody draws."""
    p = Values(connectivity=how, probability=number, in_degree=number, seed=seed, allow_self=allow_self)
    found = connect(p, sources, targets)
    return _counted(found.pre, found.post, 0)[:2]


def _counted(pre: np.ndarray, post: np.ndarray, weights: float) -> tuple[float, float, float]:
    into = int(np.bincount(post).max()) if post.size else 0
    out = int(np.bincount(pre).max()) if pre.size else 0
    return into, out, weights
