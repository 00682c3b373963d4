"""The delayed projection in the frequency domain, written as matrix products.

The discrete Fourier transform of a real sequence along time is a matrix of cosines and sines, so that
transforming `[T, B, I]` is one matrix product without any permutation. A product of two complex numbers takes
three real products (Gauss), and the sums around them are folded into the transform matrices. What remains is
bilinear:  y = S (A x * H k), where * is one real matrix product per row. Long sequences are cut into blocks
of outputs (overlap-save), and all blocks share the transformed kernel.

Shapes and conventions as in `direct`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import NamedTuple

import torch
from torch import Tensor

from engine.backend.delay.workspace import scratch, view

_STRIP = 4096
"""Columns that one thread transforms at once; several threads share all, as starting them costs more."""


class Tiling(NamedTuple):
    """The blocks of time, and the samples of the batch that are worked on together."""

    blocks: int
    width: int


@dataclass(frozen=True)
class Block:
    """Outputs `first..first+rows`, which need the inputs `low..high` (steps of x, half open)."""

    first: int
    rows: int
    low: int
    high: int


@dataclass(frozen=True)
class Layout:
    """How a sequence is cut: the blocks, and the period of their common transform."""

    blocks: tuple[Block, ...]
    size: int
    taps: int
    period: int

    @property
    def products(self) -> int:
        """The real matrix products per block: three per frequency, one for each of the real frequencies."""
        return 3 * ((self.period - 1) // 2) + 2 - self.period % 2


@dataclass(frozen=True)
class Transform:
    """The matrices A `[products, taps - 1 + size]`, H `[products, taps]` and S `[size, products]`."""

    inputs: Tensor
    taps: Tensor
    outputs: Tensor


@lru_cache(maxsize=256)
def layout(steps: int, taps: int, start: int, length: int, count: int) -> Layout:
    """Cut `length` outputs into `count` blocks, with the shortest period that wraps nothing onto them."""
    size = -(-length // count)
    blocks = []
    for first in range(start, start + length, size):
        rows = min(size, start + length - first)
        low = min(max(first - taps + 1, 0), steps)
        blocks.append(Block(first, rows, low, min(max(first + rows, low), steps)))
    reach = [max(b.high + taps - 1 - b.first, b.first + b.rows - b.low) for b in blocks if b.high > b.low]
    return Layout(tuple(blocks), size, taps, max(reach, default=1))


def transform(cut: Layout, like: Tensor) -> Transform:
    """The transform matrices of a layout in the type and on the device of `like`."""
    return _transform(cut.period, cut.taps, cut.size, like.dtype, like.device)


def convolve(x: Tensor, kernel: Tensor, start: int, length: int, tiling: Tiling) -> Tensor:
    """The result y `[length, B, O]`."""
    cut = layout(len(x), len(kernel), start, length, tiling.blocks)
    matrices = transform(cut, x)
    y = x.new_empty(length, x.shape[1], kernel.shape[1])
    with scratch(x, *_sizes(cut, kernel, tiling)) as (taps, spectra, products):
        over_taps = view(taps, cut.products, *kernel.shape[1:])
        _product(matrices.taps, kernel, over_taps)
        for batch in _batches(x, tiling):
            spectrum, product = _views(cut, (spectra, x[:, batch]), (products, y[:, batch]))
            _analyse(x[:, batch], cut, matrices, spectrum)
            torch.bmm(spectrum.flatten(1, 2), over_taps.mT, out=product.flatten(1, 2))
            _synthesise(product, cut, matrices, y[:, batch])
    return y


def gradients(
    grad: Tensor, x: Tensor, kernel: Tensor, start: int, tiling: Tiling, needs: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients to x and to the kernel from that of y, each only if needed."""
    cut = layout(len(x), len(kernel), start, len(grad), tiling.blocks)
    matrices = transform(cut, grad)
    to_x = torch.zeros_like(x) if needs[0] else None
    to_kernel = torch.empty_like(kernel) if needs[1] else None
    size = _sizes(cut, kernel, tiling)
    with scratch(grad, *size, size[0] if needs[1] else 0) as (taps, spectra, products, sums):
        over_taps = view(taps, cut.products, *kernel.shape[1:])
        if to_x is not None:
            _product(matrices.taps, kernel, over_taps)
        for batch in _batches(x, tiling):
            spectrum, product = _views(cut, (spectra, x[:, batch]), (products, grad[:, batch]))
            _analyse_grad(grad[:, batch], cut, matrices, product)
            if to_kernel is not None:
                _analyse(x[:, batch], cut, matrices, spectrum)
                pairs = view(sums, *over_taps.shape)
                later = 1.0 if batch.start else 0.0
                pairs.baddbmm_(product.flatten(1, 2).mT, spectrum.flatten(1, 2), beta=later)
            if to_x is not None:
                torch.bmm(product.flatten(1, 2), over_taps, out=spectrum.flatten(1, 2))
                _synthesise_grad(spectrum, cut, matrices, to_x[:, batch])
        if to_kernel is not None:
            _product(matrices.taps.T, pairs, to_kernel)
    return to_x, to_kernel


