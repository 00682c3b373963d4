"""Projections against scipy, explicit loops and dense matrices."""

from __future__ import annotations

import itertools
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from nodes.projections.conv1d import Conv1D
from nodes.projections.conv2d import Conv2D
from nodes.projections.dense import Dense
from nodes.projections.pool import Pool
from nodes.projections.sparse import SparseProjection
from nodes.spec import Node, Shape, Shapes, Values
from tests.nodes.harness import OPS, parameters, prepare

RNG = np.random.default_rng


def shapes_of(spec: type[Node], source: Shape, target: Shape | None = None, **given: Any) -> Shapes:
    return spec.infer(parameters(spec, **given), {"input": source, "output": target})


def project(
    spec: type[Node], x: np.ndarray, rank: int, target: Shape | None = None, **given: Any
) -> tuple[np.ndarray, Values]:
    """The current that ``x [..., *shape]`` makes, and the parameters with their tensors."""
    p = prepare(spec, shapes_of(spec, x.shape[-rank:], target, **given), 1.0, **given)
    return spec.step(OPS, Values(), Values(input=x.astype(np.float32)), p, 1.0)[1]["output"], p


def matrix_of(p: Values, sources: int, targets: int) -> np.ndarray:
    full = np.zeros((targets, sources))
    full[p.post, p.pre] = p.weight
    return full


def test_dense_sums_over_sources() -> None:
    x = RNG(0).normal(size=(4, 2, 3, 5))
    current, p = project(Dense, x, 2, size=[7], bias=True, init="normal")
    np.testing.assert_allclose(current, x.reshape(4, 2, 15) @ p.weight.T + p.offset, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("sign", "low", "high"), [("any", None, None), ("excitatory", 0, None), ("inhibitory", None, 0)]
)
@pytest.mark.parametrize(
    ("spec", "source", "target"),
    [(Dense, (9,), (5,)), (SparseProjection, (9,), (5,)), (Conv2D, (2, 4, 4), None)],
)
def test_sign_bounds_weights_and_keeps_magnitudes(
    spec: type[Node], source: Shape, target: Shape | None, sign: str, low: float | None, high: float | None
) -> None:
    shapes = shapes_of(spec, source, target)
    drawn = {}
    for given_sign in ("any", sign):
        tensor = spec.tensors(parameters(spec, sign=given_sign, gain=-2.0), shapes)["weight"]
        drawn[given_sign] = tensor.init(RNG(3), tensor.shape)
    assert (tensor.low, tensor.high) == (low, high)
    if sign != "any":
        assert np.array_equal(drawn[sign], np.abs(drawn["any"]) * (1 if sign == "excitatory" else -1))
    else:
        assert drawn["any"].min() < 0 < drawn["any"].max()


@pytest.mark.parametrize("spec", [Dense, SparseProjection])
def test_negative_gain_inhibits(spec: type[Node]) -> None:
    _, p = project(spec, np.zeros((1, 9)), 1, (5,), init="constant", gain=-0.5)
    assert p.weight.size > 0
    assert np.all(p.weight == -0.5)


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 5),
    st.sampled_from(["fixed_probability", "fixed_in_degree", "one_to_one"]),
    st.booleans(),
    st.floats(0, 1),
)
def test_sparse_equals_its_dense_matrix(
    sources: int, targets: int, seed: int, rule: str, allow_self: bool, probability: float
) -> None:
    targets = sources if rule == "one_to_one" else targets
    given = {
        "connectivity": rule,
        "probability": probability,
        "in_degree": (sources - 1) // 2,
        "seed": seed,
        "allow_self": allow_self,
        "bias": True,
    }
    x = RNG(seed).normal(size=(3, 2, sources))
    current, p = project(SparseProjection, x, 1, (targets,), **given)
    expected = x @ matrix_of(p, sources, targets).T
    np.testing.assert_allclose(current, expected, rtol=1e-5, atol=1e-5)
    assert len(set(zip(p.pre, p.post, strict=True))) == p.pre.size, "no pair is joined twice"
    assert list(zip(p.post, p.pre, strict=True)) == sorted(zip(p.post, p.pre, strict=True))
    if rule != "one_to_one" and not allow_self:
        assert (p.pre != p.post).all()


def test_probability_gives_independent_pairs() -> None:
    sources, targets, probability = 300, 200, 0.07
    _, p = project(SparseProjection, np.zeros((1, sources)), 1, (targets,), probability=probability, seed=4)
    joined = matrix_of(Values(pre=p.pre, post=p.post, weight=1.0), sources, targets)
    pairs = sources * targets
    bound = 5 * np.sqrt(probability * (1 - probability) / pairs)  # five standard deviations of the mean
    assert abs(joined.mean() - probability) < bound
    # binomial degrees: the variance of row sums tells independence from a fixed degree (0) or clumps (more)
    spread = joined.sum(1).var() / (sources * probability * (1 - probability))
    assert 0.6 < spread < 1.6
    both = (joined[:, 1:] * joined[:, :-1]).mean()  # neighbours are as often joined together as chance has it
    assert abs(both - probability**2) < 5 * probability / np.sqrt(pairs)


