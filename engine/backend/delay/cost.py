"""Which formulation of the delayed projection is the cheapest, by a cost model with measured constants.

`tests/bench/bench_delay.py --calibrate` measures the constants again, and `--plans` compares predicted with
measured times. Only their ratios matter for the choice.
"""

from dataclasses import dataclass
from functools import lru_cache

from engine.backend.delay.spectral import Layout, Tiling, layout


@dataclass(frozen=True)
class Plan:
    """A formulation (`direct` or `spectral`), its tiling, and its predicted cost in microseconds."""

    name: str
    tiling: Tiling
    cost: float


# Microseconds on one core of an AMD EPYC (Zen 4), single precision, torch 2.13 with MKL.
_PRODUCT = 2.8e-5  # per multiply-add of the batched products
_TRANSFORM = 2.8e-5  # per multiply-add of the transforms
_TAP = 2.2e-5  # per multiply-add of a shifted product
_KERNEL = 1.0e-3  # per number of the kernel's spectrum, written and read once
_NARROW = 16  # channels: products of fewer take as long, or longer
_CALL = 4.0  # per matrix product
_SETUP = 60.0  # per pass in the frequency domain
_ROWS = 128  # of a batched product: enough for its full speed, few enough for the cache
_MAX_BLOCKS = 32


@lru_cache(maxsize=1024)
def choose(
    *, steps: int, start: int, length: int, batch: int, inputs: int, outputs: int, taps: int, gradients: bool
) -> Plan:
    """The cheapest plan for a projection of `steps` input steps (history included) to `length` results.

    `start` is the first result's index in the full convolution (see `direct`), `gradients` whether a backward
    pass follows, which triples the work.
    """
    return min(
        plans(steps, start, length, batch, inputs, outputs, taps, gradients), key=lambda plan: plan.cost
    )


def plans(
    steps: int, start: int, length: int, batch: int, inputs: int, outputs: int, taps: int, gradients: bool
) -> list[Plan]:
    """All plans considered, `direct` first."""
    passes = 3 if gradients else 1
    rows = min(steps, length) * batch
    listed = [Plan("direct", Tiling(1, 1), taps * _direct(rows, inputs, outputs, gradients))]
    if rows * inputs * outputs == 0:
        return listed
    for blocks in range(1, min(_MAX_BLOCKS, max(1, length // taps)) + 1):
        cut = layout(steps, taps, start, length, blocks)
        tiling = Tiling(len(cut.blocks), min(batch, max(1, _ROWS // len(cut.blocks))))
        listed.append(Plan("spectral", tiling, passes * _spectral(cut, tiling, batch, inputs, outputs)))
    return listed


def _direct(rows: int, inputs: int, outputs: int, gradients: bool) -> float:
    """The cost of one tap."""
    work = max(inputs, _NARROW) * max(outputs, _NARROW)
    if gradients:
        work += 2 * _width(inputs) * _width(outputs)
    return rows * work * _TAP + (3 if gradients else 1) * _CALL


def _width(channels: int) -> int:
    """How wide a product is in effect: the libraries have no fast way for the gradients of few channels."""
    return channels if channels >= _NARROW else 3 * _NARROW


def _spectral(cut: Layout, tiling: Tiling, batch: int, inputs: int, outputs: int) -> float:
    """The cost of one forward pass."""
    multiply = len(cut.blocks) * batch * inputs * outputs
    columns = sum(b.rows * outputs + (b.high - b.low) * inputs for b in cut.blocks) * batch
    columns += cut.taps * inputs * outputs
    memory = cut.products * inputs * outputs * _KERNEL
    calls = 2 + -(-batch // tiling.width) * (1 + 2 * len(cut.blocks))
    return cut.products * (multiply * _PRODUCT + columns * _TRANSFORM) + memory + calls * _CALL + _SETUP
