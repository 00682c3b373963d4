"""How a projection runs with delays: by synapse inside its sum, by source before it, by target after it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from engine.backend.delay import Taps, delay_filter, delayed_linear
from engine.backend.ops import TorchOps
from engine.backend.state import fit
from engine.program import Op
from nodes.ops import Sparse
from nodes.spec import Values

MOST_DENSE = 16_000_000


class Delayed(TorchOps):
    """The maths protocol in which every sum over synapses is delayed."""

    def __init__(self, exact: bool, delay: Tensor, options: dict[str, Any]) -> None:
        super().__init__(exact)
        self.delay, self.options = delay, options

    def linear(self, x: Tensor, weight: Any) -> Tensor:
        if not isinstance(weight, Sparse):
            return delayed_linear(x, weight, self.delay, exact=self.exact, **self.options)
        if self.exact and self.options["sigma"] is None:
            return _sparse_taps(x, weight, self.delay, self.options)
        matrix, delay = _dense(weight, weight.weight), _dense(weight, self.delay)
        return delayed_linear(x, matrix, delay, exact=self.exact, **self.options)


def project(ops: TorchOps, op: Op, p: Values, x: Tensor, history: Tensor | None, steps: int, sigma: float | None,
            dt: float) -> Tensor:
    """Current ``[steps, batch, *shape]`` from activity ``x [time, batch, *shape]`` and what came before it.

    ``history [op.largest_delay, batch, *shape]`` is what ``remember`` left, None for silence.
    """
    if op.largest_delay == 0:
        return _step(ops, op, p, x, dt)
    if op.delay is None:
        before = x.new_zeros(op.lag, *x.shape[1:]) if history is None else history
        return _step(ops, op, p, fit(torch.cat([before, x]), steps), dt)
    delay = p["delay"]  # the lag is in it already
    taps = Taps(op.delay.low + op.lag, op.delay.high + op.lag)
    if op.delay.granularity == "dendritic":
        x = _step(ops, op, p, x, dt)
    options: dict[str, Any] = {"taps": taps, "sigma": sigma, "history": history, "extend": steps - len(x)}
    if op.delay.granularity == "synapse":
        return _step(Delayed(ops.exact, delay, _flat(options)), op, p, x, dt)
    y = delay_filter(x, delay, exact=ops.exact, **options)
    return y if op.delay.granularity == "dendritic" else _step(ops, op, p, y, dt)


def remember(ops: TorchOps, op: Op, p: Values, x: Tensor, history: Tensor | None, steps: int, dt: float) -> Tensor:
    """The last ``op.largest_delay`` steps of what the delays act on, after ``steps`` steps of activity ``x``."""
    signal = _step(ops, op, p, x, dt) if op.delay and op.delay.granularity == "dendritic" else x
    signal = fit(signal, steps)
    span = op.largest_delay
    if history is None:
        history = signal.new_zeros(span, *signal.shape[1:])
    return torch.cat([history, signal])[-span:]


def _step(ops: TorchOps, op: Op, p: Values, x: Tensor, dt: float) -> Tensor:
    _, outputs = op.spec.step(ops, Values(), Values(input=x), p, dt)
    current: Tensor = outputs["output"]
    return current


def _flat(options: dict[str, Any]) -> dict[str, Any]:
    history = options["history"]
    return options if history is None else {**options, "history": history.flatten(2)}


def _dense(weight: Sparse, values: Tensor) -> Tensor:
    targets, sources = weight.shape
    if targets * sources > MOST_DENSE:
        raise ValueError(f"learning delays of a sparse projection of {sources:,} x {targets:,} neurons needs too much"
                         f" memory; at most {MOST_DENSE:,} possible synapses can be trained")
    empty = values.new_zeros(targets, sources)
    return empty.index_put((weight.post, weight.pre), values)


# matrices by the tensor of delays they were made from, with the versions they hold for
_BY_TAP: MutableMapping[Tensor, tuple[tuple[int, ...], list[tuple[int, Tensor]]]] = WeakTensorKeyDictionary()


def _sparse_taps(x: Tensor, weight: Sparse, delay: Tensor, options: dict[str, Any]) -> Tensor:
    """Rounded delays of single synapses: one sparse matrix for every delay that occurs."""
    taps: Taps = options["taps"]
    history = options["history"]
    before = x.new_zeros(taps.high, *x.shape[1:]) if history is None else history
    steps = len(x) + options["extend"]
    full = fit(torch.cat([before, x]), taps.high + steps).double()
    y = full.new_zeros(weight.shape[0], steps * x.shape[1])
    for tap, matrix in _matrices(weight, delay, taps):
        seen = full[taps.high - tap : taps.high - tap + steps]
        y += matrix @ seen.reshape(-1, x.shape[2]).T
    return y.T.reshape(steps, x.shape[1], -1).to(x.dtype)


def _matrices(weight: Sparse, delay: Tensor, taps: Taps) -> list[tuple[int, Tensor]]:
    version = (id(weight.weight), weight.weight._version, delay._version)
    if delay in _BY_TAP and _BY_TAP[delay][0] == version:
        return _BY_TAP[delay][1]
    steps = delay.detach().clamp(taps.low, taps.high).round().long()
    made = []
    for tap in steps.unique().tolist():
        here = steps == tap
        index = torch.stack([weight.post[here], weight.pre[here]])
        values = weight.weight.detach()[here].double()
        made.append((tap, torch.sparse_coo_tensor(index, values, weight.shape).coalesce().to_sparse_csr()))
    _BY_TAP[delay] = (version, made)
    return made
