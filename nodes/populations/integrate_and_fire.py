"""Integrate-and-fire population without leak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from nodes.ops import Ops
from nodes.populations._firing import Firing, fire
from nodes.spec import Param, Step, Values, node


@node("population.if", label="IF", keywords=("integrate", "fire", "non-leaky", "Speck", "rectified"))
class IF(Firing):
    """Perfect integrator with a threshold.  dv = R I per step;  spike at v_th, then reset.

    The step is v <- v + R I with this step's I, which is exact; a current per ms needs R = dt.  Then v is
    compared (``compare``) and reset by ``reset`` in this step or the next (``reset_step``); up to
    ``max_spikes`` per step; v is held while refractory.
    Source: Lapicque 1907, as in Neuronal Dynamics (2014), section 1.3, without leak.
    """

    resistance = Param(1.0, doc="factor R on the input")
    reset = replace(Firing.params["reset"], default="subtract")
    state: ClassVar[Mapping[str, str | float]] = {"v": 0.0}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return fire(ops, s, s.v + p.resistance * x.input, p, dt)
