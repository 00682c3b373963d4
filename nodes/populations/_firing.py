"""Threshold, reset and refractoriness, shared by the integrate-and-fire family."""

from __future__ import annotations

from collections.abc import Mapping

from nodes.ops import Array, Ops
from nodes.populations._presets import Conventional
from nodes.spec import Param, Step, Values
from nodes.surrogates import SURROGATES


class Spiking(Conventional):
    """What training needs to know of a neuron that fires."""

    surrogate = Param("atan", choices=tuple(SURROGATES), doc="derivative of the spike used in training")
    alpha = Param(2.0, low=0.01, high=1e4, doc="steepness of the surrogate")
    detach_reset = Param(True, doc="let no gradient flow through the reset")


class Firing(Spiking):
    """Parameters that say when a neuron fires and what happens then.

    One step: hold v if refractory, else integrate; apply the reset left by the step before (``next``);
    compare; reset (``same``).  The neuron is held for round(refractory/dt) steps after the step of its spike.
    With ``max_spikes`` above 1 a step may carry several spikes, as many as v holds thresholds.
    """

    v_th = Param(1.0, trainable=True, doc="firing threshold")
    reset = Param(
        "zero", choices=("subtract", "zero", "value", "none"), doc="v - v_th, 0, v_reset, or no reset"
    )
    v_reset = Param(0.0, doc="potential after a spike when reset is `value`")
    reset_step = Param(
        "same", choices=("same", "next"), doc="reset in the step of the spike, or in the next after its leak"
    )
    compare = Param(">=", choices=(">", ">="), doc="fire when v > v_th, or also when equal")
    max_spikes = Param(1, low=1, high=1_000_000, doc="largest number of spikes per step")
    refractory = Param(0.0, "ms", low=0.0, high=1e4, doc="time during which v is held after a spike")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        """A neuron that sits above its threshold after a reset would fire for ever."""
        problems = []
        if p.reset == "value" and p.v_reset >= p.v_th:
            problems.append(("v_reset", f"must be below the threshold {p.v_th:g}, not {p.v_reset:g}"))
        if p.reset in ("zero", "subtract") and p.v_th <= 0:
            problems.append(("v_th", f"must be above 0 when reset is `{p.reset}`, not {p.v_th:g}"))
        if p.max_spikes > 1 and p.reset != "subtract":
            problems.append(("max_spikes", f"must be 1 when reset is `{p.reset}`; more need `subtract`"))
        return problems

    @classmethod
    def state_of(cls, p: Values) -> Mapping[str, str | float]:
        hold = {"hold": 0.0} if p.refractory > 0 else {}
        fired = {"fired": 0.0} if p.reset_step == "next" else {}
        return {**cls.state, **hold, **fired}


def fire(ops: Ops, s: Values, v: Array, p: Values, dt: float) -> Step:
    """From the integrated ``v`` to the new state (v, hold, fired) and the outputs ``spikes`` and ``v``."""
    return emit(ops, s, settle(ops, s, v, p, p.v_th), p, p.v_th, dt)


def settle(ops: Ops, s: Values, v: Array, p: Values, v_th: Array) -> Array:
    """The potential to compare: the old one while refractory, less a reset left over from the last step."""
    if "hold" in s:
        v = ops.where(s.hold < 0.5, v, s.v)
    return after_spike(v, s.fired, p, v_th) if "fired" in s else v


def emit(ops: Ops, s: Values, v: Array, p: Values, v_th: Array, dt: float) -> Step:
    """Compare the settled ``v`` with the threshold, reset, and start the refractory time."""
    spikes = count(ops, v, p, v_th)
    if "hold" in s:
        spikes = spikes * ops.cast(s.hold < 0.5)
    felt = ops.detach(spikes) if p.detach_reset else spikes
    state = {"fired": felt} if "fired" in s else {}
    v = v if "fired" in s else after_spike(v, felt, p, v_th)
    if "hold" in s:
        state["hold"] = ops.where(spikes > 0.5, float(round(p.refractory / dt)), ops.maximum(s.hold - 1, 0.0))
    return {"v": v, **state}, {"spikes": spikes, "v": v}


def count(ops: Ops, v: Array, p: Values, v_th: Array) -> Array:
    """Spikes of this step: 0 or 1, or as many as v holds thresholds, up to ``max_spikes``.

    The surrogate acts at the threshold, or at the nearest of its multiples.
    """
    if p.max_spikes == 1:
        return ops.spike(v - v_th, p.compare == ">", p.surrogate, p.alpha)
    nearest = ops.minimum(ops.maximum(ops.floor(ops.detach(v / v_th) + 0.5), 1.0), float(p.max_spikes))
    return nearest - 1 + ops.spike(v - nearest * v_th, p.compare == ">", p.surrogate, p.alpha)


def after_spike(v: Array, spikes: Array, p: Values, v_th: Array) -> Array:
    """The potential after the reset rule."""
    if p.reset == "subtract":
        return v - spikes * v_th
    if p.reset == "none":
        return v
    kept = v * (1 - spikes)  # exactly nothing after a spike, so the new potential carries no rounding error
    return kept + spikes * p.v_reset if p.reset == "value" else kept
