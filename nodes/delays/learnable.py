"""Learnable delays by the DCLS method."""

from __future__ import annotations

import numpy as np

from nodes.delays._base import Extending
from nodes.spec import Initialiser, Param, Shape, Values, node


@node("delays.learnable", label="Learnable delays", keywords=("DCLS", "delay", "learn", "axon", "conduction"))
class LearnableDelays(Extending):
    """Delays learned with the weights.  Synapse kernel over taps k: W g(k - d), g Gaussian, mass 1.

    The Gaussian's effective width is sigma + 0.27 steps; sigma falls exponentially from ``sigma_start`` to
    ``sigma_end`` over the first ``sigma_duration`` of training; evaluation rounds d, one tap per synapse.
    Source: Hammouamri, Khalfaoui-Hassani, Masquelier, ICLR 2024 (arXiv 2306.17670), eqs. 6-9.
    """

    learn = Param(True, doc="learn the delays; off keeps the initial ones, rounded")
    max_delay = Param(25.0, "ms", low=0.0, high=1e5, doc="largest delay")
    min_delay = Param(0.0, "ms", low=0.0, high=1e5, doc="smallest delay; one step or more inside a loop")
    init = Param(
        "uniform", choices=("uniform", "half", "zero"), doc="initial delays: uniform, all half, or all least"
    )
    sigma_start = Param(
        0.0, "steps", low=0.0, high=1e4, doc="first width of the kernel; 0 takes half the taps"
    )
    sigma_end = Param(0.23, "steps", low=0.01, high=1e4, doc="last width of the kernel")
    sigma_duration = Param(0.25, low=0.0, high=1.0, doc="part of the epochs over which the width falls")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.min_delay > p.max_delay:
            return [
                ("min_delay", f"must not exceed max_delay ({p.max_delay:g} ms), but is {p.min_delay:g} ms")
            ]
        return []

    @classmethod
    def learns(cls, p: Values) -> bool:
        return bool(p.learn)

    @classmethod
    def span(cls, p: Values) -> tuple[float, float]:
        return p.min_delay, p.max_delay

    @classmethod
    def values(cls, p: Values, dt: float) -> Initialiser:
        low, high = round(p.min_delay / dt), round(p.max_delay / dt)

        def draw(rng: np.random.Generator, shape: Shape) -> np.ndarray:
            if p.init == "uniform":  # over high - low + 1 taps, then clamped, as the authors do
                return np.clip(rng.uniform(low, high + 1, shape), low, high).astype(np.float32)
            return np.full(shape, low if p.init == "zero" else (low + high) / 2, np.float32)

        return draw
