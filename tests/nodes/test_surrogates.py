"""Surrogate derivatives against the functions whose derivatives they are said to be."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from nodes.ops import NumpyOps
from nodes.surrogates import SURROGATES

Function = Callable[[np.ndarray, float], np.ndarray]


def triangle(x: np.ndarray, k: float) -> np.ndarray:
    """The ramp whose slope is a triangle of half-width 1/k and height k."""
    y = np.clip(k * x, -1, 1)
    return y - np.sign(y) * y**2 / 2


def multi_gaussian(x: np.ndarray, k: float) -> np.ndarray:
    side = norm.cdf(x, 1 / k, 6 / k) + norm.cdf(x, -1 / k, 6 / k)
    return 1.15 * norm.cdf(x, 0, 1 / k) - 0.15 * side


PRIMITIVES: dict[str, Function] = {
    "atan": lambda x, k: np.arctan(math.pi / 2 * k * x) / math.pi,
    "fast_sigmoid": lambda x, k: x / (1 + k * np.abs(x)),
    "superspike": lambda x, k: k * x / (1 + k * np.abs(x)),
    "triangle": triangle,
    "gaussian": lambda x, k: norm.cdf(k * x),
    "multi_gaussian": multi_gaussian,
    "sigmoid": lambda x, k: 1 / (1 + np.exp(-k * x)),
    "rectangle": lambda x, k: np.clip(k * x, -1, 1) / 2,
    "straight_through": lambda x, k: x,
}
# what the derivative sums to over all x: 1 for those that smooth a step of height 1
AREAS = {
    "atan": 1.0,
    "superspike": 2.0,
    "triangle": 1.0,
    "gaussian": 1.0,
    "multi_gaussian": 0.85,
    "sigmoid": 1.0,
    "rectangle": 1.0,
}
steepness = pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0, 10.0])


@steepness
@pytest.mark.parametrize("name", SURROGATES)
def test_derivative_is_that_of_its_function(name: str, alpha: float) -> None:
    """Central differences in float64, away from the kinks of triangle and rectangle."""
    x = np.linspace(-3, 3, 401)[1::2] + 1e-4
    x = x[np.abs(np.abs(x) - 1 / alpha) > 1e-3]
    h = 1e-5
    primitive = PRIMITIVES[name]
    slope = (primitive(x + h, alpha) - primitive(x - h, alpha)) / (2 * h)
    np.testing.assert_allclose(SURROGATES[name](NumpyOps(), x, alpha), slope, rtol=1e-4, atol=1e-6)


@steepness
@pytest.mark.parametrize("name", AREAS)
def test_area(name: str, alpha: float) -> None:
    def half(x: float) -> float:
        return float(SURROGATES[name](NumpyOps(), np.array(x), alpha))

    right = (
        sum(quad(half, a / alpha, b / alpha)[0] for a, b in ((0, 1), (1, 30)))
        + quad(half, 30 / alpha, np.inf)[0]
    )
    assert 2 * right == pytest.approx(AREAS[name], abs=1e-6)


@pytest.mark.parametrize("name", SURROGATES)
def test_symmetric_and_largest_at_threshold(name: str) -> None:
    x = np.linspace(0, 4, 100, dtype=np.float32)
    right, left = (SURROGATES[name](NumpyOps(), y, 2.0) for y in (x, -x))
    np.testing.assert_allclose(right, left, atol=1e-6)
    assert right.argmax() == 0
    assert right.dtype == np.float32
    assert right.shape == x.shape


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", SURROGATES)
def test_torch_spike_goes_forward_as_a_step_and_back_as_the_surrogate(name: str, strict: bool) -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("engine.backend.ops").OPS
    x = torch.tensor([-2.0, -0.3, 0.0, 0.3, 2.0], requires_grad=True)
    weights = torch.tensor([1.0, -2.0, 3.0, 0.5, 4.0])
    spikes = ops.spike(x, strict, name, 2.0)
    assert spikes.tolist() == [0, 0, 0 if strict else 1, 1, 1]
    (spikes * weights).sum().backward()
    expected = weights.numpy() * SURROGATES[name](NumpyOps(), x.detach().numpy(), 2.0)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-5)


def test_every_surrogate_is_checked() -> None:
    assert set(PRIMITIVES) == set(SURROGATES)
