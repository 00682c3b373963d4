"""Spike count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Readout
from nodes.spec import Port, Step, Values, node, port


@node("readout.spike_count", label="Spike count", keywords=("rate", "decision", "sum", "classifier"))
class SpikeCount(Readout):
    """n_t = n_{t-1} + s_t: the class that has fired most often wins."""

    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes", doc="one neuron per class")}
    state: ClassVar[Mapping[str, str | float]] = {"count": 0.0}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        count = s.count + x.input
        return {"count": count}, {"output": count}
