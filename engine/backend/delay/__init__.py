"""Delayed projections: every synapse delays and smears its input in time, with gradients to weight and delay.

    y[t, b, o] = sum_i sum_k  W[o, i] g(k - d[o, i])  x[t - k, b, i],      k in taps.low .. taps.high

`delayed_linear` is the projection, `delay_filter` the same filter for every channel on its own. Formulations
(tap by tap, frequency domain) give the same numbers; `choose` picks the cheapest from the shapes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from engine.backend.delay import direct, kernel, spectral, temporal
from engine.backend.delay import exact as _exact
from engine.backend.delay.cost import Plan, choose
from engine.backend.delay.kernel import Taps, whole

__all__ = ["FrozenLinear", "Plan", "Taps", "choose", "delay_filter", "delayed_linear", "whole"]


def delayed_linear(
    x: Tensor,
    weight: Tensor,
    delay: Tensor,
    *,
    taps: Taps,
    sigma: float | None,
    history: Tensor | None = None,
    extend: int = 0,
    exact: bool = False,
) -> Tensor:
    """Project x `[T, B, I]` by weight `[O, I]`, delayed: `[T + extend, B, O]`.

    `delay`, in steps, has shape `[O, I]` (per synapse), `[1, I]` (axonal), `[O, 1]` (dendritic) or `[1, 1]`
    (one per projection). `sigma` None rounds it to one tap (clamped to the taps, halves to the even step; no
    gradient to the delay). `history` `[taps.high, B, I]` holds the steps before x, zeros if None; `extend`
    adds the steps after x in which delayed input still arrives. `exact` computes without gradients, in double
    precision, the same to the bit however the sequence is cut. Raises ValueError for shapes that do not fit.
    """
    if exact:
        return FrozenLinear(weight, delay, taps=taps, sigma=sigma)(x, history=history, extend=extend)
    delay = _per_matrix(delay, weight)
    full = _with_history(x.to(weight.dtype), history, taps, weight.shape[1:])
    window = taps, sigma, len(full) - len(x), len(x) + extend
    with torch.autocast(x.device.type, enabled=False):
        if delay.shape == weight.shape and min(weight.shape) > 1:
            return _apply(_DelayedLinear, full, weight, delay, *window)
        if delay.shape[0] == 1:
            return linear(_apply(_DelayFilter, full, delay[0], *window), weight)
        return _apply(_DelayFilter, linear(full, weight), delay[:, 0], *window)


class FrozenLinear:
    """`delayed_linear(..., exact=True)` for many calls: the work on weight and delay is done once.

    Later changes of the tensors are not seen.
    """

    def __init__(self, weight: Tensor, delay: Tensor, *, taps: Taps, sigma: float | None) -> None:
        self._taps, self._inputs, self._dtype = taps, weight.shape[1:], weight.dtype
        self._project = _exact.prepare(weight.detach(), _per_matrix(delay.detach(), weight), taps, sigma)

    @torch.no_grad()
    def __call__(self, x: Tensor, *, history: Tensor | None = None, extend: int = 0) -> Tensor:
        """Project x `[T, B, I]` to `[T + extend, B, O]`."""
        full = _with_history(x.to(self._dtype), history, self._taps, self._inputs)
        with torch.autocast(x.device.type, enabled=False):
            return self._project(full, len(full) - len(x), len(x) + extend)


def delay_filter(
    x: Tensor,
    delay: Tensor,
    *,
    taps: Taps,
    sigma: float | None,
    history: Tensor | None = None,
    extend: int = 0,
    exact: bool = False,
) -> Tensor:
    """Filter every channel of x `[T, B, *S]` by its own delay (broadcastable to S): `[T + extend, B, *S]`.

    All else as in `delayed_linear`, with `history` `[taps.high, B, *S]`.
    """
    _check_delay(delay, x.shape[2:])
    full = _with_history(x.to(delay.dtype), history, taps, x.shape[2:])
    start, length = len(full) - len(x), len(x) + extend
    if exact:
        return _exact.filter_channels(full, delay, taps, sigma, start, length)
    return _apply(_DelayFilter, full, delay, taps, sigma, start, length)


class _DelayedLinear(Function):
    """The projection with a delay per synapse; the kernel over taps is rebuilt in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        delay: Tensor,
        taps: Taps,
        sigma: float | None,
        start: int,
        length: int,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, delay)
        ctx.taps, ctx.sigma, ctx.start = taps, sigma, start - taps.low
        ctx.plan = choose(
            steps=len(x), start=ctx.start, length=length, batch=x.shape[1], inputs=x.shape[2],
            outputs=weight.shape[0], taps=taps.count, gradients=any(ctx.needs_input_grad),
        )  # fmt: skip
        over_taps = kernel.build(weight, delay, taps, sigma)
        if ctx.plan.name == "direct":
            return direct.convolve(x, over_taps, ctx.start, length)
        return spectral.convolve(x, over_taps, ctx.start, length, ctx.plan.tiling)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, delay = ctx.saved_tensors
        needs = ctx.needs_input_grad[0], any(ctx.needs_input_grad[1:3])
        over_taps = kernel.build(weight, delay, ctx.taps, ctx.sigma)
        grad = grad.contiguous()
        if ctx.plan.name == "direct":
            to_x, to_taps = direct.gradients(grad, x, over_taps, ctx.start, needs)
        else:
            to_x, to_taps = spectral.gradients(grad, x, over_taps, ctx.start, ctx.plan.tiling, needs)
        if to_taps is None:
            return to_x, None, None, None, None, None, None
        pair = kernel.gradients(to_taps, weight, delay, ctx.taps, ctx.sigma)
        return to_x, *pair, None, None, None, None


