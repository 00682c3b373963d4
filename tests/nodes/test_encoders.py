"""Encoders against their defining equations and statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from nodes.encoders.delta import Delta
from nodes.encoders.direct import Direct
from nodes.encoders.latency import Latency
from nodes.encoders.poisson import PoissonEncoder
from nodes.encoders.population import PopulationEncoder
from nodes.spec import Node, Shape, Values
from tests.nodes.harness import OPS, initial_state, parameters, prepare, scan

FLOAT32 = float(np.finfo(np.float32).eps)


def encode(spec: type[Node], x: np.ndarray, dt: float = 1.0, seed: int = 0, **given: Any) -> np.ndarray:
    """Output ``[time, *shape']`` of a signal ``[time, *shape]``, batch of one."""
    x = np.asarray(x, np.float32)[:, None]
    source: Shape = x.shape[2:]
    shapes = spec.infer(parameters(spec, **given), {"input": source, "output": None})
    p = prepare(spec, shapes, dt, **given)
    noise = {
        name: np.random.default_rng(seed).random((len(x), 1, *(shapes["output"] or ()))).astype(np.float32)
        for name in spec.noise_of(p)
    }
    outputs, _ = scan(spec, p, {"input": x, **noise}, initial_state(spec, p, source, 1), len(x), dt)
    return np.stack([out["output"] for out in outputs])[:, 0]


def held(values: Any, steps: int) -> np.ndarray:
    """Constant values ``[time, *shape]``."""
    return np.broadcast_to(np.asarray(values, np.float32), (steps, *np.shape(values)))


def test_direct_is_affine() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(encode(Direct, x, gain=2.0, offset=-1.0), 2 * x - 1, rtol=1e-5, atol=1e-6)


def test_direct_is_a_constant_source_when_nothing_is_wired() -> None:
    assert Direct.inputs["input"].optional
    assert Direct.infer(parameters(Direct, size=[4]), {"input": None, "output": None}) == {
        "input": (4,),
        "output": (4,),
    }
    assert np.all(encode(Direct, np.zeros((5, 4)), offset=0.7) == np.float32(0.7))


@pytest.mark.parametrize(
    ("value", "max_rate", "dt"), [(0.3, 100.0, 1.0), (1.0, 40.0, 0.5), (0.05, 1000.0, 1.0)]
)
def test_poisson_rate_and_variance_are_binomial(value: float, max_rate: float, dt: float) -> None:
    steps, units = 400, 100
    chance = value * max_rate * dt / 1000
    spikes = encode(PoissonEncoder, held(np.full(units, value), steps), dt, max_rate=max_rate)
    assert set(np.unique(spikes)) <= {0, 1}
    low, high = stats.binom.interval(1 - 1e-6, steps * units, chance)
    assert low <= spikes.sum() <= high
    counts = spikes.sum(0)
    dispersion = (units - 1) * counts.var(ddof=1) / (steps * chance * (1 - chance))
    low, high = stats.chi2.interval(1 - 1e-6, units - 1)
    assert low <= dispersion <= high


def test_poisson_at_its_ends() -> None:
    spikes = encode(PoissonEncoder, held([-1.0, 0.0, 1.0, 2.0], 200), max_rate=1000.0)
    assert spikes.sum(0).tolist() == [0, 0, 200, 200]


def test_poisson_is_silent_at_zero_even_when_the_draw_is_zero() -> None:
    p = prepare(PoissonEncoder, {"input": (1,), "output": (1,)}, 1.0)
    zero = np.zeros((1, 1), np.float32)
    assert PoissonEncoder.step(OPS, Values(), Values(input=zero, draw=zero), p, 1.0)[1]["output"].sum() == 0


VALUES = arrays(np.float32, 6, elements=st.floats(-0.5, 2, width=32))


@given(VALUES, st.sampled_from(["linear", "log"]), st.sampled_from([0.05, 0.2, 0.5]))
def test_latency_fires_once_and_larger_is_never_later(
    values: np.ndarray, form: str, threshold: float
) -> None:
    spikes = encode(Latency, held(values, 60), form=form, threshold=threshold, t_max=50.0)
    assert np.array_equal(spikes.sum(0), (values > np.float32(threshold)).astype(float))
    first = np.where(spikes.any(0), spikes.argmax(0), 1000)
    order = np.argsort(-values, kind="stable")
    assert (np.diff(first[order]) >= 0).all()


@settings(max_examples=30)
@given(st.floats(0.21, 3), st.sampled_from([0.5, 1.0, 2.0]))
def test_latency_times_follow_their_formulas(value: float, dt: float) -> None:
    value = float(np.float32(value))
    formulas = {
        "linear": min(80.0, max(0.0, 80.0 * (1 - value))),
        "log": min(80.0, 15.0 * np.log(value / (value - float(np.float32(0.2))))),
    }
    for form, ms in formulas.items():
        assume(abs(ms / dt % 1 - 0.5) > 1e-3)  # a time between two steps may round either way in float32
        spikes = encode(Latency, held([value], 200), dt, form=form, threshold=0.2, t_max=80.0, tau=15.0)
        assert spikes[:, 0].argmax() == round(ms / dt)


def test_latency_takes_the_first_value_only() -> None:
    x = np.random.default_rng(1).random((50, 8))
    x[0] = 0.5
    spikes = encode(Latency, x, t_max=40.0)
    assert (spikes.argmax(0) == 20).all()
    assert (spikes.sum(0) == 1).all()


def test_logarithm_without_threshold_is_refused() -> None:
    assert [name for name, _ in Latency.check(parameters(Latency, form="log"))] == ["threshold"]


SIGNALS = arrays(
    np.float32, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(-5, 5, width=32)
)


@given(SIGNALS, st.floats(0.05, 2))
def test_delta_spikes_rebuild_the_signal(x: np.ndarray, threshold: float) -> None:
    channels = x.shape[1]
    spikes = encode(Delta, x, threshold=threshold)
    up, down = spikes[:, :channels], spikes[:, channels:]
    rebuilt = x[0] + threshold * np.cumsum(up - down, axis=0)
    rounding = 10 * FLOAT32 * len(x) * (5 + threshold * np.abs(spikes).sum(0).max())
    assert np.abs(rebuilt - x).max() <= threshold + rounding
    assert np.array_equal(spikes, np.floor(spikes))
    assert (up * down == 0).all(), "never up and down at once"
    assert spikes[0].sum() == 0
    assert spikes.min() >= 0


@given(SIGNALS, st.sampled_from([0.25, 0.5, 1.0]), st.booleans())
def test_delta_equals_the_level_crossing_definition(x: np.ndarray, threshold: float, several: bool) -> None:
    x = np.round(x * 8) / 8  # multiples of 1/8 are exact, so the definition in float64 has no other rounding
    expected = np.zeros((len(x), 2, x.shape[1]))
    for c, signal in enumerate(x.T):
        reference = signal[0]
        for t, value in enumerate(signal):
            polarity = 0 if value > reference else 1
            while abs(value - reference) >= threshold and (several or not expected[t, polarity, c]):
                reference += threshold * (1 - 2 * polarity)
                expected[t, polarity, c] += 1
    spikes = encode(Delta, x, threshold=threshold, several=several)
    assert np.array_equal(spikes, expected.reshape(len(x), -1))


def test_delta_of_a_plane_gets_an_axis_of_polarity() -> None:
    x = np.zeros((3, 4, 5))
    x[1:, 2, 3] = 0.5
    x[2, 0, 0] = -0.5
    spikes = encode(Delta, x, threshold=0.5)
    assert spikes.shape == (3, 2, 4, 5)
    assert [tuple(map(int, hit)) for hit in np.argwhere(spikes)] == [(1, 0, 2, 3), (2, 1, 0, 0)]


def test_fields_are_gaussians_on_an_even_grid() -> None:
    steps, rate, x = 4000, 200.0, np.array([0.1, 0.5, 0.93])
    spikes = encode(
        PopulationEncoder, held(x, steps), fields=5, low=0.0, high=2.0, overlap=0.8, max_rate=rate
    )
    assert spikes.shape == (steps, 3, 5)
    centres = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    chance = stats.norm.pdf(x[:, None], centres, 0.4) / stats.norm.pdf(0, 0, 0.4) * rate / 1000
    low, high = stats.binom.interval(1 - 1e-7, steps, chance)
    assert (low <= spikes.sum(0)).all()
    assert (spikes.sum(0) <= high).all()


def test_fields_fire_on_time() -> None:
    x = np.array([0.0, 0.52, 1.0])
    spikes = encode(PopulationEncoder, held(x, 60), 0.5, fields=4, spiking="latency", t_max=20.0, cutoff=0.2)
    activity = np.exp(-((x[:, None] - np.linspace(0, 1, 4)) ** 2) / (2 * (2 / 3 / 3) ** 2))
    assert np.array_equal(spikes.sum(0), activity >= 0.2)
    fired = activity >= 0.2
    assert np.array_equal(spikes.argmax(0)[fired], np.round(20 * (1 - activity) / 0.5)[fired])
    assert spikes[0, 0, 0] == 1, "a value at a centre fires at once"


def test_fields_of_an_empty_range_are_refused() -> None:
    assert [name for name, _ in PopulationEncoder.check(parameters(PopulationEncoder, low=1.0))] == ["low"]


@pytest.mark.parametrize("spec", [Delta, PopulationEncoder])
def test_a_target_of_another_shape_is_refused(spec: type[Node]) -> None:
    with pytest.raises(ValueError, match="its target takes"):
        spec.infer(parameters(spec), {"input": (3,), "output": (3,)})


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        (Latency, {}),
        (Latency, {"form": "log", "threshold": 0.2}),
        (Delta, {}),
        (PopulationEncoder, {"spiking": "latency"}),
    ],
)
def test_state_alone_carries_over_a_cut(spec: type[Node], given: dict[str, Any]) -> None:
    x = np.random.default_rng(3).random((20, 1, 4)).astype(np.float32)
    shapes = spec.infer(parameters(spec, **given), {"input": (4,), "output": None})
    p = prepare(spec, shapes, 5.0, **given)
    state = initial_state(spec, p, (4,), 1)
    whole, _ = scan(spec, p, {"input": x}, state, 20, 5.0)
    head, between = scan(spec, p, {"input": x[:7]}, state, 7, 5.0)
    tail, _ = scan(spec, p, {"input": x[7:]}, Values(between), 13, 5.0)
    assert all(np.array_equal(a["output"], b["output"]) for a, b in zip(whole, head + tail, strict=True))
