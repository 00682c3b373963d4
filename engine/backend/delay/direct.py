"""The delayed projection tap by tap: one shifted matrix product per tap.

Shapes: x `[T, B, I]`, kernel `[taps, O, I]`, result `[length, B, O]` with
y[r] = sum_j kernel[j] x[start + r - j], x being zero outside its T steps.
"""

from collections.abc import Iterator

import torch
from torch import Tensor


def convolve(x: Tensor, kernel: Tensor, start: int, length: int) -> Tensor:
    """The result y, see above."""
    y = x.new_zeros(length, x.shape[1], kernel.shape[1])
    for j, inputs, outputs in _shifts(len(x), len(kernel), start, length):
        y[outputs].flatten(0, 1).addmm_(x[inputs].flatten(0, 1), kernel[j].T)
    return y


def gradients(
    grad: Tensor, x: Tensor, kernel: Tensor, start: int, needs: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients to x and to the kernel from that of y, each only if needed."""
    to_x = _to_input(grad, kernel, start, len(x)) if needs[0] else None
    return to_x, _to_kernel(grad, x, start, len(kernel)) if needs[1] else None


def _to_input(grad: Tensor, kernel: Tensor, start: int, steps: int) -> Tensor:
    """The gradient to x (`steps` long) from that of y."""
    out = grad.new_zeros(steps, grad.shape[1], kernel.shape[2])
    for j, inputs, outputs in _shifts(steps, len(kernel), start, len(grad)):
        out[inputs].flatten(0, 1).addmm_(grad[outputs].flatten(0, 1), kernel[j])
    return out


def _to_kernel(grad: Tensor, x: Tensor, start: int, taps: int) -> Tensor:
    """The gradient to the kernel of `taps` taps from that of y."""
    out = grad.new_zeros(taps, grad.shape[2], x.shape[2])
    for j, inputs, outputs in _shifts(len(x), taps, start, len(grad)):
        torch.mm(grad[outputs].flatten(0, 1).T, x[inputs].flatten(0, 1), out=out[j])
    return out


def _shifts(steps: int, taps: int, start: int, length: int) -> Iterator[tuple[int, slice, slice]]:
    """For each tap that touches the result: the tap, the input steps, the output steps."""
    for j in range(taps):
        low, high = max(0, start - j), min(steps, start + length - j)
        if low < high:
            yield j, slice(low, high), slice(low + j - start, high + j - start)
