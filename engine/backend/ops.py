"""The maths protocol in torch, with surrogate gradients and sums that do not depend on chunking."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nodes.ops import Array, Sparse
from nodes.surrogates import SURROGATES


class _Spike(torch.autograd.Function):
    """Heaviside forward, named surrogate derivative backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strict: bool, surrogate: str, alpha: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.surrogate, ctx.alpha = surrogate, alpha
        return ((x > 0) if strict else (x >= 0)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        return grads[0] * SURROGATES[ctx.surrogate](OPS, x, ctx.alpha), None, None, None


class TorchOps:
    """``nodes.ops.Ops`` on torch tensors.

    ``exact``: sums over synapses are taken in float64 and rounded once, so that they come out the same
    whatever shape the library sees (chunk invariance); training takes them in the tensors' own precision.
    """

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact

    tanh = staticmethod(torch.tanh)
    sigmoid = staticmethod(torch.sigmoid)
    floor = staticmethod(torch.floor)
    abs = staticmethod(torch.abs)

    @staticmethod
    def exp(x: Array) -> Array:
        return torch.exp(x) if isinstance(x, Tensor) else math.exp(x)

    @staticmethod
    def log(x: Array) -> Array:
        return torch.log(x) if isinstance(x, Tensor) else math.log(x)

    @staticmethod
    def sqrt(x: Array) -> Array:
        return torch.sqrt(x) if isinstance(x, Tensor) else math.sqrt(x)

    @staticmethod
    def minimum(a: Array, b: Array) -> Array:
        return torch.minimum(*_tensors(a, b))

    @staticmethod
    def maximum(a: Array, b: Array) -> Array:
        return torch.maximum(*_tensors(a, b))

    @staticmethod
    def where(condition: Tensor, a: Array, b: Array) -> Array:
        return torch.where(condition, a, b)

    @staticmethod
    def cast(condition: Tensor) -> Array:
        return condition.float()

    @staticmethod
    def detach(x: Tensor) -> Array:
        return x.detach()

    @staticmethod
    def spike(x: Tensor, strict: bool, surrogate: str, alpha: float) -> Array:
        return _Spike.apply(x, strict, surrogate, alpha)  # type: ignore[no-untyped-call]

    @staticmethod
    def sum(x: Tensor, rank: int) -> Array:
        return x.sum(dim=tuple(range(-rank, 0)))

    @staticmethod
    def softmax(x: Tensor) -> Array:
        return torch.softmax(x, -1)

    @staticmethod
    def log_softmax(x: Tensor) -> Array:
        return torch.log_softmax(x, -1)

    @staticmethod
    def reshape(x: Tensor, rank: int, shape: tuple[int, ...]) -> Array:
        return x.reshape(*x.shape[: x.ndim - rank], *shape)

    def linear(self, x: Tensor, weight: Any) -> Array:
        if isinstance(weight, Sparse):
            return _sparse_linear(x, weight, self.exact)
        return F.linear(x.double(), weight.double()).to(x.dtype) if self.exact else F.linear(x, weight)

    def conv(self, x: Tensor, weight: Tensor, stride: int, padding: int) -> Array:
        rank = weight.ndim - 2
        lead = x.shape[: x.ndim - rank - 1]
        function = {1: F.conv1d, 2: F.conv2d}[rank]
        flat = x.reshape(-1, *x.shape[-rank - 1 :])
        if self.exact:
            y = function(flat.double(), weight.double(), stride=stride, padding=padding).to(x.dtype)
        else:
            y = function(flat, weight, stride=stride, padding=padding)
        return y.reshape(*lead, *y.shape[1:])

    @staticmethod
    def pool(x: Tensor, window: int, rank: int, mode: str) -> Array:
        lead = x.shape[: x.ndim - rank]
        average, largest = {1: (F.avg_pool1d, F.max_pool1d), 2: (F.avg_pool2d, F.max_pool2d)}[rank]
        flat = x.reshape(-1, 1, *x.shape[x.ndim - rank :])
        y = largest(flat, window) if mode == "max" else average(flat, window)
        return (y * window**rank if mode == "sum" else y).reshape(*lead, *y.shape[2:])

    @staticmethod
    def batch_norm(x: Tensor, rank: int, p: Any, training: bool) -> Array:
        shape = (-1, *[1] * (rank - 1))
        if not training:
            scale = p.gamma / torch.sqrt(p.var + p.eps)
            return (x - p.mean.reshape(shape)) * scale.reshape(shape) + p.beta.reshape(shape)
        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            return _shared_batch_norm(x, rank, p)
        lead = x.shape[: x.ndim - rank]
        flat = x.reshape(-1, *x.shape[x.ndim - rank :])
        y = F.batch_norm(flat, p.mean, p.var, p.gamma, p.beta, True, p.momentum, p.eps)
        return y.reshape(*lead, *y.shape[1:])


def _tensors(a: Array, b: Array) -> tuple[Tensor, Tensor]:
    like = a if isinstance(a, Tensor) else b
    first, second = (
        v if isinstance(v, Tensor) else torch.full((), v, dtype=like.dtype, device=like.device)
        for v in (a, b)
    )
    return first, second


def _sparse_linear(x: Tensor, weight: Sparse, exact: bool) -> Tensor:
    """``[..., in] -> [..., out]`` without a dense matrix."""
    dtype = torch.float64 if exact else x.dtype
    flat = x.reshape(-1, x.shape[-1])
    index = torch.stack([weight.post, weight.pre])
    values = weight.weight.to(dtype)
    matrix = torch.sparse_coo_tensor(index, values, weight.shape, check_invariants=False)
    y: Tensor = torch.sparse.mm(matrix, flat.to(dtype).T).T
    return y.to(x.dtype).reshape(*x.shape[:-1], weight.shape[0])


def _shared_batch_norm(x: Tensor, rank: int, p: Any) -> Tensor:
    """Batch norm over the batches of all processes: the statistics of one process with the whole batch."""
    from torch.distributed.nn.functional import all_reduce

    channel = x.ndim - rank
    others = [i for i in range(x.ndim) if i != channel]
    count = torch.tensor(float(x.numel() // x.shape[channel]), dtype=torch.float64)
    sums = torch.cat([x.double().sum(others), x.double().square().sum(others), count[None]])
    total = all_reduce(sums)
    channels = x.shape[channel]
    n = total[-1].detach()
    mean, square = total[:channels] / n, total[channels:-1] / n
    var = square - mean.square()
    with torch.no_grad():
        p.mean.lerp_(mean.to(x.dtype), p.momentum)
        p.var.lerp_((var * n / (n - 1)).to(x.dtype), p.momentum)
    shape = (-1, *[1] * (rank - 1))
    scale = p.gamma / torch.sqrt(var + p.eps).to(x.dtype)
    y: Tensor = (x - mean.to(x.dtype).reshape(shape)) * scale.reshape(shape) + p.beta.reshape(shape)
    return y


OPS = TorchOps()
EXACT = TorchOps(exact=True)
