"""Leaky integrator: a membrane that never fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.populations._integration import decay
from nodes.populations._presets import Conventional
from nodes.roles import Population
from nodes.spec import Param, Port, Step, Values, node


@node("population.leaky_integrator", label="Leaky integrator", keywords=("LI", "readout", "low-pass"))
class LeakyIntegrator(Conventional):
    """A membrane without threshold, for readouts.  tau_mem dv/dt = -(v - v_leak) + R I.

    With a = exp(-dt/tau_mem) (exact) or 1 - dt/tau_mem (euler): v <- v_leak + a (v - v_leak) + g R I, with I
    of this step, and g = 1 - a when ``decay_input``, else 1.  No comparison, no reset, no refractory time.
    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics (2014), eq. 1.5.
    """

    tau_mem = Param(20.0, "ms", low=0.01, high=1e6, trainable=True, doc="membrane time constant")
    v_leak = Param(0.0, doc="resting potential", trainable=True)
    resistance = Param(1.0, doc="input resistance R")
    integration = Param("exact", choices=("exact", "euler"), doc="how the leak is integrated over a step")
    decay_input = Param(False, doc="scale the input by 1 - a, as the differential equation does")
    outputs: ClassVar[dict[str, Port]] = {"v": Population.outputs["v"]}
    state: ClassVar[Mapping[str, str | float]] = {"v": "v_leak"}

    @staticmethod
    def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
        a = decay(ops, p.tau_mem, p.integration, dt)
        return {"a": a, "gain": (1 - a) * p.resistance if p.decay_input else p.resistance}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        v = p.v_leak + p.a * (s.v - p.v_leak) + p.gain * x.input
        return {"v": v}, {"v": v}
