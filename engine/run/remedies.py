"""Which change would mend a population, found by replaying a tape of its input with many values of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from engine.compile.diagnostics import Fix
from engine.program import Op, Program
from engine.run.diagnoses import Route, gain_fix, nice, routes, threshold_fix
from engine.run.replay import Tape, with_gain, with_threshold

MARGIN = 1.3
"""A fix goes so much beyond what was just enough, since what comes next is not quite what was taped."""
RAISE = np.geomspace(1, 1e7, 161)
LOWER = np.geomspace(1, 1e-4, 97)

Fresh = Callable[[Op], bool]
Own = Mapping[str, Any]


class Remedy(NamedTuple):
    """What to do, and the edit that does it, if one is known."""

    hint: str
    fix: Fix | None = None


def wake(program: Program, op: Op, own: Own, tape: Tape, ratio: float | None, fresh: Fresh) -> Remedy:
    """What makes a silent population fire: more of its strongest excitation, or a lower threshold."""
    usable = _usable(program, op, fresh)
    exciting = sorted(usable, key=lambda route: -tape.strength(route.source)[0])
    for route in exciting:
        if tape.strength(route.source)[0] > 0:
            factor = _waking(with_gain(op, own, program.dt, tape, route.source, RAISE), RAISE)
            found = gain_fix(route.projection, factor, up=True) if factor else None
            if found:
                return Remedy(*found)
    found = _lower_threshold(program, op, own, tape, ratio) or _turned(program, op, own, tape, usable)
    return Remedy(*found) if found else Remedy("give it more excitation or a lower threshold")


def calm(program: Program, op: Op, own: Own, tape: Tape, target: float, fresh: Fresh) -> Remedy:
    """What brings the spikes of a neuron in a step down to ``target``: less of its strongest excitation."""
    usable = _usable(program, op, fresh)
    for route in sorted(usable, key=lambda route: -tape.strength(route.source)[0]):
        if tape.strength(route.source)[0] > 0:
            spikes = with_gain(op, own, program.dt, tape, route.source, LOWER)
            factor = _calming(spikes, LOWER, target * tape.replayed)
            found = gain_fix(route.projection, factor, up=False) if factor else None
            if found:
                return Remedy(*found)
    found = _higher_threshold(program, op, own, tape, target)
    return Remedy(*found) if found else Remedy("give it less excitation or a higher threshold")


def _usable(program: Program, op: Op, fresh: Fresh) -> list[Route]:
    return [route for route in routes(program, op) if all(fresh(passed) for passed in route.ops)]


def _waking(spikes: np.ndarray, factors: np.ndarray) -> float | None:
    """The smallest factor with which the neurons fire once on average, else any at all, with a margin."""
    lively, fires = spikes.mean(1) >= 1, (spikes > 0).any(1)
    enough = lively if lively.any() else fires
    return float(factors[enough.argmax()]) * MARGIN if enough.any() else None


def _calming(spikes: np.ndarray, factors: np.ndarray, target: float) -> float | None:
    """The largest factor with which the mean neuron fires no more than ``target`` spikes, but still fires."""
    mean = spikes.mean(1)
    good = (mean <= target) & (mean > 0)
    if good.any():
        return float(factors[good.argmax()])
    least = np.where(mean > 0, mean, np.inf).argmin()
    return float(factors[least]) if mean[least] < 0.7 * mean[0] else None


def _lower_threshold(
    program: Program, op: Op, own: Own, tape: Tape, ratio: float | None
) -> tuple[str, Fix] | None:
    if ratio is None or ratio <= 0 or "v_th" in op.p.get("train", ()):
        return None
    rest = float(op.p.get("v_leak", 0.0))
    way = float(op.p.v_th) - rest
    thresholds = rest + way / RAISE
    factor = _waking(with_threshold(op, own, program.dt, tape, thresholds), RAISE)
    return threshold_fix(op, rest + nice(way / factor, up=False)) if factor else None


def _higher_threshold(
    program: Program, op: Op, own: Own, tape: Tape, target: float
) -> tuple[str, Fix] | None:
    rest = float(op.p.get("v_leak", 0.0))
    if "v_th" not in op.p or "v_th" in op.p.get("train", ()) or op.p.v_th <= rest:
        return None
    way = float(op.p.v_th) - rest
    spikes = with_threshold(op, own, program.dt, tape, rest + way / LOWER)
    factor = _calming(spikes, LOWER, target * tape.replayed)
    return threshold_fix(op, rest + nice(way / factor, up=True)) if factor else None


def _turned(program: Program, op: Op, own: Own, tape: Tape, usable: list[Route]) -> tuple[str, Fix] | None:
    """Excitation from what only inhibits now."""
    for route in sorted(usable, key=lambda route: tape.strength(route.source)[1]):
        if tape.strength(route.source)[1] < 0:
            factor = _waking(with_gain(op, own, program.dt, tape, route.source, -RAISE), RAISE)
            found = gain_fix(route.projection, -factor, up=True) if factor else None
            if found:
                return found
    return None
