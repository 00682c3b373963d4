"""First spike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Readout
from nodes.spec import Param, Port, Step, Values, node, port


@node("readout.first_spike", label="First spike", keywords=("latency", "TTFS", "decision", "classifier"))
class FirstSpike(Readout):
    """The class that fires first wins: the score is minus the time before the first spike, over ``tau``.

    q_t = q_{t-1} (1 - s_t), with s_t at most 1, is 1 as long as a neuron is silent; the score is
    m_t = m_{t-1} - q_t dt / tau.  A neuron that never fires has the lowest score, minus the whole time.
    Through the surrogate derivative of s the score has a gradient to every potential up to the first spike.
    """

    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes", doc="one neuron per class")}
    tau = Param(10.0, "ms", low=1e-3, high=1e6, doc="lead that multiplies a class's odds by e in a softmax")
    state: ClassVar[Mapping[str, str | float]] = {"silent": 1.0, "score": 0.0}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        silent = s.silent * (1 - ops.minimum(x.input, 0 * x.input + 1))
        score = s.score - silent * (dt / p.tau)
        return {"silent": silent, "score": score}, {"output": score}
