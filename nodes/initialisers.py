"""Weight initialisers, a table of formulas.  Fan-in is the product of every axis but the first."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nodes.spec import Initialiser, Shape

Draw = Callable[[np.random.Generator, Shape, float], np.ndarray]


def _fans(shape: Shape) -> tuple[int, int]:
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def kaiming_uniform(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """Uniform within ``gain sqrt(6 / fan_in)`` (He et al. 2015, ReLU gain)."""
    bound = gain * math.sqrt(6 / _fans(shape)[0])
    return rng.uniform(-bound, bound, shape)


def kaiming_normal(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """Normal of standard deviation ``gain sqrt(2 / fan_in)`` (He et al. 2015)."""
    return rng.normal(0, gain * math.sqrt(2 / _fans(shape)[0]), shape)


def xavier_uniform(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """Uniform within ``gain sqrt(6 / (fan_in + fan_out))`` (Glorot & Bengio 2010)."""
    bound = gain * math.sqrt(6 / sum(_fans(shape)))
    return rng.uniform(-bound, bound, shape)


def uniform(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """Uniform between 0 and ``gain``."""
    return rng.uniform(0, 1, shape) * gain


def normal(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """Normal of mean 0 and standard deviation ``gain``."""
    return rng.normal(0, 1, shape) * gain


def constant(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """``gain`` everywhere."""
    return np.full(shape, gain)


def orthogonal(rng: np.random.Generator, shape: Shape, gain: float) -> np.ndarray:
    """Rows or columns orthonormal, times ``gain`` (Saxe et al. 2014)."""
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(rng.normal(0, 1, (max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    basis: np.ndarray = q if rows >= columns else q.T
    return gain * basis.reshape(shape)


_TABLE = (kaiming_uniform, kaiming_normal, xavier_uniform, uniform, normal, constant, orthogonal)
INITIALISERS: dict[str, Draw] = {function.__name__: function for function in _TABLE}


def initialiser(name: str, gain: float) -> Initialiser:
    """The named initialiser as a function of generator and shape, float32."""
    draw = INITIALISERS[name]
    return lambda rng, shape: draw(rng, shape, gain).astype(np.float32)
