"""Speck's integers for a frozen network: a chain of convolutions of 8 bits with neurons of 16.

A layer in a step (sinabs):  v <- v + conv(x) + b;  n = v // v_th spikes where v is positive, v <- v - n v_th
(or one spike, and v <- 0);  v <- max(v, -32768).  Then sums over windows go on to the next layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import networkx as nx
import numpy as np
from scipy.sparse import csr_matrix

from engine.errors import MyelinError
from engine.export.folding import fold
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.simulate import Signals
from engine.export.target import Conversion
from engine.export.targets._lif import arriving, cell, decide, split, whole_numbers
from engine.export.targets._through import POOL
from engine.program import Source
from nodes.spec import Shape

BITS, STATE, LOWEST = 127, 32767, -32768
KI = 1024
CORES = ((16, 64), (16, 64), (16, 64), (32, 32), (32, 32), (64, 16), (64, 16), (16, 16), (16, 16))
"""Ki words for weights and for neurons of each core (sinabs, docs/speck/overview, memory constraints)."""


@dataclass(frozen=True)
class Layer:
    """One core: ``kernel [out, in, window, window]`` and ``bias [out]``, whole; ``matrix``: as synapses.

    ``subtract``: whether a spike takes ``v_th`` off, else v becomes 0.  ``pool``: width of the sums after it.
    """

    id: str
    name: str
    entry: Shape
    exit: Shape
    kernel: np.ndarray
    bias: np.ndarray
    stride: int
    padding: int
    v_th: int
    subtract: bool
    pool: int
    matrix: csr_matrix

    @property
    def memory(self) -> tuple[int, int]:
        """Words of weights and of neurons that it fills."""
        return memory(self.kernel.shape, self.exit)


@dataclass(frozen=True)
class Mapped(Frozen):
    """A frozen network with its layers; ``host``: what is worked out beside the chip."""

    layers: tuple[Layer, ...] = ()
    host: Frozen | None = None


def memory(kernel: Shape, exit: Shape) -> tuple[int, int]:
    """Words of weights and of neurons, as powers of two (sinabs, DynapcnnLayer.memory_summary)."""
    out, into, window, _ = kernel
    weights = into * 2 ** (_bits(window * window) + _bits(out))
    return weights, exit[0] * 2 ** (_bits(exit[1]) + _bits(exit[2]))


def _bits(number: int) -> int:
    return math.ceil(math.log2(number))


def cores(needs: Iterable[tuple[int, int]]) -> list[int] | None:
    """A core for each layer, None where there are none."""
    graph, wanted = nx.Graph(), list(needs)
    layers = [("layer", number) for number in range(len(wanted))]
    graph.add_nodes_from(layers)
    for layer, (weights, neurons) in zip(layers, wanted, strict=True):
        fits = (n for n, (w, s) in enumerate(CORES) if weights <= w * KI and neurons <= s * KI)
        graph.add_edges_from((layer, ("core", number)) for number in fits)
    found = nx.bipartite.maximum_matching(graph, top_nodes=layers) if graph.edges else {}
    return [found[layer][1] for layer in layers] if all(layer in found for layer in layers) else None


def plane(shape: Shape) -> Shape:
    """A shape as channels, height and width."""
    return shape if len(shape) == 3 else (math.prod(shape), 1, 1)


def mapped(frozen: Frozen) -> tuple[Mapped, tuple[Conversion, ...]]:
    """The network as Speck's layers, and what was changed for that."""
    frozen, folded = fold(frozen)
    chip, host = split(frozen)
    units = [p for p in chip if isinstance(p, Unit) and p.op.role == "population"]
    said = list(folded)
    layers: list[Layer] = []
    pools = {unit.id: 1 for unit in units}
    for unit in units:
        layer, before, pool = _layer(unit, frozen, said)
        if before != (layers[-1].id if layers else ""):
            raise MyelinError(f"'{unit.op.name}' does not come next in a chain, as layers for Speck do")
        layers.append(layer)
        pools[before] = pool
    ordered = tuple(replace(layer, pool=pools[layer.id]) for layer in layers)
    for part in host.parts:
        said.append(Conversion(f"'{part.op.name}' is worked out on the host", (part.id,), exact=True))
    if not ordered or cores(layer.memory for layer in ordered) is None:
        raise MyelinError("Speck's nine cores do not hold the layers of this network")
    given = {field.name: getattr(frozen, field.name) for field in fields(Frozen)}
    own = {unit.id for unit in units}
    outputs = tuple(s for s in frozen.outputs if s in host.outputs or (s.op in own and s.port == "spikes"))
    return Mapped(**{**given, "outputs": outputs}, layers=ordered, host=host), tuple(said)


