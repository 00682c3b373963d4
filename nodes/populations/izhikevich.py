"""Izhikevich population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nodes.ops import Ops
from nodes.populations._firing import Spiking
from nodes.spec import Param, Port, Step, Values, node, port

# Izhikevich 2003, figure 2 and the paper's text; (a, b, c, d)
_REGIMES = {
    "regular spiking": (0.02, 0.2, -65.0, 8.0),
    "intrinsically bursting": (0.02, 0.2, -55.0, 4.0),
    "chattering": (0.02, 0.2, -50.0, 2.0),
    "fast spiking": (0.1, 0.2, -65.0, 2.0),
    "low-threshold spiking": (0.02, 0.25, -65.0, 2.0),
    "thalamo-cortical": (0.02, 0.25, -65.0, 0.05),
    "resonator": (0.1, 0.26, -65.0, 2.0),
    # Izhikevich 2004, figure 1
    "tonic spiking": (0.02, 0.2, -65.0, 6.0),
    "phasic spiking": (0.02, 0.25, -65.0, 6.0),
    "tonic bursting": (0.02, 0.2, -50.0, 2.0),
    "phasic bursting": (0.02, 0.25, -55.0, 0.05),
    "mixed mode": (0.02, 0.2, -55.0, 4.0),
    "spike frequency adaptation": (0.01, 0.2, -65.0, 8.0),
}


@node("population.izhikevich", label="Izhikevich", keywords=("bursting", "cortical", "quadratic"))
class Izhikevich(Spiking):
    """Quadratic neuron with recovery u.  v in mV, t in ms, I in the published (dimensionless) unit.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + I;  du/dt = a (b v - u);  when v >= v_peak: v <- c, u <- u + d.
    ``half_step`` takes v in two Euler steps of dt/2, then u in one of dt with the new v, as the 2003 program
    does at dt = 1 ms; ``euler`` takes v in one step of dt, then u, as the 2004 figure does at dt = 0.2 to
    0.5 ms.  v uses this step's I; one spike per step, compared by >= and reset in the same step; no
    refractory time.  At first v = v_init, u = b v_init.
    Source: Izhikevich, IEEE Trans. Neural Networks 14 (2003) 1569 and 15 (2004) 1063.
    """

    a = Param(0.02, "1/ms", low=0.0, high=10.0, doc="rate of the recovery u")
    b = Param(0.2, "1/ms", low=-10.0, high=10.0, doc="how strongly u follows v")
    c = Param(-65.0, "mV", low=-200.0, high=100.0, doc="v after a spike")
    d = Param(8.0, "mV/ms", low=-1e3, high=1e3, doc="jump of u with each spike")
    v_peak = Param(30.0, "mV", low=-50.0, high=1e3, doc="v at which a spike is cut off")
    v_init = Param(-65.0, "mV", low=-200.0, high=30.0, doc="v at the start")
    integration = Param("half_step", choices=("half_step", "euler"), doc="two half steps of v, or one step")
    alpha = Param(0.1, low=0.001, high=1e4, doc="steepness of the surrogate, per mV")
    outputs: ClassVar[dict[str, Port]] = {
        **Spiking.outputs,
        "u": port("potential", doc="recovery variable after the step"),
    }
    state: ClassVar[Mapping[str, str | float]] = {"v": "v_init", "u": 0.0}

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        return {regime: dict(zip("abcd", values, strict=True)) for regime, values in _REGIMES.items()}

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        """A reset to the peak or above would fire for ever."""
        if p.c >= p.v_peak:
            return [("c", f"must be below v_peak ({p.v_peak:g} mV), not {p.c:g} mV")]
        return []

    @classmethod
    def state_of(cls, p: Values) -> Mapping[str, str | float]:
        return {"v": "v_init", "u": p.b * p.v_init}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        v, parts = s.v, 2 if p.integration == "half_step" else 1
        for _ in range(parts):
            v = v + dt / parts * (0.04 * v**2 + 5 * v + 140 - s.u + x.input)
        u = s.u + dt * p.a * (p.b * v - s.u)
        spikes = ops.spike(v - p.v_peak, False, p.surrogate, p.alpha)
        felt = ops.detach(spikes) if p.detach_reset else spikes
        v, u = v * (1 - felt) + felt * p.c, u + felt * p.d
        return {"v": v, "u": u}, {"spikes": spikes, "v": v, "u": u}