def _sizes(cut: Layout, kernel: Tensor, tiling: Tiling) -> tuple[int, int, int]:
    """The sizes of the kernel's, the input's and the output's spectra."""
    _, outputs, inputs = kernel.shape
    rows = cut.products * len(cut.blocks) * tiling.width
    return cut.products * outputs * inputs, rows * inputs, rows * outputs


def _batches(x: Tensor, tiling: Tiling) -> Iterator[slice]:
    for first in range(0, x.shape[1], tiling.width):
        yield slice(first, min(first + tiling.width, x.shape[1]))


def _views(cut: Layout, *pairs: tuple[Tensor, Tensor]) -> list[Tensor]:
    return [view(flat, cut.products, len(cut.blocks), *like.shape[1:]) for flat, like in pairs]


def _analyse(x: Tensor, cut: Layout, matrices: Transform, out: Tensor) -> None:
    for j, block in enumerate(cut.blocks):
        _product(_columns(matrices, cut, block), x[block.low : block.high], out[:, j])


def _synthesise(products: Tensor, cut: Layout, matrices: Transform, out: Tensor) -> None:
    for j, rows in enumerate(_rows(cut)):
        _product(matrices.outputs[: rows.stop - rows.start], products[:, j], out[rows])


def _analyse_grad(grad: Tensor, cut: Layout, matrices: Transform, out: Tensor) -> None:
    for j, rows in enumerate(_rows(cut)):
        _product(matrices.outputs[: rows.stop - rows.start].T, grad[rows], out[:, j])


def _synthesise_grad(spectra: Tensor, cut: Layout, matrices: Transform, out: Tensor) -> None:
    for j, block in enumerate(cut.blocks):
        _product(_columns(matrices, cut, block).T, spectra[:, j], out[block.low : block.high], add=True)


def _product(matrix: Tensor, source: Tensor, out: Tensor, add: bool = False) -> None:
    """out = matrix source over the first axis, all other axes being columns, in strips that fit the cache."""
    columns = source.shape[1:].numel()
    strip = _STRIP if torch.get_num_threads() == 1 else max(1, columns)
    source, out = source.view(len(source), columns), out.view(len(out), columns)
    for first in range(0, columns, strip):
        part = slice(first, first + strip)
        if add:
            out[:, part].addmm_(matrix, source[:, part])
        else:
            torch.mm(matrix, source[:, part], out=out[:, part])


def _rows(cut: Layout) -> list[slice]:
    """The results of every block, counted from the first result."""
    start = cut.blocks[0].first
    return [slice(block.first - start, block.first - start + block.rows) for block in cut.blocks]


def _columns(matrices: Transform, cut: Layout, block: Block) -> Tensor:
    """The columns of A for the inputs of a block; column taps - 1 stands for its first output's step."""
    origin = block.first - cut.taps + 1
    return matrices.inputs[:, block.low - origin : block.high - origin]


@lru_cache(maxsize=64)
def _transform(period: int, taps: int, size: int, dtype: torch.dtype, device: torch.device) -> Transform:
    with torch.inference_mode(False):
        matrices = (
            _analysis(period, torch.arange(1 - taps, size)),
            _taps(period, torch.arange(taps)),
            _synthesis(period, torch.arange(size)),
        )
        return Transform(*(m.to(device, dtype).contiguous() for m in matrices))


def _waves(period: int, steps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The real rows (frequency 0, and the highest of an even period), then cosine and -sine of the others."""
    middle = torch.arange(1, (period + 1) // 2)
    ends = torch.tensor([0, period // 2] if period % 2 == 0 else [0])
    turns = (torch.outer(f, steps).remainder(period).double() / period for f in (ends, middle))
    real, paired = (2 * pi * turn for turn in turns)
    return real.cos(), paired.cos(), -paired.sin()


def _analysis(period: int, steps: Tensor) -> Tensor:
    real, cos, sin = _waves(period, steps)
    return torch.cat([real, cos, sin, cos + sin])


def _taps(period: int, steps: Tensor) -> Tensor:
    real, cos, sin = _waves(period, steps)
    return torch.cat([real, sin - cos, cos + sin, cos])


def _synthesis(period: int, steps: Tensor) -> Tensor:
    """Undo: of the products p, q, r of a frequency, r - q is the real, r + p the imaginary part."""
    real, cos, sin = _waves(period, steps)
    return torch.cat([real, 2 * sin, -2 * cos, 2 * (cos + sin)]).T / period