def _layer(unit: Unit, frozen: Frozen, said: list[Conversion]) -> tuple[Layer, str, int]:
    """A layer, the population before it or "", and the width over which that is summed on the way."""
    fed, numbers, name = arriving(unit, frozen), cell(unit, frozen.dt), unit.op.name
    if len(fed.synapses) != 1 or len(fed.synapses[0].inputs) != 1:
        raise MyelinError(f"'{name}' is fed by more than one projection, and layers for Speck are a chain")
    (synapses,) = fed.synapses
    before, entry, pool, mean = _before(synapses.inputs[0], frozen)
    gain = np.broadcast_to(numbers.gain, unit.shape).ravel()
    threshold = np.unique(np.asarray(numbers.v_th))
    if len(threshold) > 1 or len(np.unique(gain)) > 1:
        raise MyelinError(f"neurons of '{name}' differ, and those of a core of Speck are alike")
    weight = synapses.weight.astype(np.float64) * gain[0] / mean
    drive = fed.constant * gain[0]
    scale = _scale(weight, drive, float(threshold[0]), name)
    whole = np.rint(weight * scale)
    v_th = max(1, round(float(threshold[0]) * scale))
    exit = plane(unit.shape)
    kernel, stride, padding = _kernel(synapses, whole, entry, exit)
    bias = _per_channel(np.rint(drive * scale), exit, name)
    _say(said, unit, synapses, weight, whole / scale, float(threshold[0]), v_th / scale)
    matrix = csr_matrix((whole, (synapses.post, synapses.pre)), (synapses.target_size, synapses.source_size))
    layer = Layer(
        unit.id, name, entry, exit, kernel, bias, stride, padding, v_th, numbers.reset is None, 1, matrix
    )
    return layer, before, pool


