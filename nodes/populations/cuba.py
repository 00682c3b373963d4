"""Current-based leaky integrate-and-fire population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.populations._firing import Firing, fire
from nodes.populations._integration import current_to_potential, decay
from nodes.spec import Param, Port, Step, Values, node, port


@node("population.cuba", label="CuBa LIF", keywords=("current-based", "synapse", "exponential", "leaky"))
class CuBa(Firing):
    """LIF with an exponential synaptic current i.

    tau_syn di/dt = -i + arrivals;  tau_mem dv/dt = -(v - v_leak) + R i.
    With s = exp(-dt/tau_syn), a = exp(-dt/tau_mem) (euler: 1 - dt/tau) and x the input of the step:
    i_new = s i + x (``arrival`` add), s i + (1 - s) x (scale) or s (i + x) (decay);
    v <- v_leak + a (v - v_leak) + g R J, where J is i_new or i (``current`` new or old), and
    g = tau_syn/(tau_mem - tau_syn) (a - s) when ``exact``, else 1 - a with ``decay_input``, else 1.
    ``exact`` solves both equations together: x arrives at the end of the step with ``old`` (NEST's
    iaf_psc_exp), at its start with ``new``.  Then v is compared (``compare``) and reset by ``reset`` in this
    step or the next (``reset_step``); up to ``max_spikes`` per step; while refractory v is held, i goes on.
    Source: Rotter & Diesmann, Biological Cybernetics 81 (1999).
    """

    tau_mem = Param(20.0, "ms", low=0.01, high=1e6, trainable=True, doc="membrane time constant")
    tau_syn = Param(5.0, "ms", low=0.01, high=1e6, trainable=True, doc="synaptic time constant")
    v_leak = Param(0.0, doc="resting potential", trainable=True)
    resistance = Param(1.0, doc="input resistance R")
    integration = Param(
        "exponential",
        choices=("exact", "exponential", "euler"),
        doc="solve both equations together, each with its own exponential decay, or by forward Euler",
    )
    current = Param("new", choices=("new", "old"), doc="v sees the current after or before the arrivals")
    arrival = Param("add", choices=("add", "scale", "decay"), doc="an input x adds x, (1 - s) x or s x")
    decay_input = Param(False, doc="scale the current by 1 - a on its way to v; exact has its own factor")
    outputs: ClassVar[dict[str, Port]] = {
        **Firing.outputs,
        "i": port("potential", doc="synaptic current after the step"),
    }
    state: ClassVar[Mapping[str, str | float]] = {"v": "v_leak", "i": 0.0}

    @staticmethod
    def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
        a, s = (decay(ops, tau, p.integration, dt) for tau in (p.tau_mem, p.tau_syn))
        gain = 1 - a if p.decay_input else 1.0
        if p.integration == "exact":
            gain = current_to_potential(ops, p.tau_mem, p.tau_syn, dt)
        entry = {"add": 1.0, "scale": 1 - s, "decay": s}[p.arrival]
        return {"a": a, "s": s, "entry": entry, "gain": gain * p.resistance}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        i = p.s * s.i + p.entry * x.input
        v = p.v_leak + p.a * (s.v - p.v_leak) + p.gain * (i if p.current == "new" else s.i)
        state, outputs = fire(ops, s, v, p, dt)
        return {**state, "i": i}, {**outputs, "i": i}
