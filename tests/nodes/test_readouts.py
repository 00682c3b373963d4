"""Readouts against one line of numpy each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from nodes.readouts.first_spike import FirstSpike
from nodes.readouts.max_membrane import MaxMembrane
from nodes.readouts.per_step import PerStep
from nodes.readouts.softmax_sum import SoftmaxSum
from nodes.readouts.spike_count import SpikeCount
from nodes.spec import Node
from tests.nodes.harness import initial_state, prepare, scan

TIMES = st.tuples(st.integers(1, 12), st.just(2), st.integers(2, 5))
POTENTIALS = arrays(np.float32, TIMES, elements=st.floats(-50, 50, width=32))
SPIKES = arrays(np.float32, TIMES, elements=st.sampled_from([0.0, 0.0, 0.0, 1.0]))


def read(spec: type[Node], x: np.ndarray, dt: float = 1.0, **given: Any) -> np.ndarray:
    """The decision after every step, ``[time, batch, classes]``."""
    shape = x.shape[2:]
    p = prepare(spec, {"input": shape, "output": shape}, dt, **given)
    outputs, _ = scan(spec, p, {"input": x}, initial_state(spec, p, shape, x.shape[1]), len(x), dt)
    return np.stack([out["output"] for out in outputs])


@given(SPIKES)
def test_spike_count(x: np.ndarray) -> None:
    assert np.array_equal(read(SpikeCount, x), x.cumsum(0))


@given(POTENTIALS)
def test_max_membrane(x: np.ndarray) -> None:
    assert np.array_equal(read(MaxMembrane, x), np.maximum.accumulate(x))


@given(POTENTIALS)
def test_softmax_sum(x: np.ndarray) -> None:
    np.testing.assert_allclose(
        read(SoftmaxSum, x), softmax(x.astype(float), -1).cumsum(0), rtol=1e-4, atol=1e-6
    )


@given(POTENTIALS)
def test_per_step(x: np.ndarray) -> None:
    assert np.array_equal(read(PerStep, x), x)
    np.testing.assert_allclose(
        read(PerStep, x, form="softmax"), softmax(x.astype(float), -1), rtol=1e-4, atol=1e-6
    )


@given(SPIKES, st.sampled_from([0.5, 1.0, 10.0]))
def test_first_spike_is_minus_its_time(x: np.ndarray, dt: float) -> None:
    steps = np.where(x.any(0), x.argmax(0), len(x))
    np.testing.assert_allclose(read(FirstSpike, x, dt, tau=4.0)[-1], -steps * dt / 4.0, rtol=1e-5, atol=1e-6)


def test_first_spike_ranks_silence_last_and_ignores_later_spikes() -> None:
    x = np.zeros((6, 1, 4), np.float32)
    x[5, 0, 0] = x[2, 0, 1] = x[3, 0, 2] = 1
    x[2:, 0, 1] = 3  # bursts and counts above one change nothing
    assert read(FirstSpike, x, tau=1.0)[-1, 0].tolist() == [-5, -2, -3, -6]


def test_first_spike_teaches_to_fire_earlier() -> None:
    torch = pytest.importorskip("torch")
    backend = pytest.importorskip("engine.backend.ops")
    v = torch.linspace(-1.0, 0.4, 8).reshape(8, 1, 1).requires_grad_()
    p = prepare(FirstSpike, {"input": (1,), "output": (1,)}, 1.0, backend.OPS)
    spikes = backend.OPS.spike(v, False, "atan", 2.0)
    state = {"silent": torch.ones(1, 1), "score": torch.zeros(1, 1)}
    outputs, _ = scan(FirstSpike, p, {"input": spikes}, state, 8, 1.0, backend.OPS)
    outputs[-1]["output"].sum().backward()
    first = int(spikes[:, 0, 0].argmax())
    gradient = v.grad[:, 0, 0]
    assert (gradient[: first + 1] >= 0).all()
    assert (gradient[:first] > 0).all(), "a higher potential before the first spike means a better score"
    assert (gradient[first + 1 :] == 0).all(), "what comes after it does not matter"
