"""Leaky integrate-and-fire population with an adaptive threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from nodes.ops import Array, Ops
from nodes.populations._firing import Firing, emit, settle
from nodes.populations._integration import decay
from nodes.spec import Param, Port, Step, Values, node, port

_YIN = {
    "integration": "exact", "decay_input": True, "compare": ">", "reset": "subtract", "reset_step": "next",
    "max_spikes": 1, "scale_jump": True, "v_th": 0.01, "beta": 1.8, "detach_reset": False,
}  # fmt: skip


@node("population.alif", label="Adaptive LIF", keywords=("ALIF", "adaptive threshold", "LSNN", "adaptation"))
class ALIF(Firing):
    """LIF whose threshold rises with each spike.  v as in LIF;  tau_adapt db/dt = -b + spikes.

    With a = exp(-dt/tau_mem), rho = exp(-dt/tau_adapt) (euler: 1 - dt/tau):
    v <- v_leak + a (v - v_leak) + g R I, with g = 1 - a when ``decay_input``, else 1;
    spike z when v reaches B = v_th + beta b (``compare``); ``subtract`` takes B off in this step, or after
    the leak of the next (``reset_step``), and then the B of that step;
    b <- rho b + j z, with j = 1 - rho when ``scale_jump``, else 1: it counts from the next step on.
    Up to ``max_spikes`` per step; v is held while refractory.
    Source: Bellec et al., NeurIPS 2018; Yin, Corradi & Bohte, Nature Machine Intelligence 3 (2021) (preset
    ``yin2021``, as in the authors' ECG program); Bellec et al., Nature Communications 11 (2020) has
    ``scale_jump`` off.
    """

    tau_mem = Param(20.0, "ms", low=0.01, high=1e6, trainable=True, doc="membrane time constant")
    tau_adapt = Param(200.0, "ms", low=0.01, high=1e6, trainable=True, doc="time constant of adaptation")
    beta = Param(1.8, low=0.0, high=1e6, trainable=True, doc="how far b raises the threshold")
    reset = replace(Firing.params["reset"], default="subtract")
    v_leak = Param(0.0, doc="resting potential", trainable=True)
    resistance = Param(1.0, doc="input resistance R")
    integration = Param("exact", choices=("exact", "euler"), doc="how leak and adaptation are integrated")
    decay_input = Param(True, doc="scale the input by 1 - a, as the differential equation does")
    scale_jump = Param(True, doc="a spike adds 1 - rho to b, not 1, so that b is a running rate")
    outputs: ClassVar[dict[str, Port]] = {
        **Firing.outputs,
        "threshold": port("potential", doc="threshold of this step"),
    }
    state: ClassVar[Mapping[str, str | float]] = {"v": "v_leak", "b": 0.0}

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        return {**super().presets(), "yin2021": _YIN}

    @staticmethod
    def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
        a, rho = (decay(ops, tau, p.integration, dt) for tau in (p.tau_mem, p.tau_adapt))
        gain = (1 - a) * p.resistance if p.decay_input else p.resistance
        return {"a": a, "gain": gain, "rho": rho, "jump": 1 - rho if p.scale_jump else 1.0}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        v = p.v_leak + p.a * (s.v - p.v_leak) + p.gain * x.input
        threshold = p.v_th + p.beta * s.b
        state, outputs = emit(ops, s, settle(ops, s, v, p, threshold), p, threshold, dt)
        b = p.rho * s.b + p.jump * outputs["spikes"]
        return {**state, "b": b}, {**outputs, "threshold": threshold}
