"""The numpy reference of the maths protocol against scipy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate

from nodes.ops import NumpyOps, Sparse
from nodes.spec import Values

OPS = NumpyOps()
LEADS = [(3,), (4, 3)]
leads = pytest.mark.parametrize("lead", LEADS, ids=["one step", "sequence"])


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@leads
def test_softmax_and_its_log(lead: tuple[int, ...]) -> None:
    x = 100 * normal(0, *lead, 7)
    close(OPS.softmax(x), scipy.special.softmax(x, -1))
    close(OPS.log_softmax(x), scipy.special.log_softmax(x, -1))


def test_pointwise_functions_keep_float32() -> None:
    x = normal(1, 2, 9)
    close(OPS.sigmoid(x), scipy.special.expit(x))
    assert OPS.where(x > 0, x, 0.0).dtype == np.float32
    assert OPS.cast(x > 0).dtype == np.float32
    assert np.array_equal(OPS.where(x > 0, 1.0, 0.0), OPS.cast(x > 0))
    assert OPS.maximum(x, 0.0).dtype == OPS.minimum(x, 1.0).dtype == np.float32
    assert OPS.detach(x) is x


def test_spike_at_threshold() -> None:
    x = np.array([-1, 0, 1], np.float32)
    assert OPS.spike(x, True, "atan", 1.0).tolist() == [0, 0, 1]
    assert OPS.spike(x, False, "atan", 1.0).tolist() == [0, 1, 1]


@leads
@pytest.mark.parametrize("rank", [1, 2])
def test_sum_and_reshape_touch_trailing_axes_only(lead: tuple[int, ...], rank: int) -> None:
    x = normal(2, *lead, 4, 5)
    assert OPS.sum(x, rank).shape == (*lead, 4, 5)[: len(lead) + 2 - rank]
    assert np.array_equal(OPS.reshape(OPS.reshape(x, 2, (20,)), 1, (4, 5)), x)
    assert OPS.reshape(x, 2, (2, 10)).shape == (*lead, 2, 10)


@leads
def test_linear_is_a_sum_over_synapses(lead: tuple[int, ...]) -> None:
    x, weight = normal(3, *lead, 6), normal(4, 5, 6)
    close(OPS.linear(x, weight), np.einsum("...i,oi->...o", x, weight))


@given(st.integers(0, 2**31), st.integers(1, 30))
def test_sparse_linear_is_the_dense_one(seed: int, synapses: int) -> None:
    """Several synapses may join the same two neurons: they add up."""
    rng = np.random.default_rng(seed)
    pre, post = rng.integers(0, 4, synapses), rng.integers(0, 3, synapses)
    weight, x = rng.normal(size=synapses).astype(np.float32), rng.normal(size=(2, 4)).astype(np.float32)
    expected = np.zeros((2, 3))
    for w, i, o in zip(weight, pre, post, strict=True):
        expected[:, o] += w * x[:, i]
    close(OPS.linear(x, Sparse(weight, pre, post, (3, 4))), expected)


def test_sums_do_not_depend_on_order() -> None:
    """Chunk invariance rests on it: float64 sums of float32 products, rounded once."""
    x, weight = normal(5, 50, 700), normal(6, 20, 700)
    order = np.random.default_rng(7).permutation(700)
    assert np.array_equal(OPS.linear(x, weight), OPS.linear(x[:, order], weight[:, order]))


@leads
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("space", [(9,), (8, 7)])
def test_conv_is_cross_correlation(
    lead: tuple[int, ...], stride: int, padding: int, space: tuple[int, ...]
) -> None:
    window = (3,) * len(space)
    x, weight = normal(8, *lead, 2, *space), normal(9, 4, 2, *window)
    flat = x.reshape(-1, 2, *space)
    expected = []
    for sample in flat:
        padded = np.pad(sample, [(0, 0)] + [(padding, padding)] * len(space))
        maps = [sum(correlate(padded[i], weight[o, i], "valid") for i in range(2)) for o in range(4)]
        expected.append(np.stack(maps)[(..., *[slice(None, None, stride)] * len(space))])
    found = OPS.conv(x, weight, stride, padding)
    close(found.reshape(-1, *found.shape[len(lead) :]), np.stack(expected))


@leads
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_pool_drops_what_does_not_fill_a_window(lead: tuple[int, ...], mode: str) -> None:
    x = normal(10, *lead, 2, 7, 5)
    found = OPS.pool(x, 2, 2, mode)
    assert found.shape == (*lead, 2, 3, 2)
    close(found[..., 1, 1], getattr(np, mode)(x[..., 2:4, 2:4], axis=(-1, -2)))


@leads
@pytest.mark.parametrize("space", [(), (4,), (3, 2)])
def test_batch_norm_normalises_per_channel(lead: tuple[int, ...], space: tuple[int, ...]) -> None:
    x = 3 * normal(11, *lead, 5, *space) + 2
    p = Values(
        gamma=normal(12, 5),
        beta=normal(13, 5),
        mean=normal(14, 5),
        var=normal(15, 5) ** 2 + 0.1,
        eps=1e-5,
        momentum=0.1,
    )
    rank = 1 + len(space)
    in_training = np.moveaxis(OPS.batch_norm(x, rank, p, True), len(lead), 0).reshape(5, -1)
    np.testing.assert_allclose(in_training.mean(1), p.beta, atol=1e-5)
    np.testing.assert_allclose(in_training.std(1), np.abs(p.gamma), rtol=1e-3)
    rows = np.moveaxis(x, len(lead), -1)
    expected = (rows - p.mean) / np.sqrt(p.var + p.eps) * p.gamma + p.beta
    close(OPS.batch_norm(x, rank, p, False), np.moveaxis(expected, -1, len(lead)))
