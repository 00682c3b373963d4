"""Delayed projections for evaluation and running, equal to the bit however the sequence is cut.

Whole delays per synapse are gathered in a fixed order (`rounded`). All others accumulate in double precision
and round once at the end, in one of two ways that do not know of chunks:

- Inputs that are whole numbers (spikes, counts). Single-precision weights are put on a grid of 2^-36 of the
  largest of their row, so every sum lies on the grid too and is exact in any order. Results of the frequency
  domain, whose error is far below the grid, are put back on it.
- Other inputs. Every step is one matrix product of the same shape, whatever the steps around it.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.backend.delay import direct, kernel, spectral, temporal
from engine.backend.delay.cost import choose
from engine.backend.delay.kernel import Taps
from engine.backend.delay.rounded import Gather

_GRID_BITS = 36
_WIDTH = 32
"""Samples of the batch computed at once in double precision: bounds the memory beyond the result."""

Projection = Callable[[Tensor, int, int], Tensor]
"""From x `[T, B, I]`, the first result's index and the number of results to y `[length, B, O]`."""


@torch.no_grad()
def prepare(weight: Tensor, delay: Tensor, taps: Taps, sigma: float | None) -> Projection:
    """The projection by weight `[O, I]` and delay `[O or 1, I or 1]`, all that hangs on them worked out."""
    per_synapse = delay.shape == weight.shape and min(weight.shape) > 1
    if per_synapse and sigma is None:
        return Gather(weight, delay, taps)
    grid = _grid(weight)
    if per_synapse:
        over_taps = _snap(kernel.build(weight.double(), delay.double(), taps, sigma), grid[:, None])
        part = partial(_synapses, over_taps=over_taps, grid=grid, low=taps.low)
    else:
        masses = kernel.masses(delay.double(), taps, sigma)
        part = partial(_axons if delay.shape[0] == 1 else _dendrites, masses=masses, low=taps.low)
        part.keywords["weight"] = _snap(weight.double(), grid[:, None])
    return partial(_in_parts, part, channels=weight.shape[:1])


@torch.no_grad()
def filter_channels(
    x: Tensor, delay: Tensor, taps: Taps, sigma: float | None, start: int, length: int
) -> Tensor:
    """Each channel of x `[T, B, *S]` filtered by its own delay: `[length, B, *S]`."""
    masses = kernel.masses(delay.double(), taps, sigma)

    def part(x: Tensor, start: int, length: int) -> Tensor:
        return temporal.convolve(x, masses, start - taps.low, length)

    return _in_parts(part, x, start, length, x.shape[2:])


def _in_parts(part: Projection, x: Tensor, start: int, length: int, channels: tuple[int, ...]) -> Tensor:
    """A projection applied to one part of the batch after the other in double precision."""
    out = x.new_empty(length, x.shape[1], *channels)
    for first in range(0, x.shape[1], _WIDTH):
        batch = slice(first, first + _WIDTH)
        out[:, batch] = part(x[:, batch].double().contiguous(), start, length)
    return out


def _axons(x: Tensor, start: int, length: int, *, weight: Tensor, masses: Tensor, low: int) -> Tensor:
    return _linear(temporal.convolve(x, masses[:, 0], start - low, length), weight)


def _dendrites(x: Tensor, start: int, length: int, *, weight: Tensor, masses: Tensor, low: int) -> Tensor:
    return temporal.convolve(_linear(x, weight), masses[:, :, 0], start - low, length)


def _synapses(x: Tensor, start: int, length: int, *, over_taps: Tensor, grid: Tensor, low: int) -> Tensor:
    if not _is_whole(x):
        return _step_by_step(x, over_taps, start - low, length)
    taps, outputs, inputs = over_taps.shape
    plan = choose(
        steps=len(x), start=start - low, length=length, batch=x.shape[1], inputs=inputs, outputs=outputs,
        taps=taps, gradients=False,
    )  # fmt: skip
    if plan.name == "direct":
        return direct.convolve(x, over_taps, start - low, length)
    return _snap(spectral.convolve(x, over_taps, start - low, length, plan.tiling), grid)


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    return linear(x, weight) if _is_whole(x) else _step_by_step(x, weight[None], 0, len(x))


def _step_by_step(x: Tensor, over_taps: Tensor, start: int, length: int) -> Tensor:
    """`direct.convolve` with the same products in the same order for every step."""
    taps, outputs, inputs = over_taps.shape
    matrix = over_taps.transpose(0, 1).reshape(outputs, taps * inputs)
    window, y = x.new_empty(x.shape[1], taps, inputs), x.new_empty(length, x.shape[1], outputs)
    for r in range(length):
        window.zero_()
        for j in range(taps):
            if 0 <= start + r - j < len(x):
                window[:, j] = x[start + r - j]
        y[r] = linear(window.flatten(1), matrix)
    return y


def _is_whole(x: Tensor) -> bool:
    return bool((x == x.round()).all())


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
