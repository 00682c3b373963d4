"""The small maths protocol in which step equations are written, and its numpy reference.

Arrays carry leading axes (``[batch, *shape]`` for one step, ``[time, batch, *shape]`` for a whole
sequence); every operation acts on trailing axes only, so the same equation serves both.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Array = Any  # a numpy array, a torch tensor, a traced expression or a plain number


class Ops(Protocol):
    """What a step equation may use besides ``+ - * / ** < <= > >= &`` on arrays."""

    def exp(self, x: Array) -> Array: ...
    def log(self, x: Array) -> Array: ...
    def sqrt(self, x: Array) -> Array: ...
    def abs(self, x: Array) -> Array: ...
    def tanh(self, x: Array) -> Array: ...
    def sigmoid(self, x: Array) -> Array: ...
    def floor(self, x: Array) -> Array: ...
    def minimum(self, a: Array, b: Array) -> Array: ...
    def maximum(self, a: Array, b: Array) -> Array: ...
    def where(self, condition: Array, a: Array, b: Array) -> Array: ...
    def cast(self, condition: Array) -> Array:
        """Turn a comparison into 0.0 and 1.0."""

    def detach(self, x: Array) -> Array:
        """Pass the value and stop the gradient."""

    def spike(self, x: Array, strict: bool, surrogate: str, alpha: float) -> Array:
        """1.0 where ``x > 0`` (strict) or ``x >= 0``; backward uses the named surrogate derivative."""

    def sum(self, x: Array, rank: int) -> Array:
        """Sum over the last ``rank`` axes."""

    def softmax(self, x: Array) -> Array:
        """Softmax over the last axis."""

    def log_softmax(self, x: Array) -> Array:
        """Log of the softmax over the last axis."""

    def reshape(self, x: Array, rank: int, shape: tuple[int, ...]) -> Array:
        """Give the last ``rank`` axes another shape."""

    def linear(self, x: Array, weight: Array) -> Array:
        """``[..., in] x [out, in] -> [..., out]``; a sparse weight is a ``Sparse``."""

    def conv(self, x: Array, weight: Array, stride: int, padding: int) -> Array:
        """Cross-correlation, ``[..., in, *space] x [out, in, *window] -> [..., out, *space']``."""

    def pool(self, x: Array, window: int, rank: int, mode: str) -> Array:
        """``sum``, ``mean`` or ``max`` over windows of the last ``rank`` axes, stride = window."""

    def batch_norm(self, x: Array, rank: int, p: Any, training: bool) -> Array:
        """Normalise per channel over every other axis; ``rank`` axes follow the leading ones, channel first.

        ``p`` holds ``gamma``, ``beta``, ``mean``, ``var``, ``eps`` and ``momentum``.
        """


class NumpyOps:
    """The reference implementation: slow, plain, without gradients."""

    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    sqrt = staticmethod(np.sqrt)
    abs = staticmethod(np.abs)
    tanh = staticmethod(np.tanh)
    floor = staticmethod(np.floor)
    minimum = staticmethod(np.minimum)
    maximum = staticmethod(np.maximum)

    @staticmethod
    def sigmoid(x: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-x))

    @staticmethod
    def where(condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, a, b).astype(np.float32)

    @staticmethod
    def cast(condition: Array) -> Array:
        return np.asarray(condition).astype(np.float32)

    @staticmethod
    def detach(x: Array) -> Array:
        return x

    @staticmethod
    def spike(x: Array, strict: bool, surrogate: str, alpha: float) -> Array:
        return ((x > 0) if strict else (x >= 0)).astype(np.float32)

    @staticmethod
    def sum(x: Array, rank: int) -> Array:
        return x.sum(axis=tuple(range(-rank, 0)))

    @staticmethod
    def softmax(x: Array) -> Array:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    @staticmethod
    def log_softmax(x: Array) -> Array:
        shifted = x - x.max(axis=-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    @staticmethod
    def reshape(x: Array, rank: int, shape: tuple[int, ...]) -> Array:
        return x.reshape(x.shape[: x.ndim - rank] + shape)

    @staticmethod
    def linear(x: Array, weight: Array) -> Array:
        # float64 sums rounded once: the result cannot depend on the order of summation
        dense = weight.dense() if isinstance(weight, Sparse) else weight
        return (x.astype(np.float64) @ dense.astype(np.float64).T).astype(np.float32)

    @staticmethod
    def conv(x: Array, weight: Array, stride: int, padding: int) -> Array:
        rank = weight.ndim - 2
        space = [(padding, padding)] * rank
        padded = np.pad(x.astype(np.float64), [(0, 0)] * (x.ndim - rank) + space)
        axes = tuple(range(-rank, 0))
        windows: Any = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axes)  # type: ignore[call-overload]
        strided = windows[(..., *[slice(None, None, stride)] * rank, *[slice(None)] * rank)]
        channel = strided.ndim - 2 * rank - 1
        taps = list(range(strided.ndim - rank, strided.ndim))
        summed = np.tensordot(
            strided, weight.astype(np.float64), ([channel, *taps], list(range(1, rank + 2)))
        )
        return np.moveaxis(summed, -1, -rank - 1).astype(np.float32)

    @staticmethod
    def pool(x: Array, window: int, rank: int, mode: str) -> Array:
        lead, space = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
        cropped = x[(..., *[slice(0, n // window * window) for n in space])]
        split = [part for n in space for part in (n // window, window)]
        axes = tuple(len(lead) + 2 * i + 1 for i in range(rank))
        return getattr(np, mode)(cropped.reshape(*lead, *split), axis=axes)

    @staticmethod
    def batch_norm(x: Array, rank: int, p: Any, training: bool) -> Array:
        channel = x.ndim - rank
        others = tuple(i for i in range(x.ndim) if i != channel)
        mean, var = (x.mean(axis=others), x.var(axis=others)) if training else (p.mean, p.var)
        shape = (-1, *[1] * (rank - 1))
        scale = p.gamma / np.sqrt(var + p.eps)
        return ((x - mean.reshape(shape)) * scale.reshape(shape) + p.beta.reshape(shape)).astype(np.float32)


class Sparse:
    """A weight matrix given by its synapses: ``weight[k]`` joins ``pre[k]`` to ``post[k]``."""

    def __init__(self, weight: Array, pre: Array, post: Array, shape: tuple[int, int]) -> None:
        self.weight, self.pre, self.post, self.shape = weight, pre, post, shape

    def dense(self) -> np.ndarray:
        """The same matrix as ``[out, in]``."""
        full = np.zeros(self.shape, np.float32)
        np.add.at(full, (np.asarray(self.post), np.asarray(self.pre)), np.asarray(self.weight))
        return full
