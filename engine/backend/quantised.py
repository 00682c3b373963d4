"""Quantised tensors and state in a running network: grid values forward, straight-through gradients backward.

Weights, neuron parameters and delays are put on their grids (``engine.export.quantise``) where an op reads
them: in training the grids follow the tensors at every step, in evaluation they stay until the tensors
change.  State is rounded after every step, on a grid whose range has been measured (``Rounding``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engine.errors import MyelinError
from engine.export.quantise import COUNTERS, Grid, Quantisation, grids, range_grid, weight_grid
from engine.program import Op
from nodes import spec

MOMENTUM = 0.1  # weight of a new batch in the range of the state, while training
Ranges = dict[str, float]  # of the state of one op: the largest value of every variable
SAMPLED = 256  # values of the state that are looked at in a step


class _Straight(torch.autograd.Function):
    """Nearest grid point forward; backward the gradient as it is, none beyond the ends of the grid."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, low: int, high: int, offset: float) -> Tensor:
        q = torch.round((x - offset) * (1 / scale))
        ctx.save_for_backward((q >= low) & (q <= high))
        return offset + q.clamp(low, high) * scale

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (inside,) = ctx.saved_tensors
        return grads[0] * inside, None, None, None, None


def straight(x: Tensor, grid: Grid) -> Tensor:
    """``grid.rounded(x)``, to the bit, with straight-through gradients (Bengio et al., arXiv 1308.3432)."""
    scale = torch.as_tensor(grid.scale, dtype=x.dtype, device=x.device)
    found: Tensor = _Straight.apply(x, scale, grid.low, grid.high, grid.offset)  # type: ignore[no-untyped-call]
    return found


def read(
    q: Quantisation, op: Op, specs: Mapping[str, spec.Tensor], own: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors of an op as its step reads them."""
    if not (q.weights or q.neurons or q.delays):
        return own
    plain = {name: tensor.detach().cpu().numpy() for name, tensor in own.items()}
    found = grids(q, op, specs, plain)
    return {name: straight(x, found[name]) if name in found else x for name, x in own.items()}


class Rounding:
    """Rounds what a population keeps from one step to the next.

    ``ranges``: the largest value of every variable; one without a range is left as it is.  Where ``watching``
    it samples the state before rounding, and knows the ranges with the least squared error.
    """

    def __init__(self, bits: int, ranges: Ranges, watching: bool) -> None:
        self._bits, self._watching = bits, watching
        self._grids = {name: range_grid(largest, bits) for name, largest in ranges.items()}
        self._samples: dict[str, list[Tensor]] = {}

    def __call__(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The state to keep."""
        return {name: x if name in COUNTERS else self._kept(name, x) for name, x in state.items()}

    def _kept(self, name: str, x: Tensor) -> Tensor:
        if self._watching:
            self._look(name, x.detach().flatten())
        return straight(x, self._grids[name]) if name in self._grids else x

    def _look(self, name: str, values: Tensor) -> None:
        """Keep some values, and in the first place the largest of all."""
        reached, samples = values.abs().amax()[None], self._samples.setdefault(name, [])
        # an odd distance, so that samples of a power of two of neurons do not meet the same ones again
        some = values[:: values.numel() // SAMPLED | 1]
        if samples:
            samples[0] = torch.maximum(samples[0], reached)
            samples.append(some)
        else:
            samples += [reached, some]

    def ranges(self) -> Ranges:
        """The ranges that would have suited what was seen."""
        grids = {
            name: weight_grid(torch.cat(seen).cpu().numpy(), self._bits)
            for name, seen in self._samples.items()
        }
        return {name: float(grid.scale) * grid.high for name, grid in grids.items()}


def rounding(q: Quantisation, op: Op, ranges: Ranges, *, watching: bool) -> Rounding | None:
    """What rounds the state of an op; None where nothing does.

    MyelinError where the state is to be rounded, its range is not known, and nobody is watching for it.
    """
    names = [] if op.role != "population" else [n for n in op.spec.state_of(op.p) if n not in COUNTERS]
    if not (q.state and names):
        return None
    if not watching and set(names) - set(ranges):
        raise MyelinError(
            f"the state of '{op.name}' is to be rounded to {q.state} bits, but nobody has measured yet how"
            " large it gets: train with quantise_state, use `myelin quantise --state-bits`, or set"
            " quantise_state to 0"
        )
    return Rounding(q.state, ranges, watching)


def followed(ranges: Ranges, seen: Ranges) -> Ranges:
    """The ranges after a batch of training: their moving mean."""
    return {n: ranges[n] + MOMENTUM * (x - ranges[n]) if n in ranges else x for n, x in seen.items()}
