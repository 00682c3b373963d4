"""What Xylo does with a specified network, bit for bit: our reference in whole numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.errors import MyelinError
from engine.export.simulate import Signals
from engine.export.targets._lif import decide, whole_numbers
from engine.export.targets._xylo.specified import HIGH, LOW, MOST_EVENTS, Layer, Specified
from engine.program import Source


def run(network: Specified, inputs: Mapping[Source, np.ndarray], steps: int) -> Signals:
    """What Xylo does, as XyloSim has it: the outputs ``[steps, *shape]``."""
    assert network.hidden is not None
    assert network.readout is not None
    assert network.late is not None
    last = steps + max(network.late.values(), default=0)
    given = stimulus(network, inputs, last)
    hidden, readout = _Neurons(network.hidden), _Neurons(network.readout)
    spikes = np.zeros((last, len(network.hidden.threshold)), np.int64)
    out, v = (np.zeros((last, len(network.readout.threshold)), np.int64) for _ in range(2))
    heard = np.zeros(len(network.hidden.threshold), np.int64)
    for t in range(last):
        out[t] = readout.step([heard])
        v[t] = readout.v
        spikes[t] = hidden.step([given[t], heard])
        heard = spikes[t]
    return signals(network, spikes, out, v, steps)


def stimulus(network: Specified, inputs: Mapping[Source, np.ndarray], last: int) -> np.ndarray:
    """Events ``[last, channels]``, at most 15 a channel and step."""
    columns = []
    for source, shape in network.inputs.items():
        known = whole_numbers(inputs[source][:last], network.name(source), "Xylo")
        column = np.zeros((last, math.prod(shape)), np.int64)
        column[: len(known)] = known.reshape(len(known), -1)
        columns.append(column)
    events = np.concatenate(columns, 1) if columns else np.zeros((last, 0), np.int64)
    if events.min(initial=0) < 0:
        raise MyelinError("Xylo takes events, and there are negative ones among these")
    return np.minimum(events, MOST_EVENTS)


def signals(network: Specified, spikes: np.ndarray, out: np.ndarray, v: np.ndarray, steps: int) -> Signals:
    """The outputs from what the chip's neurons did, ``[time, neurons]`` each."""
    assert network.places is not None
    assert network.late is not None
    assert network.host is not None
    assert network.readout is not None
    natural = v / network.readout.per_unit
    found: Signals = {}
    asked = [*network.outputs, *network.host.inputs]
    for source in (s for s in asked if s.op in network.places):
        layer, begin = network.places[source.op]
        every = spikes if layer == 0 else (out if source.port == "spikes" else natural)
        shape, late = network.shape(source), network.late[source.op]
        own = every[late : late + steps, begin : begin + math.prod(shape)]
        found[source] = own.reshape(steps, *shape).astype(np.float32)
    everything = decide(network.host, found, steps)
    return {source: everything[source] for source in network.outputs}


class _Neurons:
    """i and v of a layer."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.i, self.v = (np.zeros(len(layer.threshold), np.int64) for _ in range(2))

    def step(self, arriving: list[np.ndarray]) -> np.ndarray:
        """Spikes of a step."""
        layer = self.layer
        for events, weights, shift in zip(arriving, layer.weights, layer.shifts, strict=True):
            for source in np.flatnonzero(events):
                self.i = saturated(self.i + events[source] * (weights[source] << shift))
        self.i = self.i - lost(self.i, layer.dash_syn)
        change = saturated(saturated(self.i - lost(self.v, layer.dash_mem)) + layer.bias)
        self.v = saturated(self.v + change)
        count: np.ndarray = np.clip(self.v // layer.threshold, 0, layer.most)
        self.v = self.v - count * layer.threshold
        return count


def saturated(x: np.ndarray) -> np.ndarray:
    """What 16 bits hold."""
    return np.asarray(np.clip(x, LOW, HIGH))


def lost(x: np.ndarray, dash: np.ndarray) -> np.ndarray:
    """What decays in a step: x >> dash, at least 1 towards zero."""
    shifted = x >> dash
    found: np.ndarray = np.where(shifted == 0, np.sign(x), shifted)
    return found
