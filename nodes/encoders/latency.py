"""Latency encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.roles import Encoder
from nodes.spec import Param, Step, Values, node


@node("encoder.latency", label="Latency", keywords=("time to first spike", "TTFS", "temporal", "rank order"))
class Latency(Encoder):
    """One spike per value, the earlier the larger; the value is the one of the first step.

    ``linear``: t = t_max (1 - x), for x in [0, 1].  ``log``: t = tau ln(x / (x - threshold)), the time a
    leaky membrane driven by x takes to reach the threshold.  t is kept in [0, t_max] and rounded to steps;
    values at or below ``threshold`` never fire.
    Source of the logarithm: Zenke & Ganguli 2018; Zenke & Vogels 2021 (the encoding of their tutorials).
    """

    form = Param("linear", choices=("linear", "log"), doc="how a value becomes a time")
    t_max = Param(100.0, "ms", low=0.0, high=1e5, doc="latest spike")
    tau = Param(20.0, "ms", low=0.01, high=1e5, doc="membrane time constant of the logarithmic form")
    threshold = Param(0.0, low=0.0, doc="values at or below stay silent")
    state: ClassVar[Mapping[str, str | float]] = {"clock": 0.0, "due": -1.0}

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.form == "log" and p.threshold <= 0:
            return [
                ("threshold", "must be above 0 in the logarithmic form, or every value would fire at once")
            ]
        return []

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        silent = 0 * x.input - 1
        steps = ops.floor(_time(ops, x.input, p) / dt + 0.5)
        wanted = ops.where(x.input > p.threshold, steps, silent)
        due = ops.where(s.clock < 0.5, wanted, s.due)
        spikes = ops.cast(ops.abs(s.clock - due) < 0.5)
        return {"clock": s.clock + 1, "due": due}, {"output": spikes}


def _time(ops: Ops, x: Array, p: Values) -> Array:
    """Time of the spike in ms of values above the threshold; any number in range for the others."""
    last = 0 * x + p.t_max
    if p.form == "linear":
        return ops.maximum(ops.minimum(p.t_max * (1 - x), last), 0 * x)
    above = ops.maximum(x - p.threshold, 0 * x + 1e-9)
    return ops.minimum(p.tau * ops.log((above + p.threshold) / above), last)
