"""How a projection runs with delays: by synapse inside its sum, by source before it, by target after it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.backend.delay import FrozenLinear, Taps, delay_filter, delayed_linear, whole
from engine.backend.ops import TorchOps
from engine.backend.state import fit
from engine.errors import MyelinError
from engine.program import Op
from nodes.ops import Sparse
from nodes.spec import Values

MOST_DENSE = 16_000_000
Linear = Callable[[Tensor, Any], Tensor]


class Summing(TorchOps):
    """The maths protocol with another way to take sums over synapses."""

    def __init__(self, exact: bool, linear: Linear) -> None:
        super().__init__(exact)
        self._linear = linear

    def linear(self, x: Tensor, weight: Any) -> Tensor:
        """Sum over synapses."""
        return self._linear(x, weight)


def project(
    ops: TorchOps,
    op: Op,
    p: Values,
    x: Tensor,
    history: Tensor | None,
    sigma: float | None,
    dt: float,
) -> Tensor:
    """Current ``[time, batch, *shape]`` from activity ``x [time, batch, *shape]`` and what came before it.

    ``history [op.largest_delay, batch, *shape]`` is what ``remember`` left, None for silence.  ``p`` is
    that of this op alone: in evaluation it keeps what is worked out once.
    """
    if op.delay is None:
        return _step(_plain(ops, p), op, p, _late(x, op.lag, history), dt)
    delay = p["delay"] + op.lag
    taps = Taps(op.delay.low + op.lag, op.delay.high + op.lag)
    if op.delay.granularity == "synapse":
        return _step(_delayed(ops, p, delay, taps, sigma, history), op, p, x, dt)
    if op.delay.granularity == "dendritic":
        current = _step(_plain(ops, p), op, p, x, dt)
        return delay_filter(current, delay, taps=taps, sigma=sigma, history=history, exact=ops.exact)
    arriving = delay_filter(x, delay, taps=taps, sigma=sigma, history=history, exact=ops.exact)
    return _step(_plain(ops, p), op, p, arriving, dt)


def remember(
    ops: TorchOps, op: Op, p: Values, x: Tensor, history: Tensor | None, steps: int, dt: float
) -> Tensor:
    """The last ``op.largest_delay`` steps of what the delays act on, after ``steps`` steps of ``x``."""
    late = op.delay is not None and op.delay.granularity == "dendritic"
    signal = fit(_step(_plain(ops, p), op, p, fit(x, max(len(x), 1)), dt)[: len(x)] if late else x, steps)
    span = op.largest_delay
    before = signal.new_zeros(span, *signal.shape[1:]) if history is None else history
    return torch.cat([before, signal])[-span:]


def _step(ops: TorchOps, op: Op, p: Values, x: Tensor, dt: float) -> Tensor:
    _, outputs = op.spec.step(ops, Values(), Values(input=x), p, dt)
    current: Tensor = outputs["output"]
    return current


def _late(x: Tensor, lag: int, history: Tensor | None) -> Tensor:
    if lag == 0:
        return x
    before = x.new_zeros(lag, *x.shape[1:]) if history is None else history
    return torch.cat([before, x])[: len(x)]


def _plain(ops: TorchOps, p: Values) -> TorchOps:
    """In evaluation, sums over sparse synapses by a matrix that is made once."""
    if not ops.exact:
        return ops

    def linear(x: Tensor, weight: Any) -> Tensor:
        if not isinstance(weight, Sparse):
            current: Tensor = ops.linear(x, weight)
            return current
        taps = Taps(0, 0)
        frozen = _kept(p, "undelayed", lambda: FrozenSparse(weight, torch.zeros_like(weight.weight), taps))
        y: Tensor = frozen(x.reshape(-1, 1, x.shape[-1]))
        return y.reshape(*x.shape[:-1], -1)

    return Summing(True, linear)


def _delayed(
    ops: TorchOps,
    p: Values,
    delay: Tensor,
    taps: Taps,
    sigma: float | None,
    history: Tensor | None,
) -> TorchOps:
    """Sums in which each synapse reads its own step of the past; in evaluation prepared once."""
    before = None if history is None else history.flatten(2)

    def linear(x: Tensor, weight: Any) -> Tensor:
        if ops.exact:
            y: Tensor = _kept(p, sigma, lambda: _freeze(weight, delay, taps, sigma))(x, history=before)
            return y
        return delayed_linear(x, *_full(weight, delay), taps=taps, sigma=sigma, history=before)

    return Summing(ops.exact, linear)


def _kept(p: Values, key: Any, make: Callable[[], Any]) -> Any:
    """What an op keeps from one window to the next."""
    kept: dict[Any, Any] = p.setdefault("kept", {})
    if key not in kept:
        kept[key] = make()
    return kept[key]


def _freeze(weight: Any, delay: Tensor, taps: Taps, sigma: float | None) -> Any:
    if isinstance(weight, Tensor):
        return FrozenLinear(weight, delay, taps=taps, sigma=sigma)
    if sigma is None:
        return FrozenSparse(weight, delay, taps)
    return FrozenLinear(*_full(weight, delay), taps=taps, sigma=sigma)


def _full(weight: Any, delay: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and delay as matrices."""
    if isinstance(weight, Tensor):
        return weight, delay
    return _dense(weight, weight.weight), _dense(weight, delay)


def _dense(weight: Sparse, values: Tensor) -> Tensor:
    targets, sources = weight.shape
    if targets * sources > MOST_DENSE:
        raise MyelinError(
            f"learning delays of a sparse projection of {sources:,} x {targets:,} neurons needs too much"
            f" memory; at most {MOST_DENSE:,} possible synapses can be trained"
        )
    empty = values.new_zeros(targets, sources)
    full: Tensor = empty.index_put((weight.post, weight.pre), values)
    return full


class FrozenSparse:
    """Sums over sparse synapses with rounded delays: one sparse matrix for every delay that occurs.

    Later changes of the tensors are not seen.
    """

    def __init__(self, weight: Sparse, delay: Tensor, taps: Taps) -> None:
        self._taps, self._targets = taps, weight.shape[0]
        steps = whole(delay, taps).int()
        present = torch.bincount(steps, minlength=taps.high + 1)
        self._matrices = [
            (tap, _matrix(weight, steps == tap)) for tap, synapses in enumerate(present.tolist()) if synapses
        ]

    @torch.no_grad()
    def __call__(self, x: Tensor, *, history: Tensor | None = None) -> Tensor:
        """Project x ``[T, B, I]`` to ``[T, B, O]``; ``history [taps.high, B, I]`` came before."""
        high, (steps, batch, sources) = self._taps.high, x.shape
        before = x.new_zeros(high, batch, sources) if history is None else history
        full = torch.cat([before, x]).double()
        y = full.new_zeros(self._targets, steps * batch)
        for tap, matrix in self._matrices:
            y += matrix @ full[high - tap : high - tap + steps].reshape(-1, sources).T
        return y.T.reshape(steps, batch, -1).to(x.dtype)


def _matrix(weight: Sparse, here: Tensor) -> Tensor:
    """The synapses picked by ``here [K]`` as one matrix, of 12 bytes a synapse."""
    post, pre, values = weight.post[here], weight.pre[here].int(), weight.weight.detach()[here]
    if (post[1:] < post[:-1]).any():
        order = post.argsort(stable=True)
        post, pre, values = post[order], pre[order], values[order]
    starts = torch.bincount(post, minlength=weight.shape[0]).cumsum(0).int()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        starts = torch.cat([starts.new_zeros(1), starts])
        return torch.sparse_csr_tensor(starts, pre, values.double(), weight.shape, check_invariants=False)
