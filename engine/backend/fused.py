"""An op with state over a long sequence: its steps compiled into one loop, and another for the gradient.

Takes the place of ``Scan``'s Python loop in training on a CPU, where thousands of small steps cost more than
their arithmetic.  Its spikes are the same; gradients differ by rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from engine.codegen.expr import TraceError
from engine.codegen.gradient import NotElementwiseError
from engine.codegen.loop import Loops, loops
from engine.codegen.trace import trace
from engine.program import Op
from nodes.spec import Values

SEGMENT = 64  # steps between states kept for the backward pass; the steps between are run again
Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Compiled:
    """Loops, compiled at their first call."""

    loops: Loops
    forward: Callable[..., None]
    backward: Callable[..., None]


def compiled(op: Op, wanted: tuple[str, ...], dt: float) -> Compiled | None:
    """The loops of an op's steps; None where they cannot be written as loops over single elements."""
    given = Values({name: op.p[name] for name in op.spec.params})
    try:
        return _compile(loops(trace(op.spec, given, dt, dict(op.shapes), training=True), wanted))
    except (TraceError, NotElementwiseError):
        return None


@lru_cache(maxsize=64)
def _compile(made: Loops) -> Compiled:
    import numba  # takes a second to import, and short sequences do without

    space: dict[str, Any] = {"np": np, "f4": np.float32}
    exec(made.source, space)
    forward, backward = (numba.njit(nogil=True)(space[name]) for name in ("forward", "backward"))
    return Compiled(made, forward, backward)


def run(
    kernel: Compiled, columns: Mapping[str, Tensor], state: Tensors, p: Values
) -> tuple[Tensors, Tensors]:
    """(state after, outputs) of all steps of ``columns``; signals are ``[steps, batch, *shape]``."""
    made = kernel.loops
    signal = columns[made.inputs[0]]
    shape = signal.shape[2:]
    own = [torch.as_tensor(p[name], dtype=signal.dtype).expand(shape) for name in made.coefficients]
    results: tuple[Tensor, ...] = _Loop.apply(  # type: ignore[no-untyped-call]
        kernel, *(columns[name] for name in made.inputs), *own, *(state[name] for name in made.state)
    )
    count = len(made.state)
    after, outputs = results[:count], results[count:]
    return dict(zip(made.state, after, strict=True)), dict(zip(made.outputs, outputs, strict=True))


class _Loop(Function):
    """From inputs, coefficients and first state to the last state and outputs."""

    @staticmethod
    def forward(ctx: Any, kernel: Compiled, *given: Tensor) -> tuple[Tensor, ...]:
        made = kernel.loops
        inputs, own, state = _split(given, len(made.inputs), len(made.coefficients))
        shape = inputs[0].shape
        columns, coefficients = [_flat(x, 2) for x in inputs], [_flat(c, 0) for c in own]
        now = [_flat(s, 1).copy() for s in state]
        outputs = [np.empty(columns[0].shape, np.float32) for _ in made.outputs]
        kept = []
        for part in _segments(shape[0]):
            kept.append([s.copy() for s in now])
            here = [x[part] for x in columns]
            history = [np.empty_like(here[0]) for _ in now]
            kernel.forward(*here, *coefficients, *now, *(o[part] for o in outputs), *history)
        ctx.kernel, ctx.kept = kernel, kept
        ctx.save_for_backward(*inputs, *own)
        return tuple(torch.from_numpy(a).view(shape[1:]) for a in now) + tuple(
            torch.from_numpy(o).view(shape) for o in outputs
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *arriving: Tensor) -> tuple[Tensor | None, ...]:
        made, kernel = ctx.kernel.loops, ctx.kernel
        inputs, own, _ = _split(ctx.saved_tensors, len(made.inputs), len(made.coefficients))
        shape = inputs[0].shape
        columns, coefficients = [_flat(x, 2) for x in inputs], [_flat(c, 0) for c in own]
        to_state = [_flat(g, 1).copy() for g in arriving[: len(made.state)]]
        to_outputs = [_flat(g, 2) for g in arriving[len(made.state) :]]
        to_inputs = [np.empty_like(x) for x in columns]
        to_own = [np.zeros(columns[0].shape[1:], np.float32) for _ in own]
        for part, first in reversed(list(zip(_segments(shape[0]), ctx.kept, strict=True))):
            here = [x[part] for x in columns]
            history = [np.empty_like(here[0]) for _ in first]
            unused = [np.empty_like(here[0]) for _ in to_outputs]
            kernel.forward(*here, *coefficients, *(s.copy() for s in first), *unused, *history)
            grads = (*(g[part] for g in to_outputs), *to_state, *(g[part] for g in to_inputs), *to_own)
            kernel.backward(*here, *coefficients, *history, *grads)
        return (
            None,
            *(torch.from_numpy(g).view(shape) for g in to_inputs),
            *(torch.from_numpy(g).sum(0).view(shape[2:]) for g in to_own),
            *(torch.from_numpy(g).view(shape[1:]) for g in to_state),
        )


def _split(given: tuple[Tensor, ...], inputs: int, own: int) -> tuple[tuple[Tensor, ...], ...]:
    return given[:inputs], given[inputs : inputs + own], given[inputs + own :]


def _flat(x: Tensor, lead: int) -> np.ndarray:
    """The array with its units in one axis after ``lead`` others."""
    flat: np.ndarray = x.detach().contiguous().flatten(lead).numpy() if x.ndim > lead else x.detach().numpy()
    return flat.reshape(*flat.shape[:lead], -1)


def _segments(steps: int) -> list[slice]:
    return [slice(first, min(first + SEGMENT, steps)) for first in range(0, steps, SEGMENT)]
