"""Surrogate derivatives of the spike, a table of formulas in the maths protocol.

Each gives d(spike)/dx at distance ``x`` from threshold, with steepness ``alpha``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from nodes.ops import Array, Ops

Derivative = Callable[[Ops, Array, float], Array]


def atan(ops: Ops, x: Array, alpha: float) -> Array:
    """Derivative of ``arctan(pi/2 alpha x)/pi`` (Fang et al. 2021, PLIF)."""
    return alpha / 2 / (1 + (math.pi / 2 * alpha * x) ** 2)


def fast_sigmoid(ops: Ops, x: Array, alpha: float) -> Array:
    """``1/(1 + alpha |x|)^2`` (Zenke & Vogels 2021)."""
    return 1 / (1 + alpha * ops.abs(x)) ** 2


def superspike(ops: Ops, x: Array, alpha: float) -> Array:
    """``alpha/(1 + alpha |x|)^2`` (Zenke & Ganguli 2018): the fast sigmoid at unit area times two."""
    return alpha / (1 + alpha * ops.abs(x)) ** 2


def triangle(ops: Ops, x: Array, alpha: float) -> Array:
    """``alpha max(0, 1 - alpha |x|)`` (Bellec et al. 2018; alpha is the inverse half-width)."""
    return alpha * ops.maximum(1 - alpha * ops.abs(x), 0 * x)


def gaussian(ops: Ops, x: Array, alpha: float) -> Array:
    """A normal density of width ``1/alpha`` (Yin, Corradi & Bohte 2021)."""
    return alpha / math.sqrt(2 * math.pi) * ops.exp(-0.5 * (alpha * x) ** 2)


def multi_gaussian(ops: Ops, x: Array, alpha: float) -> Array:
    """Gaussian with negative side lobes, h = 0.15, s = 6 (Yin, Corradi & Bohte 2021, eq. 10)."""

    def bell(centre: float, width: float) -> Array:
        return ops.exp(-0.5 * ((x - centre) / width) ** 2) / (width * math.sqrt(2 * math.pi))

    sigma = 1 / alpha
    side = bell(sigma, 6 * sigma) + bell(-sigma, 6 * sigma)
    return 1.15 * bell(0.0, sigma) - 0.15 * side


def sigmoid(ops: Ops, x: Array, alpha: float) -> Array:
    """Derivative of the logistic function of slope alpha."""
    y = ops.sigmoid(alpha * x)
    return alpha * y * (1 - y)


def rectangle(ops: Ops, x: Array, alpha: float) -> Array:
    """``alpha/2`` within ``1/alpha`` of the threshold (Wu et al. 2018)."""
    return alpha / 2 * ops.cast(ops.abs(x) < 1 / alpha)


def straight_through(ops: Ops, x: Array, alpha: float) -> Array:
    """1 everywhere (Bengio, Léonard & Courville 2013)."""
    return 0 * x + 1


_TABLE = (
    atan,
    fast_sigmoid,
    superspike,
    triangle,
    gaussian,
    multi_gaussian,
    sigmoid,
    rectangle,
    straight_through,
)
SURROGATES: dict[str, Derivative] = {function.__name__: function for function in _TABLE}
