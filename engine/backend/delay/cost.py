"""Which formulation of the delayed projection is the cheapest, by a cost model with measured constants.

`tests/bench/bench_delay.py --calibrate` measures the constants again.
"""

from dataclasses import dataclass
from functools import lru_cache

from engine.backend.delay.spectral import Tiling, layout


@dataclass(frozen=True)
class Plan:
    """A formulation (`direct` or `spectral`), its tiling, and its predicted cost in microseconds."""

    name: str
    tiling: Tiling
    cost: float


_PRODUCT = 1.0 / 80e3
"""Microseconds per multiply-add pair (2 floating-point operations) of a batched product."""

_TRANSFORM = 1.0 / 55e3
_CALL = 5.0
_MAX_BLOCKS = 64
_ROWS = 256


@lru_cache(maxsize=1024)
def choose(
    *, steps: int, start: int, length: int, batch: int, inputs: int, outputs: int, taps: int, gradients: bool
) -> Plan:
    """The cheapest plan for a projection of `steps` input steps (history included) to `length` results.

    `start` is the first result's index in the full convolution (see `direct`), `gradients` whether a backward
    pass follows, which triples the work.
    """
    passes = 3 if gradients else 1
    work = batch * inputs * outputs
    direct = Plan("direct", Tiling(1, 1), passes * taps * (2 * length * work * _PRODUCT + _CALL))
    if work == 0 or length == 0:
        return direct
    plans = [direct]
    for blocks in range(1, min(_MAX_BLOCKS, max(1, length // taps)) + 1):
        cut = layout(steps, taps, start, length, blocks)
        products, count = cut.products, len(cut.blocks)
        width = min(batch, max(1, _ROWS // count))
        multiply = 2 * products * count * work * _PRODUCT
        transform = 2 * products * batch * (inputs * steps + outputs * length) * _TRANSFORM
        transform += 2 * products * taps * inputs * outputs * _TRANSFORM
        plans.append(
            Plan("spectral", Tiling(count, width), passes * (multiply + transform + _CALL * (3 + 2 * count)))
        )
    return min(plans, key=lambda plan: plan.cost)