def _before(source: Source, frozen: Frozen) -> tuple[str, Shape, int, float]:
    """(population or "", shape that arrives, width of pooling in between, by what sums exceed means)."""
    pool, mean = 1, 1.0
    while isinstance(part := frozen.by_id.get(source.op), Unit) and part.op.role == "structure":
        if part.op.type == POOL:
            pool *= int(part.op.p.window)
            mean *= part.op.p.window**2 if part.op.p.mode == "mean" else 1
        ((source,),) = part.inputs.values()
    channels, height, width = plane(frozen.shape(source))
    entry = (channels, height // pool, width // pool)
    return (source.op if source.op in frozen.by_id else ""), entry, pool, mean


def _scale(weight: np.ndarray, drive: np.ndarray, threshold: float, name: str) -> float:
    """Whole numbers for a weight of 1: the largest with weights and biases of 8 bits, thresholds of 16."""
    largest = max(float(np.abs(weight).max(initial=0)), float(np.abs(drive).max(initial=0)))
    if not largest:
        raise MyelinError(f"nothing drives '{name}': all weights onto it are zero")
    return min(BITS / largest, STATE / threshold)


def _kernel(synapses: Synapses, whole: np.ndarray, entry: Shape, exit: Shape) -> tuple[np.ndarray, int, int]:
    """(kernel, stride, padding) that has these weights; MyelinError where they are no convolution."""
    window, stride, padding = entry[1], 1, 0
    if synapses.op.type == "projection.conv2d":
        p = synapses.op.p
        window, stride, padding = int(p.window), int(p.stride), int(p.padding)
    kernel: np.ndarray = np.zeros((exit[0], entry[0], window, window))
    into, y, x = np.unravel_index(synapses.pre, entry)
    out, i, j = np.unravel_index(synapses.post, exit)
    place = (out, into, y - i * stride + padding, x - j * stride + padding)
    square = entry[1] == entry[2] or synapses.op.type == "projection.conv2d"
    if square:
        kernel[place] = whole
    if not square or not np.array_equal(kernel[place], whole):
        raise MyelinError(f"'{synapses.op.name}' is no convolution with a square window, which Speck needs")
    return kernel, stride, padding


def _per_channel(bias: np.ndarray, exit: Shape, name: str) -> np.ndarray:
    planes = bias.reshape(exit[0], -1)
    if np.any(planes != planes[:, :1]):
        raise MyelinError(f"constant currents onto '{name}' differ within a channel; Speck has one for each")
    return planes[:, 0]


def _say(
    said: list[Conversion],
    unit: Unit,
    synapses: Synapses,
    weight: np.ndarray,
    real: np.ndarray,
    wanted: float,
    threshold: float,
) -> None:
    share = 100 * float(np.abs(real - weight).max()) / float(np.abs(weight).max() or 1)
    words = (
        f"weights of '{synapses.op.name}' become 8-bit numbers, none changes by more than {share:.2g} % of "
        f"the largest; the threshold of '{unit.op.name}' by {100 * abs(threshold / wanted - 1):.2g} %"
    )
    said.append(Conversion(words, (synapses.id, unit.id)))
    if unit.op.p.reset == "subtract" and unit.op.p.max_spikes == 1:
        words = (
            f"'{unit.op.name}' may fire several times in a step, as often as its potential holds thresholds"
        )
        said.append(Conversion(words, (unit.id,)))


def run(network: Mapped, inputs: Mapping[Source, np.ndarray], steps: int) -> Signals:
    """What Speck's cores do, as sinabs runs them: counts of spikes ``[steps, *shape]``, and decisions."""
    ((source, given),) = inputs.items()
    arriving = np.zeros((steps, math.prod(network.shape(source))), np.int64)
    known = whole_numbers(given[:steps], network.name(source), "Speck")
    arriving[: len(known)] = known.reshape(len(known), -1)
    found: Signals = {}
    for layer in network.layers:
        spikes = _spikes(layer, arriving)
        key = Source(layer.id, "spikes")
        found[key] = spikes.reshape(steps, *network.shape(key)).astype(np.float32)
        arriving = _summed(spikes.reshape(steps, *layer.exit), layer.pool).reshape(steps, -1)
    assert network.host is not None
    everything = decide(network.host, found, steps)
    return {source: everything[source] for source in network.outputs}


def _spikes(layer: Layer, arriving: np.ndarray) -> np.ndarray:
    """Spikes ``[steps, neurons]`` of a layer."""
    currents = (layer.matrix @ arriving.T).T
    bias = np.repeat(layer.bias, math.prod(layer.exit[1:]))
    v, found = np.zeros(math.prod(layer.exit)), np.zeros((len(arriving), math.prod(layer.exit)), np.int64)
    for t, current in enumerate(currents):
        v = v + current + bias
        count = np.where(v > 0, v // layer.v_th, 0)
        if layer.subtract:
            v = v - count * layer.v_th
        else:
            count = np.minimum(count, 1)
            v = v * (count == 0)
        v, found[t] = np.maximum(v, LOWEST), count
    return found


def _summed(spikes: np.ndarray, pool: int) -> np.ndarray:
    """Sums over windows that do not overlap; what is left over is cut."""
    steps, channels, height, width = spikes.shape
    high, wide = height // pool, width // pool
    windows = spikes[:, :, : high * pool, : wide * pool].reshape(steps, channels, high, pool, wide, pool)
    found: np.ndarray = windows.sum((3, 5))
    return found
