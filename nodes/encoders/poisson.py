"""Poisson rate encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Encoder
from nodes.spec import Param, Step, Values, node


@node("encoder.poisson", label="Poisson", keywords=("rate", "random", "Bernoulli", "noise"))
class PoissonEncoder(Encoder):
    """A value as a firing rate: a spike with probability x max_rate dt in every step, at most one.

    A value of 1 fires at ``max_rate``; at or below 0 nothing fires; beyond 1/dt every step does.
    """

    max_rate = Param(100.0, "Hz", low=0.0, high=1e6, doc="mean rate at value 1")
    noise: ClassVar[Mapping[str, str]] = {"draw": "uniform"}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": ops.cast(x.draw < x.input * (p.max_rate * dt / 1000))}
