"""Threshold, reset and refractoriness, shared by the integrate-and-fire family."""

from __future__ import annotations

from collections.abc import Mapping

from nodes.ops import Array, Ops
from nodes.spec import Param, Population, Step, Values
from nodes.surrogates import SURROGATES


class Firing(Population):
    """Parameters that say when a neuron fires and what happens then."""

    v_th = Param(1.0, trainable=True, doc="firing threshold")
    reset = Param("zero", choices=("subtract", "zero", "value", "none"), doc="v - v_th, 0, v_reset, or no reset")
    v_reset = Param(0.0, doc="potential after a spike when reset is `value`")
    compare = Param(">=", choices=(">", ">="), doc="fire when v > v_th, or also when equal")
    refractory = Param(0.0, "ms", low=0.0, high=1e4, doc="time during which v is held after a spike")
    surrogate = Param("atan", choices=tuple(SURROGATES), doc="derivative of the spike used in training")
    alpha = Param(2.0, low=0.01, high=1e4, doc="steepness of the surrogate")
    detach_reset = Param(True, doc="let no gradient flow through the reset")

    @classmethod
    def check_threshold(cls, p: Values) -> list[tuple[str, str]]:
        """A neuron that sits above its threshold after a reset would fire for ever."""
        if p.reset == "value" and p.v_reset >= p.v_th:
            return [("v_reset", f"must be below the threshold {p.v_th:g}, not {p.v_reset:g}")]
        return []

    @classmethod
    def state_of(cls, p: Values) -> Mapping[str, str | float]:
        return {**cls.state, "hold": 0.0} if p.refractory > 0 else cls.state


def fire(ops: Ops, s: Values, v: Array, p: Values, dt: float) -> Step:
    """Compare ``v`` with the threshold, reset, and hold during the refractory time.

    Returns the new ``v`` (and ``hold``, the steps left to wait) and the outputs ``spikes`` and ``v``.
    """
    free = ops.cast(s.hold < 0.5) if "hold" in s else None
    v = v if free is None else ops.where(free > 0.5, v, s.v)
    spikes = ops.spike(v - p.v_th, p.compare == ">", p.surrogate, p.alpha)
    spikes = spikes if free is None else spikes * free
    v = after_spike(ops, v, ops.detach(spikes) if p.detach_reset else spikes, p)
    if free is None:
        return {"v": v}, {"spikes": spikes, "v": v}
    hold = ops.where(spikes > 0.5, 0 * v + round(p.refractory / dt), ops.maximum(s.hold - 1, 0 * v))
    return {"v": v, "hold": hold}, {"spikes": spikes, "v": v}


def after_spike(ops: Ops, v: Array, spikes: Array, p: Values) -> Array:
    """The potential after the reset rule."""
    if p.reset == "subtract":
        return v - spikes * p.v_th
    if p.reset == "zero":
        return v * (1 - spikes)
    return v + spikes * (p.v_reset - v) if p.reset == "value" else v
