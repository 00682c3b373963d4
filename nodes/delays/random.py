"""Random delays."""

from __future__ import annotations

import numpy as np

from nodes.delays._base import Extending
from nodes.spec import Initialiser, Param, Shape, Values, node


@node("delays.random", label="Random delays", keywords=("delay", "distribution", "heterogeneous", "axon"))
class RandomDelays(Extending):
    """Delays drawn once, in whole steps between ``low`` and ``high``, and not learned.

    ``uniform``: every step from low to high equally likely; ``normal``: mean ``mean`` and deviation ``sd``
    before it is cut to [low, high]; ``exponential``: low plus a waiting time of scale ``sd``, cut at high.
    """

    low = Param(0.0, "ms", low=0.0, high=1e5, doc="smallest delay; one step or more inside a loop")
    high = Param(25.0, "ms", low=0.0, high=1e5, doc="largest delay")
    distribution = Param("uniform", choices=("uniform", "normal", "exponential"), doc="how delays are spread")
    mean = Param(12.5, "ms", low=0.0, high=1e5, doc="centre of the normal distribution")
    sd = Param(
        5.0, "ms", low=1e-3, high=1e5, doc="width of the normal, scale of the exponential distribution"
    )
    seed = Param(0, low=0, high=2**31, doc="draws the delays; 0 follows the document's seed")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.low > p.high:
            return [("low", f"must not exceed high ({p.high:g} ms), but is {p.low:g} ms")]
        if p.distribution == "normal" and not p.low <= p.mean <= p.high:
            return [
                ("mean", f"must lie between low and high ({p.low:g} to {p.high:g} ms), not at {p.mean:g} ms")
            ]
        return []

    @classmethod
    def span(cls, p: Values) -> tuple[float, float]:
        return p.low, p.high

    @classmethod
    def values(cls, p: Values, dt: float) -> Initialiser:
        low, high = round(p.low / dt), round(p.high / dt)

        def draw(rng: np.random.Generator, shape: Shape) -> np.ndarray:
            own = np.random.default_rng(p.seed) if p.seed else rng
            if p.distribution == "uniform":
                return own.integers(low, high, shape, endpoint=True).astype(np.float32)
            ms = _quantile(p, own.uniform(0, 1, shape))
            return np.clip(np.round(ms / dt), low, high).astype(np.float32)

        return draw


def _quantile(p: Values, u: np.ndarray) -> np.ndarray:
    """Delays in ms at the quantiles ``u`` of the distribution cut to [low, high]."""
    if p.distribution == "exponential":
        mass = -np.expm1((p.low - p.high) / p.sd)
        return np.asarray(p.low - p.sd * np.log1p(-u * mass))
    from scipy.special import ndtr, ndtri  # takes longer to import than the window may take to open

    below, above = ndtr((p.low - p.mean) / p.sd), ndtr((p.high - p.mean) / p.sd)
    return np.asarray(p.mean + p.sd * ndtri(below + u * (above - below)))
