"""Poisson source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Population
from nodes.spec import Param, Port, Step, Values, node


@node("population.poisson", label="Poisson source", keywords=("noise", "background", "random", "generator"))
class Poisson(Population):
    """Neurons that fire at random, without input or memory: a spike with probability rate dt in every step.

    At most one spike per step (the convention of Brian2's PoissonGroup; NEST's poisson_generator draws a
    count): intervals are geometric with mean 1/rate, and their coefficient of variation is sqrt(1 - rate dt).
    A rate beyond 1/dt fires in every step.
    """

    rate = Param(10.0, "Hz", low=0.0, high=1e6, doc="mean firing rate of each neuron")
    inputs: ClassVar[dict[str, Port]] = {}
    outputs: ClassVar[dict[str, Port]] = {"spikes": Population.outputs["spikes"]}
    noise: ClassVar[Mapping[str, str]] = {"draw": "uniform"}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"spikes": ops.cast(x.draw < p.rate * dt / 1000)}
