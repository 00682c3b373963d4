"""The projection with whole delays: each output gathers one weighted input per synapse.

y[r, b, o] = sum_i W[o, i] x[start + r - d[o, i], b, i] is a weighted embedding bag: the steps of the last
delays are a table of (step, input) rows over the batch, and every output sums the rows its delays point at.
Each sum runs over the inputs in their order, whatever the other steps are, so any cut of the sequence gives
the same bits.
"""

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from engine.backend.delay.kernel import Taps, whole

_CACHED = 1 << 19
"""Numbers of a table that stay in the second-level cache of a core."""


class Gather:
    """The projection by weight and delay `[O, I]`, prepared once and run on any number of sequences."""

    def __init__(self, weight: Tensor, delay: Tensor, taps: Taps) -> None:
        inputs = weight.shape[1]
        rows = (taps.high - whole(delay, taps)).long() * inputs
        self._rows = rows.add_(torch.arange(inputs, device=weight.device)).int()
        self._weight = weight.detach().contiguous()
        self._window = taps.high + 1

    def __call__(self, x: Tensor, start: int, length: int) -> Tensor:
        """The result `[length, B, O]` from x `[T, B, I]`, x being zero outside its steps."""
        out = x.new_empty(length, x.shape[1], len(self._weight))
        width = max(1, torch.get_num_threads() * _CACHED // (self._window * max(1, x.shape[2])))
        for first in range(0, x.shape[1], width):
            self._gather(x[:, first : first + width], start, out[:, first : first + width])
        return out

    def _gather(self, x: Tensor, start: int, out: Tensor) -> None:
        ahead = self._window - 1 - start
        table = x.new_zeros(self._window - 1 + len(out), x.shape[2], x.shape[1])
        steps = x[: len(table) - ahead]
        table[ahead : ahead + len(steps)] = steps.mT
        for r in range(len(out)):
            rows = table[r : r + self._window].flatten(0, 1)
            out[r] = embedding_bag(self._rows, rows, per_sample_weights=self._weight, mode="sum").T