@pytest.mark.parametrize(("probability", "count"), [(0.0, 0), (1.0, 12), (1e-300, 0)])
def test_probability_at_its_ends(probability: float, count: int) -> None:
    _, p = project(SparseProjection, np.zeros((1, 3)), 1, (4,), probability=probability)
    assert p.weight.size == count


def test_in_degree_is_exact_and_sources_are_equally_likely() -> None:
    _, p = project(
        SparseProjection, np.zeros((1, 20)), 1, (2000,), connectivity="fixed_in_degree", in_degree=5
    )
    assert (np.bincount(p.post, minlength=2000) == 5).all()
    expected = 2000 * 5 / 20
    assert np.abs(np.bincount(p.pre, minlength=20) - expected).max() < 5 * np.sqrt(expected * 0.75)


def test_in_degree_without_self_reaches_every_other_neuron() -> None:
    given = {"connectivity": "fixed_in_degree", "in_degree": 5, "allow_self": False}
    _, p = project(SparseProjection, np.zeros((1, 6)), 1, (6,), **given)
    assert {(a, b) for a, b in zip(p.pre, p.post, strict=True)} == set(itertools.permutations(range(6), 2))


def test_seed_alone_decides_the_pairs() -> None:
    def pairs(seed: int) -> tuple[list[int], list[int]]:
        _, p = project(SparseProjection, np.zeros((1, 50)), 1, (50,), seed=seed)
        return list(p.pre), list(p.post)

    assert pairs(1) == pairs(1)
    assert pairs(1) != pairs(2)


def test_given_matrix_is_the_weight_times_gain() -> None:
    matrix = [[0, 1.5, -2], [3, 0, 0]]
    x = RNG(1).normal(size=(4, 3))
    current, p = project(SparseProjection, x, 1, (2,), connectivity="matrix", matrix=matrix, gain=2.0)
    np.testing.assert_allclose(current, x @ np.array(matrix).T * 2, rtol=1e-5)
    assert p.weight.shape == (3,)


@pytest.mark.parametrize("name", ["w.csv", "w.npy", "w.npz", "sparse.npz"])
def test_matrix_from_a_file(tmp_path: Path, name: str) -> None:
    matrix = np.array([[0, 1.5, -2], [3, 0, 0.25]])
    path = tmp_path / name
    if name == "w.csv":
        np.savetxt(path, matrix, delimiter=",")
    elif name == "sparse.npz":
        scipy.sparse.save_npz(path, scipy.sparse.csc_matrix(matrix))
    else:
        (np.save if path.suffix == ".npy" else np.savez)(path, matrix)
    _, p = project(SparseProjection, np.zeros((1, 3)), 1, (2,), connectivity="matrix", file=str(path))
    assert np.array_equal(matrix_of(p, 3, 2), matrix)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "cannot be read"),
        ("text.csv", b"a,b\n", "does not hold numbers"),
        ("ragged.csv", b"1,2\n3\n", "does not hold numbers"),
        ("inf.csv", b"1,inf\n", "finite"),
        ("not.npz", b"PK but no archive", "does not hold numbers"),
        ("not.npy", b"", "does not hold numbers"),
        ("w.pkl", b"\x80\x04.", "must be a .csv"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    problems = SparseProjection.check(parameters(SparseProjection, connectivity="matrix", file=str(path)))
    assert [where for where, _ in problems] == ["file"]
    assert words in problems[0][1]


def test_a_pickle_inside_an_array_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    assert SparseProjection.check(parameters(SparseProjection, connectivity="matrix", file=str(path)))


@pytest.mark.parametrize(
    "matrix", [[], [[1, 2], [3]], [1, 2], [["a"]], [[float("nan")]], [[[1.0]]], [[None]]]
)
def test_a_bad_matrix_is_one_sentence(matrix: list[Any]) -> None:
    problems = SparseProjection.check(parameters(SparseProjection, connectivity="matrix", matrix=matrix))
    assert [where for where, _ in problems] == ["matrix"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"connectivity": "one_to_one"}, "as many targets"),
        ({"connectivity": "fixed_in_degree", "in_degree": 7}, "only 6 sources"),
        ({"connectivity": "fixed_in_degree", "in_degree": 6, "allow_self": False}, "besides itself"),
        ({"connectivity": "matrix", "matrix": [[1.0, 2.0]]}, "1 rows and 2 columns"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_while_shapes_are_inferred(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        shapes_of(SparseProjection, (6,), (4,), **given)


def test_one_to_one_hands_the_shape_on() -> None:
    assert shapes_of(SparseProjection, (2, 3), connectivity="one_to_one")["output"] == (2, 3)


def test_weights_are_drawn_for_the_mean_number_of_sources() -> None:
    given = {"connectivity": "fixed_in_degree", "in_degree": 50, "init": "kaiming_uniform"}
    _, p = project(SparseProjection, np.zeros((1, 400)), 1, (400,), **given)
    bound = np.sqrt(6 / 50)
    assert 0.99 * bound < np.abs(p.weight).max() <= bound
    assert np.unique(p.weight).size > 0.99 * p.weight.size


def test_ten_thousand_by_ten_thousand_stays_sparse() -> None:
    p = parameters(SparseProjection, probability=0.01)
    tracemalloc.start()
    tensors = SparseProjection.tensors(p, {"input": (10_000,), "output": (10_000,)})
    arrays = {name: tensor.init(RNG(0), tensor.shape) for name, tensor in tensors.items()}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(arrays["weight"].size - 1_000_000) < 5_000
    assert arrays["pre"].dtype == arrays["post"].dtype == np.int64
    assert peak < 100e6  # the full matrix alone would take 400 MB in float32


@given(
    st.integers(1, 3),
    st.integers(3, 12),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(1, 3),
)
def test_conv1d_equals_loops(
    channels: int, length: int, out: int, window: int, padding: int, stride: int
) -> None:
    window = min(window, length + 2 * padding)
    given = {"channels": out, "window": window, "stride": stride, "padding": padding, "bias": True}
    x = RNG(7).normal(size=(2, channels, length))
    current, p = project(Conv1D, x, 2, **given)
    assert current.shape == (2, *shapes_of(Conv1D, (channels, length), **given)["output"])  # type: ignore[misc]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    for b, o, j in np.ndindex(current.shape):
        patch = padded[b, :, j * stride : j * stride + window]
        assert current[b, o, j] == pytest.approx((p.weight[o] * patch).sum() + p.offset[o], abs=1e-4)


def test_conv1d_reaches_the_last_window_that_fits() -> None:
    assert shapes_of(Conv1D, (1, 10), window=3, stride=2)["output"] == (8, 4)
    assert shapes_of(Conv1D, (1, 11), window=3, stride=2)["output"] == (8, 5)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 2), (2, 0), (3, 1)])
