"""Spike-rate regulariser."""

from __future__ import annotations

import math
from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.roles import Loss
from nodes.spec import Param, Port, Values, node, port


@node(
    "loss.spike_rate",
    label="Spike rate",
    keywords=("regulariser", "activity", "sparsity", "energy", "penalty"),
)
class SpikeRate(Loss):
    """Squared distance in Hz of a firing rate from the range [low, high]; nothing inside it.

    ``population``: of the mean rate of all neurons; ``neuron``: of every neuron's own rate, averaged.
    Source: Zenke & Vogels 2021 (upper bound on populations, lower bound on neurons).
    """

    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes", doc="activity to keep in range")}
    weight = Param(1e-4, low=0.0, doc="factor in the sum of losses")
    low = Param(1.0, "Hz", low=0.0, high=1e6, doc="rate below which activity is pushed up")
    high = Param(50.0, "Hz", low=0.0, high=1e6, doc="rate above which activity is pushed down")
    per = Param("population", choices=("population", "neuron"), doc="whose rate has to lie in the range")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        return (
            [("low", f"must not exceed high ({p.high:g} Hz), but is {p.low:g} Hz")] if p.low > p.high else []
        )

    @staticmethod
    def loss(ops: Ops, x: Values, p: Values, dt: float) -> Array:
        rank = x.input.ndim - 2
        rate = x.input.sum(0) / (len(x.input) * dt / 1000)
        if p.per == "population":
            return _outside(ops, _mean(ops, rate, rank), p)
        return _mean(ops, _outside(ops, rate, p), rank)


def _outside(ops: Ops, rate: Array, p: Values) -> Array:
    zero = 0 * rate
    return ops.maximum(p.low - rate, zero) ** 2 + ops.maximum(rate - p.high, zero) ** 2


def _mean(ops: Ops, x: Array, rank: int) -> Array:
    return ops.sum(x, rank) / math.prod(x.shape[1:])
