"""The temporal filter of every channel on its own, tap by tap.

Shapes: x `[T, B, *S]`, kernel `[taps, *K]` with K broadcastable to S, result `[length, B, *S]` with
y[r] = sum_j kernel[j] * x[start + r - j], x being zero outside its T steps.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

_CACHED = 1 << 17
"""Numbers handled at once, so that all taps of a stretch of time find it in the second-level cache."""


def convolve(x: Tensor, kernel: Tensor, start: int, length: int) -> Tensor:
    """The result y, see above."""
    y = x.new_zeros(length, *x.shape[1:])
    for j, inputs, outputs in _shifts(x, len(kernel), start, length):
        y[outputs].addcmul_(x[inputs], kernel[j])
    return y


def to_input(grad: Tensor, kernel: Tensor, start: int, steps: int) -> Tensor:
    """The gradient to x (`steps` long) from that of y: the same filter run backwards in time."""
    taps = len(kernel)
    return convolve(grad, kernel.flip(0), taps - 1 - start, steps)


def to_kernel(grad: Tensor, x: Tensor, kernel: Tensor, start: int) -> Tensor:
    """The gradient to the kernel from that of y."""
    out = torch.zeros_like(kernel)
    for j, inputs, outputs in _shifts(x, len(kernel), start, len(grad)):
        out[j] += (grad[outputs] * x[inputs]).sum((0, 1)).sum_to_size(kernel.shape[1:])
    return out


def _shifts(x: Tensor, taps: int, start: int, length: int) -> Iterator[tuple[int, slice, slice]]:
    """For each stretch of outputs and each tap that touches it: tap, input steps, output steps."""
    rows = max(1, _CACHED // max(1, x[0].numel() if len(x) else 1))
    for first in range(0, length, rows):
        last = min(first + rows, length)
        for j in range(taps):
            low, high = max(0, start + first - j), min(len(x), start + last - j)
            if low < high:
                yield j, slice(low, high), slice(low + j - start, high + j - start)
