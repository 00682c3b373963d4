"""Learning rates and kernel widths as functions of the epoch, so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from engine.program import Op

EXPONENTIAL_DECAY = 100.0  # an exponential schedule ends at a hundredth of its first rate


class Rate(NamedTuple):
    """Learning rate, and Adam's first beta where the schedule moves it."""

    lr: float
    beta: float | None = None


def constant(epoch: int, epochs: int, lr: float, peak: float) -> Rate:
    """The same rate throughout."""
    return Rate(lr)


def cosine(epoch: int, epochs: int, lr: float, peak: float) -> Rate:
    """Half a cosine from ``lr`` to 0 (Loshchilov & Hutter 2017; torch's CosineAnnealingLR)."""
    return Rate(lr * (1 + math.cos(math.pi * epoch / epochs)) / 2)


def exponential(epoch: int, epochs: int, lr: float, peak: float) -> Rate:
    """A straight fall on a logarithmic scale to a hundredth of ``lr``."""
    return Rate(lr * EXPONENTIAL_DECAY ** (-epoch / epochs))


def onecycle(epoch: int, epochs: int, lr: float, peak: float) -> Rate:
    """From peak/25 up to ``peak`` over 30 % of the epochs, then down to peak/250 000 (Smith & Topin 2018).

    Adam's first beta moves the other way, 0.95 to 0.85 and back; the same numbers as torch's OneCycleLR.
    """
    rise, last = 0.3 * epochs - 1, epochs - 1
    if last == 0:
        return Rate(peak, 0.85)  # torch would spend the only epoch at the lowest rate
    if epoch <= rise:
        part = epoch / rise
        return Rate(_between(peak / 25, peak, part), _between(0.95, 0.85, part))
    part = (epoch - rise) / (last - rise)
    return Rate(_between(peak, peak / 250_000, part), _between(0.85, 0.95, part))


def _between(start: float, end: float, part: float) -> float:
    """Half a cosine from ``start`` (part 0) to ``end`` (part 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


SCHEDULES: dict[str, Callable[[int, int, float, float], Rate]] = {
    function.__name__: function for function in (constant, cosine, exponential, onecycle)
}


def sigma(op: Op, first: float, epoch: int, epochs: int) -> float:
    """Width of the kernel of an op's learnable delays: an exponential fall over part of the epochs.

    Hammouamri et al. 2024: sigma(e) = max(end, first (end / first)^(e / (duration epochs))).
    """
    assert op.delay is not None
    end, span = op.delay.p["sigma_end"], int(op.delay.p["sigma_duration"] * epochs)
    if epoch >= span or first <= end:
        return float(min(end, first))
    return float(max(end, first * (end / first) ** (epoch / span)))
