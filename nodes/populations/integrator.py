"""Integrator: a membrane without leak that never fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Population
from nodes.spec import Param, Port, Step, Values, node


@node("population.integrator", label="Integrator", keywords=("accumulator", "sum", "non-leaky", "readout"))
class Integrator(Population):
    """The sum of everything that has arrived: v <- v + R I with this step's I; a current per ms needs R = dt.

    No leak, no threshold, no reset.
    Source: the primitive I of NIR (Pedersen et al., Nature Communications 2024), v' = R I.
    """

    resistance = Param(1.0, doc="factor R on the input")
    outputs: ClassVar[dict[str, Port]] = {"v": Population.outputs["v"]}
    state: ClassVar[Mapping[str, str | float]] = {"v": 0.0}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        v = s.v + p.resistance * x.input
        return {"v": v}, {"v": v}
