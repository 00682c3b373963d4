"""How much of a chip a network takes: neurons, cores, synapses and bytes, each with what takes the most.

Bytes are those of a plain layout: a stored weight has the chip's weight bits and a state variable its state
bits (32 each where the chip has no number); axonal delays keep one bit per source and step, delays per
synapse or target a sum of state bits per target and step.  A chip's own mapper may need more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.export.hardware.chips import Chip
from engine.export.hardware.demand import Demand, Layer, Link, signal_shape
from engine.program import Op

FLOAT_BITS = 32


@dataclass(frozen=True)
class Amount:
    """What a network uses of what the limit ``name`` bounds; ``largest``: the op that takes the most."""

    name: str
    words: str
    used: float
    largest: Op | None = None


def amounts(asked: Demand, target: Chip, memory: bool = True) -> Iterator[Amount]:
    """Every amount of the whole network; those that say nothing of this chip are left out.

    ``memory``: bytes too, which take the longest to count.
    """
    layers, links = list(asked.layers.values()), list(asked.links.values())
    outputs = [layer for layer in layers if layer.output]
    hidden = [layer for layer in layers if not layer.output]
    yield _neurons("neurons", "neurons", layers)
    if target.limit("hidden"):
        yield _neurons("hidden", "hidden neurons", hidden)
    if target.limit("outputs"):
        yield _neurons("outputs", "readout neurons", outputs)
    yield _inputs(asked)
    yield from _doors(asked, target)
    yield Amount("layers", "populations", len(layers))
    if target.most("neurons_per_core"):
        per_core = target.most("neurons_per_core") or 1.0
        yield _most("cores", "cores", ((x.op, math.ceil(x.neurons / per_core)) for x in layers))
    yield _most("synapses", "synapses", ((link.op, link.connections) for link in links))
    if memory:
        yield from _bytes(asked, target)


def _doors(asked: Demand, target: Chip) -> Iterator[Amount]:
    """Neurons that hear the input and neurons that the readout hears, where a chip limits them."""
    layers, links = asked.layers, asked.links.values()
    if target.limit("input_neurons"):
        heard = {
            key for link in links if any(s in asked.inputs for s in link.sources) for key in link.targets
        }
        yield _neurons(
            "input_neurons", "neurons behind the input", [layers[k] for k in sorted(heard & set(layers))]
        )
    if target.limit("output_sources"):
        ends = {key for key, layer in layers.items() if layer.output}
        before = {s.op for link in links if ends & set(link.targets) for s in link.sources}
        rows = [layers[key] for key in sorted(before & set(layers))]
        yield _neurons("output_sources", "neurons before the readout", rows)


def _bytes(asked: Demand, target: Chip) -> Iterator[Amount]:
    layers, links = asked.layers.values(), asked.links.values()
    bits = target.most("weight_bits") or FLOAT_BITS
    weights = _most("weight_bytes", "bytes of weights", ((x.op, x.weights * bits / 8) for x in links))
    state = _most("state_bytes", "bytes of state", ((x.op, state_bytes(x, target)) for x in layers))
    delays = _most(
        "delay_bytes", "bytes of delay buffers", ((x.op, delay_bytes(asked, x, target)) for x in links)
    )
    yield from (weights, state, delays)
    both = state.used + delays.used
    worst = max((state, delays), key=lambda part: part.used).largest
    yield Amount("memory_bytes", "bytes of state and delay buffers", both, worst)
    largest = max((weights, state, delays), key=lambda part: part.used).largest
    yield Amount("shared_bytes", "bytes in all", weights.used + both, largest)


def state_bytes(layer: Layer, target: Chip) -> float:
    """Memory of a layer's state variables."""
    variables = len(layer.op.spec.state_of(layer.op.p))
    return layer.neurons * variables * (target.most("state_bits") or FLOAT_BITS) / 8


def hop_steps(asked: Demand, link: Link, target: Chip) -> int:
    """Steps of a projection's delay that the chip's own hop makes: between populations, not at the input."""
    return int(target.least("hop_steps")) if asked.between_layers(link) else 0


def delay_bytes(asked: Demand, link: Link, target: Chip) -> float:
    """Memory of what is on its way through a projection."""
    steps = max(0, link.delay_steps - hop_steps(asked, link, target))
    sums = link.op.delay is not None and link.op.delay.granularity in ("synapse", "dendritic")
    if not steps:
        return 0.0
    if sums:
        bits = target.most("state_bits") or FLOAT_BITS
        return math.prod(signal_shape(link.op)) * (steps + 1) * bits / 8
    return math.prod(link.op.shapes.get("input") or (1,)) * steps / 8


def _neurons(name: str, words: str, layers: list[Layer]) -> Amount:
    return _most(name, words, ((layer.op, layer.neurons) for layer in layers))


def _inputs(asked: Demand) -> Amount:
    rows = ((asked.program.ops[source.op], width) for source, width in asked.inputs.items())
    return _most("inputs", "input channels", rows)


def _most(name: str, words: str, rows: Iterable[tuple[Op, float]]) -> Amount:
    found = list(rows)
    largest = max(found, key=lambda row: row[1])[0] if found else None
    return Amount(name, words, sum(used for _, used in found), largest)