def test_conv2d_equals_scipy(stride: int, padding: int) -> None:
    x = RNG(8).normal(size=(3, 2, 9, 7))  # time-like, channels, height, width
    given = {"channels": 4, "window": 3, "stride": stride, "padding": padding}
    shapes = shapes_of(Conv2D, x.shape[-3:], **given)
    p = prepare(Conv2D, shapes, 1.0, bias=True, **given)
    p["offset"] = np.arange(4, dtype=np.float32)
    current = Conv2D.step(OPS, Values(), Values(input=x), p, 1.0)[1]["output"]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for b, o in itertools.product(range(3), range(4)):
        full = sum(
            scipy.signal.correlate(padded[b, c], p.weight[o, c].astype(float), "valid") for c in range(2)
        )
        np.testing.assert_allclose(current[b, o], full[::stride, ::stride] + o, rtol=1e-4, atol=1e-4)
    assert current.shape[1:] == shapes["output"]


@pytest.mark.parametrize(
    ("spec", "source", "given", "words"),
    [
        (Conv1D, (4,), {}, "channels, length"),
        (Conv2D, (4, 4), {}, "channels, height, width"),
        (Conv2D, (1, 4, 2), {"window": 3}, "does not fit"),
        (Pool, (1, 4, 4, 4), {}, "can pool"),
        (Pool, (3,), {"window": 4}, "does not fit"),
    ],
)
def test_windows_that_do_not_fit_are_refused(
    spec: type[Node], source: Shape, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        shapes_of(spec, source, **given)


@pytest.mark.parametrize("spec", [Conv2D, Pool])
def test_a_target_of_another_shape_is_refused(spec: type[Node]) -> None:
    with pytest.raises(ValueError, match="its target takes"):
        shapes_of(spec, (2, 6, 6), (5,))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("shape", [(11,), (3, 11), (2, 7, 9)])
def test_pool_equals_loops(shape: Shape, mode: str) -> None:
    x, rank, window = RNG(9).normal(size=(4, *shape)), max(1, len(shape) - 1), 3
    current, _ = project(Pool, x, len(shape), window=window, mode=mode)
    expected = np.empty((4, *shape[: len(shape) - rank], *[n // window for n in shape[len(shape) - rank :]]))
    for index in np.ndindex(expected.shape):
        head, tail = index[: len(index) - rank], index[len(index) - rank :]
        patch = x[(*head, *[slice(i * window, (i + 1) * window) for i in tail])]
        expected[index] = getattr(patch, mode)()
    np.testing.assert_allclose(current, expected, rtol=1e-5, atol=1e-5)
    assert current.shape[1:] == shapes_of(Pool, shape, window=window)["output"]


def test_pool_bins_channels_of_speech_five_by_five() -> None:
    spikes = (RNG(1).random((6, 700)) < 0.1).astype(np.float32)
    current, _ = project(Pool, spikes, 1, window=5)
    assert np.array_equal(current, spikes.reshape(6, 140, 5).sum(-1))