class _DelayFilter(Function):
    """The temporal filter of every channel, with the delay of its shape."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, delay: Tensor, taps: Taps, sigma: float | None, start: int, length: int
    ) -> Tensor:
        ctx.save_for_backward(x, delay)
        ctx.taps, ctx.sigma, ctx.start = taps, sigma, start - taps.low
        return temporal.convolve(x, kernel.masses(delay, taps, sigma), ctx.start, length)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, delay = ctx.saved_tensors
        to_x = to_delay = None
        masses = kernel.masses(delay, ctx.taps, ctx.sigma)
        if ctx.needs_input_grad[0]:
            to_x = temporal.to_input(grad, masses, ctx.start, len(x))
        if ctx.needs_input_grad[1] and ctx.sigma is not None:
            to_taps = temporal.to_kernel(grad, x, masses, ctx.start)
            to_delay = kernel.gradients(to_taps, torch.ones_like(delay), delay, ctx.taps, ctx.sigma)[1]
        return to_x, to_delay, None, None, None, None


def _apply(function: type[Function], x: Tensor, *arguments: Any) -> Tensor:
    result: Tensor = function.apply(x.contiguous(), *arguments)
    return result


def _with_history(x: Tensor, history: Tensor | None, taps: Taps, channels: tuple[int, ...]) -> Tensor:
    if x.shape[2:] != channels:
        raise ValueError(f"input {tuple(x.shape)} should be [time, batch, {', '.join(map(str, channels))}]")
    if history is None:
        return x
    if history.shape != (taps.high, *x.shape[1:]):
        raise ValueError(f"history {tuple(history.shape)} should be {(taps.high, *x.shape[1:])}")
    return torch.cat([history.to(x.dtype), x])


def _per_matrix(delay: Tensor, weight: Tensor) -> Tensor:
    _check_delay(delay, weight.shape)
    return delay.reshape((1,) * (2 - delay.ndim) + delay.shape)


def _check_delay(delay: Tensor, shape: torch.Size) -> None:
    fits = delay.ndim <= len(shape) and all(
        mine in (1, theirs) for mine, theirs in zip(delay.shape[::-1], shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(f"delay {tuple(delay.shape)} does not broadcast to {tuple(shape)}")
