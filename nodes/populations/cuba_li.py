"""Current-based leaky integrator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.populations._presets import Conventional
from nodes.populations.cuba import CuBa
from nodes.roles import Population
from nodes.spec import Port, Step, Values, node


@node("population.cuba_li", label="CuBa LI", keywords=("current-based", "synapse", "readout", "low-pass"))
class CuBaLI(Conventional):
    """A membrane with an exponential synaptic current i, without threshold, for readouts.

    tau_syn di/dt = -i + arrivals;  tau_mem dv/dt = -(v - v_leak) + R i.  Both are integrated as in CuBa LIF
    (``integration``, ``arrival``, ``current``, ``decay_input``); there is no spike and no reset.
    Source: Rotter & Diesmann, Biological Cybernetics 81 (1999).
    """

    tau_mem = CuBa.params["tau_mem"]
    tau_syn = CuBa.params["tau_syn"]
    v_leak = CuBa.params["v_leak"]
    resistance = CuBa.params["resistance"]
    integration = CuBa.params["integration"]
    current = CuBa.params["current"]
    arrival = CuBa.params["arrival"]
    decay_input = CuBa.params["decay_input"]
    outputs: ClassVar[dict[str, Port]] = {"v": Population.outputs["v"], "i": CuBa.outputs["i"]}
    state: ClassVar[Mapping[str, str | float]] = {"v": "v_leak", "i": 0.0}

    @staticmethod
    def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
        return CuBa.constants(ops, p, dt)

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        i = p.s * s.i + p.entry * x.input
        v = p.v_leak + p.a * (s.v - p.v_leak) + p.gain * (i if p.current == "new" else s.i)
        return {"v": v, "i": i}, {"v": v, "i": i}
