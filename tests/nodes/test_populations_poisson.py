"""The Poisson source: rate, irregularity and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nodes.ops import NumpyOps
from nodes.populations.poisson import Poisson
from tests.nodes.harness import prepare


def poisson_spikes(rate: float, dt: float, steps: int, neurons: int, seed: int = 0) -> np.ndarray:
    p = prepare(Poisson, {"spikes": (neurons,)}, dt, rate=rate)
    draw = np.random.default_rng(seed).random((steps, 1, neurons), dtype=np.float32)
    return Poisson.step(NumpyOps(), p, type(p)(draw=draw), p, dt)[1]["spikes"][:, 0]


@pytest.mark.parametrize(("rate", "dt"), [(20.0, 1.0), (100.0, 0.5), (400.0, 1.0)])
def test_poisson_rate_and_irregularity(rate: float, dt: float) -> None:
    steps, neurons, chance = 4000, 50, rate * dt / 1000
    spikes = poisson_spikes(rate, dt, steps, neurons)
    n = steps * neurons
    # a binomial count lies within five standard deviations but once in two million seeds
    assert abs(spikes.sum() - n * chance) < 5 * math.sqrt(n * chance * (1 - chance))
    intervals = np.concatenate([np.diff(np.flatnonzero(train)) for train in spikes.T])
    assert intervals.min() == 1
    # geometric: mean 1/p, coefficient of variation sqrt(1 - p); its estimate scatters by about 1/sqrt(n)
    slack = 6 / math.sqrt(len(intervals))
    assert intervals.mean() == pytest.approx(1 / chance, rel=slack + 1 / (chance * steps))
    assert intervals.std() / intervals.mean() == pytest.approx(
        math.sqrt(1 - chance), rel=slack + 1 / (chance * steps)
    )
    counts = spikes.sum(0)
    assert counts.var() / counts.mean() == pytest.approx(1 - chance, abs=5 * math.sqrt(2 / neurons))


def test_poisson_at_its_limits() -> None:
    assert poisson_spikes(0.0, 1.0, 1000, 10).sum() == 0
    assert poisson_spikes(1000.0, 1.0, 100, 10).all()
