"""Two-variable adaptive leaky integrate-and-fire population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.populations._firing import Firing, emit, settle
from nodes.populations._integration import decay
from nodes.spec import Param, Port, Step, Values, node, port


@node("population.adlif", label="adLIF", keywords=("adaptive", "adaptation current", "resonator", "RadLIF"))
class AdLIF(Firing):
    """LIF with an adaptation current w, driven by v and by the neuron's own spikes.

    tau_mem dv/dt = -v + I - w;  tau_w dw/dt = -w + tau_w/dt (a v + b spikes).

    With alpha = exp(-dt/tau_mem), rho = exp(-dt/tau_w) (euler: 1 - dt/tau):
    v <- alpha v + (1 - alpha) (I - w); spike z when v reaches v_th (``compare``);
    w <- rho w + a v + b z with the v just compared, and counts from the next step on; then v is reset
    by ``reset``, in this step or the next (``reset_step``).  a and b are per step, as published.
    Up to ``max_spikes`` per step; v is held while refractory.
    Source: Bittar & Garner, Frontiers in Neuroscience 16 (2022), in the order of the authors' code.
    """

    tau_mem = Param(15.0, "ms", low=0.01, high=1e6, trainable=True, doc="membrane time constant")
    tau_w = Param(75.0, "ms", low=0.01, high=1e6, trainable=True, doc="time constant of the adaptation w")
    a = Param(0.0, low=-100.0, high=100.0, trainable=True, doc="coupling of v into w, per step")
    b = Param(1.0, low=-100.0, high=100.0, trainable=True, doc="jump of w with each spike")
    reset = replace(Firing.params["reset"], default="subtract")
    integration = Param("exact", choices=("exact", "euler"), doc="how the decays are integrated over a step")
    outputs: ClassVar[dict[str, Port]] = {
        **Firing.outputs,
        "w": port("potential", doc="adaptation current after the step"),
    }
    state: ClassVar[Mapping[str, str | float]] = {"v": 0.0, "w": 0.0}

    @staticmethod
    def constants(ops: Ops, p: Values, dt: float) -> dict[str, Array]:
        return {
            "v_decay": decay(ops, p.tau_mem, p.integration, dt),
            "w_decay": decay(ops, p.tau_w, p.integration, dt),
        }

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        v = settle(ops, s, p.v_decay * s.v + (1 - p.v_decay) * (x.input - s.w), p, p.v_th)
        state, outputs = emit(ops, s, v, p, p.v_th, dt)
        w = p.w_decay * s.w + p.a * v + p.b * outputs["spikes"]
        return {**state, "w": w}, {**outputs, "w": w}
