"""The delayed projection in the frequency domain, written as matrix products.

The discrete Fourier transform of a real sequence along time is a matrix of cosines and sines, so that
transforming `[T, B, I]` is one matrix product without any permutation. A product of two complex numbers takes
three real products (Gauss), and the sums around them are folded into the transform matrices. What remains is
bilinear:  y = S (A x * H k), where * is one real matrix product per row. Long sequences are cut into blocks
of outputs (overlap-save), and all blocks share the transformed kernel.

Shapes and conventions as in `direct`.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import pi

import torch
from torch import Tensor


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


def convolve(x: Tensor, kernel: Tensor, start: int, length: int, count: int) -> Tensor:
    """The result y `[length, B, O]`, computed in `count` blocks of time."""
    cut = layout(len(x), len(kernel), start, length, count)
    matrices = transform(cut, x)
    products = _multiply(spectrum(x, cut, matrices), kernel_spectrum(kernel, matrices).mT)
    y = x.new_empty(length, x.shape[1], kernel.shape[1])
    for j, block in enumerate(cut.blocks):
        out = y[block.first - start :][: block.rows].flatten(1)
        torch.mm(matrices.outputs[: block.rows], products[:, j].flatten(1), out=out)
    return y


def gradients(
    grad: Tensor, x: Tensor, kernel: Tensor, start: int, count: int, needs: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients to x and to the kernel from that of y, each only if needed."""
    cut = layout(len(x), len(kernel), start, len(grad), count)
    matrices = transform(cut, grad)
    products = _grad_spectrum(grad, cut, matrices)
    to_kernel = _to_kernel(products, spectrum(x, cut, matrices), matrices) if needs[1] else None
    if not needs[0]:
        return None, to_kernel
    spectra = _multiply(products, kernel_spectrum(kernel, matrices))
    to_x = torch.zeros_like(x)
    for j, block in enumerate(cut.blocks):
        columns = _columns(matrices, cut, block)
        to_x[block.low : block.high].flatten(1).addmm_(columns.T, spectra[:, j].flatten(1))
    return to_x, to_kernel


def spectrum(x: Tensor, cut: Layout, matrices: Transform) -> Tensor:
    """The spectra A x of all blocks, `[products, blocks, B, I]`."""
    out = x.new_empty(cut.products, len(cut.blocks), *x.shape[1:])
    for j, block in enumerate(cut.blocks):
        steps = x[block.low : block.high].flatten(1)
        torch.mm(_columns(matrices, cut, block), steps, out=out[:, j].flatten(1))
    return out


def kernel_spectrum(kernel: Tensor, matrices: Transform) -> Tensor:
    """The spectra H k, `[products, O, I]`."""
    return torch.mm(matrices.taps, kernel.flatten(1)).view(-1, *kernel.shape[1:])


def _grad_spectrum(grad: Tensor, cut: Layout, matrices: Transform) -> Tensor:
    out = grad.new_empty(cut.products, len(cut.blocks), *grad.shape[1:])
    start = cut.blocks[0].first
    for j, block in enumerate(cut.blocks):
        rows = grad[block.first - start :][: block.rows].flatten(1)
        torch.mm(matrices.outputs[: block.rows].T, rows, out=out[:, j].flatten(1))
    return out


def _to_kernel(products: Tensor, spectra: Tensor, matrices: Transform) -> Tensor:
    pairs: Tensor = torch.bmm(products.flatten(1, 2).mT, spectra.flatten(1, 2))
    return torch.mm(matrices.taps.T, pairs.flatten(1)).view(-1, *pairs.shape[1:])


def _multiply(spectra: Tensor, matrix: Tensor) -> Tensor:
    product: Tensor = torch.bmm(spectra.flatten(1, 2), matrix)
    return product.view(len(product), *spectra.shape[1:3], -1)


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
