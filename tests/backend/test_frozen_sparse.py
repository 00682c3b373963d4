"""Sums over sparse synapses in evaluation: right in any order of the synapses, and small."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.backend.delay import Taps
from engine.backend.projection import FrozenSparse
from nodes.ops import Sparse

SOURCES, TARGETS, SYNAPSES, HIGH = 7, 5, 40, 3  # more synapses than pairs: some pairs have several


def drawn(seed: int) -> tuple[Sparse, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    pre = torch.randint(SOURCES, (SYNAPSES,), generator=g)
    post = torch.randint(TARGETS - 1, (SYNAPSES,), generator=g)  # the last target hears nobody
    weight = torch.randn(SYNAPSES, generator=g)
    delay = torch.randint(HIGH + 1, (SYNAPSES,), generator=g).float()
    return Sparse(weight, pre, post, (TARGETS, SOURCES)), delay


def by_hand(weight: Sparse, delay: torch.Tensor, x: torch.Tensor) -> np.ndarray:
    y = np.zeros((len(x), x.shape[1], TARGETS))
    synapses = zip(weight.weight, weight.pre, weight.post, delay.int(), strict=True)
    for w, i, o, d in synapses:
        y[d:, :, o] += float(w) * x[: len(x) - d, :, i].double().numpy()
    return y


@pytest.mark.parametrize("ordered", [True, False])
def test_sums_are_those_of_every_synapse(ordered: bool) -> None:
    weight, delay = drawn(0)
    if ordered:
        order = torch.argsort(weight.post * SOURCES + weight.pre)
        own = (tensor[order] for tensor in (weight.weight, weight.pre, weight.post))
        weight, delay = Sparse(*own, weight.shape), delay[order]
    x = (torch.rand(12, 2, SOURCES, generator=torch.Generator().manual_seed(1)) < 0.4).float()
    y = FrozenSparse(weight, delay, Taps(0, HIGH))(x)
    np.testing.assert_allclose(y.numpy(), by_hand(weight, delay, x), rtol=1e-6, atol=1e-7)


def test_a_synapse_takes_twelve_bytes() -> None:
    """8 for its weight in double precision, 4 for its source; the starts of rows come on top."""
    frozen = FrozenSparse(*drawn(0), Taps(0, HIGH))
    held = [matrix for _, matrix in frozen._matrices]
    assert sum(m.values().nbytes + m.col_indices().nbytes for m in held) == 12 * SYNAPSES
    assert sum(m.crow_indices().nbytes for m in held) == len(held) * 4 * (TARGETS + 1)
