"""Delayed projections for evaluation and running, equal to the bit however the sequence is cut.

Numbers are accumulated in double precision and rounded once at the end. Single-precision weights are first
put on a grid of 2^-36 of the largest weight of their row. Spikes and counts are whole numbers, so every sum
lies on the grid too and is exact in any order; results of the frequency domain, whose error is far below the
grid, are put back on it. For inputs that are not whole numbers the sums differ by one part in 10^15, which a
rounding to single precision hides but for one value in ten million.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.backend.delay import direct, kernel, spectral, temporal
from engine.backend.delay.cost import choose
from engine.backend.delay.kernel import Taps

_GRID_BITS = 36
_BLOCK_NUMBERS = 1 << 21
"""Double-precision numbers of one block of the batch: bounds the memory beyond the result."""


@torch.no_grad()
def project(
    x: Tensor, weight: Tensor, delay: Tensor, taps: Taps, sigma: float | None, start: int, length: int
) -> Tensor:
    """The projection of x `[T, B, I]` by weight `[O, I]`, delay `[O or 1, I or 1]`: `[length, B, O]`."""
    part = _part(weight, delay, taps, sigma, start - taps.low, length)
    out = x.new_empty(length, x.shape[1], weight.shape[0])
    width = max(1, _BLOCK_NUMBERS // max(1, len(x) * weight.shape[1], length * weight.shape[0]))
    for first in range(0, x.shape[1], width):
        batch = slice(first, first + width)
        out[:, batch] = part(x[:, batch].double().contiguous())
    return out


@torch.no_grad()
def filter_channels(
    x: Tensor, delay: Tensor, taps: Taps, sigma: float | None, start: int, length: int
) -> Tensor:
    """Each channel of x `[T, B, *S]` filtered by its own delay: `[length, B, *S]`."""
    masses = kernel.masses(delay.double(), taps, sigma)
    out = x.new_empty(length, *x.shape[1:])
    width = max(1, _BLOCK_NUMBERS // max(1, max(len(x), length) * x.shape[2:].numel()))
    for first in range(0, x.shape[1], width):
        batch = slice(first, first + width)
        out[:, batch] = temporal.convolve(x[:, batch].double(), masses, start - taps.low, length)
    return out


def _part(
    weight: Tensor, delay: Tensor, taps: Taps, sigma: float | None, start: int, length: int
) -> Callable[[Tensor], Tensor]:
    """The projection of one double-precision part of the batch, everything about the synapses worked out."""
    grid = _grid(weight)
    if delay.shape == weight.shape and min(weight.shape) > 1:
        synapses = _snap(kernel.build(weight.double(), delay.double(), taps, sigma), grid[:, None])
        return partial(_synapses, over_taps=synapses, grid=grid, start=start, length=length)
    snapped = _snap(weight.double(), grid[:, None])
    masses = kernel.masses(delay.double(), taps, sigma)
    if delay.shape[0] == 1:
        return lambda x: linear(temporal.convolve(x, masses[:, 0], start, length), snapped)
    return lambda x: temporal.convolve(linear(x, snapped), masses[:, :, 0], start, length)


def _synapses(x: Tensor, *, over_taps: Tensor, grid: Tensor, start: int, length: int) -> Tensor:
    taps, outputs, inputs = over_taps.shape
    plan = choose(
        steps=len(x), start=start, length=length, batch=x.shape[1], inputs=inputs, outputs=outputs, taps=taps,
        gradients=False,
    )  # fmt: skip
    if plan.name == "direct":
        return direct.convolve(x, over_taps, start, length)
    y = spectral.convolve(x, over_taps, start, length, plan.tiling)
    return _snap(y, grid) if bool((x == x.round()).all()) else y


def _grid(weight: Tensor) -> Tensor:
    """The grid step of every row `[O]`, in double precision; zero where there is no grid."""
    if weight.dtype == torch.float64:
        return weight.new_zeros(len(weight))
    exponent = torch.frexp(weight.abs().amax(1).double()).exponent
    return torch.ldexp(torch.ones_like(exponent, dtype=torch.float64), exponent - _GRID_BITS)


def _snap(values: Tensor, grid: Tensor) -> Tensor:
    """The nearest points of the grid; values stay where there is none."""
    if grid.count_nonzero() == 0:
        return values
    return values.div(grid).round_().mul_(grid)
