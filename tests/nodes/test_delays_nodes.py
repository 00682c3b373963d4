"""Delays: what they span, what they are at first, and for whom they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nodes.delays.fixed import FixedDelays
from nodes.delays.learnable import LearnableDelays
from nodes.delays.random import RandomDelays
from nodes.roles import Delays
from tests.nodes.harness import parameters

SHAPES = {"synapse": (3, 5), "axonal": (5,), "dendritic": (3,), "projection": (1,)}
KINDS = (FixedDelays, LearnableDelays, RandomDelays)


def drawn(
    spec: type[Delays], shape: tuple[int, ...], dt: float = 1.0, seed: int = 0, **given: Any
) -> np.ndarray:
    p = parameters(spec, **given)
    assert spec.check(p) == []
    return spec.values(p, dt)(np.random.default_rng(seed), shape)


@pytest.mark.parametrize("spec", KINDS)
@pytest.mark.parametrize("granularity", SHAPES)
def test_every_granularity_gets_its_shape(spec: type[Delays], granularity: str) -> None:
    shape = SHAPES[granularity]
    assert drawn(spec, shape, granularity=granularity).shape == shape
    assert "extend" in spec.params


def test_only_learnable_delays_learn() -> None:
    assert [spec.learns(parameters(spec)) for spec in KINDS] == [False, True, False]


@given(
    st.floats(0, 100),
    st.floats(0, 100),
    st.sampled_from([0.1, 0.5, 1.0, 10.0]),
    st.sampled_from(["uniform", "normal", "exponential"]),
)
def test_random_delays_are_whole_steps_within_their_span(
    a: float, b: float, dt: float, distribution: str
) -> None:
    low, high = sorted((a, b))
    given = {"low": low, "high": high, "mean": (low + high) / 2, "distribution": distribution}
    assert RandomDelays.span(parameters(RandomDelays, **given)) == (low, high)
    steps = drawn(RandomDelays, (40, 50), dt, **given)
    assert np.array_equal(steps, np.round(steps))
    assert round(low / dt) <= steps.min() <= steps.max() <= round(high / dt)


def test_uniform_delays_reach_both_ends_equally_often() -> None:
    steps = drawn(RandomDelays, (100, 100), 2.0, low=4.0, high=12.0)
    counts = np.bincount(steps.astype(int).ravel(), minlength=7)
    assert counts[:2].sum() == 0
    assert stats.chisquare(counts[2:7]).pvalue > 1e-4
    assert counts.size == 7


@pytest.mark.parametrize("distribution", ["normal", "exponential"])
def test_other_distributions_follow_their_truncated_law(distribution: str) -> None:
    low, high, mean, sd = 2.0, 20.0, 9.0, 6.0
    ms = (
        drawn(RandomDelays, (20_000,), 1e-3, low=low, high=high, mean=mean, sd=sd, distribution=distribution)
        * 1e-3
    )
    law = (
        stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
        if distribution == "normal"
        else stats.truncexpon((high - low) / sd, low, sd)
    )
    assert stats.kstest(ms, law.cdf).pvalue > 1e-4


def test_seed_of_random_delays() -> None:
    assert not np.array_equal(drawn(RandomDelays, (50,), seed=1), drawn(RandomDelays, (50,), seed=2))
    assert np.array_equal(drawn(RandomDelays, (50,), seed=1), drawn(RandomDelays, (50,), seed=1))
    own = RandomDelays.values(parameters(RandomDelays, seed=7), 1.0)
    assert np.array_equal(own(np.random.default_rng(1), (50,)), own(np.random.default_rng(2), (50,)))


@pytest.mark.parametrize(
    ("spec", "given", "where"),
    [
        (RandomDelays, {"low": 5.0, "high": 4.0}, "low"),
        (RandomDelays, {"distribution": "normal", "mean": 30.0}, "mean"),
        (LearnableDelays, {"min_delay": 30.0}, "min_delay"),
        (FixedDelays, {"table": [1.0, -1.0]}, "table"),
        (FixedDelays, {"table": [1.0, 2e5]}, "table"),
        (FixedDelays, {"table": [[1.0, 2.0], [3.0]]}, "table"),
        (FixedDelays, {"table": ["soon"]}, "table"),
        (FixedDelays, {"table": [[]]}, "table"),
        (FixedDelays, {"file": "nowhere.csv"}, "file"),
    ],
)
def test_contradictions_are_named(spec: type[Delays], given: dict[str, Any], where: str) -> None:
    problems = spec.check(parameters(spec, **given))
    assert [name for name, _ in problems] == [where]


def test_fixed_number_fills_every_shape() -> None:
    p = parameters(FixedDelays, delay=7.4)
    assert FixedDelays.span(p) == (7.4, 7.4)
    assert np.array_equal(drawn(FixedDelays, (2, 3), 2.0, delay=7.4), np.full((2, 3), 4.0))


def test_fixed_list_goes_to_sources_or_targets_in_order() -> None:
    table = [0.0, 2.0, 5.0]
    assert FixedDelays.span(parameters(FixedDelays, table=table)) == (0.0, 5.0)
    assert drawn(FixedDelays, (3,), 1.0, table=table, granularity="axonal").tolist() == [0, 2, 5]
    assert drawn(FixedDelays, (1, 3), 1.0, table=table, granularity="axonal").tolist() == [[0, 2, 5]]


def test_fixed_matrix_has_rows_for_targets(tmp_path: Path) -> None:
    table = [[1, 2, 3], [4, 5, 6]]
    np.savetxt(tmp_path / "d.csv", table, delimiter=",")
    for source in ({"table": table}, {"file": str(tmp_path / "d.csv")}):
        assert drawn(FixedDelays, (2, 3), 0.5, **source).tolist() == [[2, 4, 6], [8, 10, 12]]


@pytest.mark.parametrize(("table", "shape"), [([1.0, 2.0], (3,)), ([[1, 2, 3], [4, 5, 6]], (3, 2))])
def test_fixed_delays_that_do_not_fit_are_refused(table: list[Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="are given"):
        drawn(FixedDelays, shape, table=table)


def test_learnable_delays_start_within_their_taps() -> None:
    steps = drawn(LearnableDelays, (100, 100), 10.0, max_delay=240.0)
    assert steps.min() >= 0
    assert steps.max() == 24  # the last of 25 taps, drawn from 25 wide and clamped
    assert 0.02 < (steps == 24).mean() < 0.06
    assert steps.mean() == pytest.approx(12.48, abs=0.5)
    assert np.all(drawn(LearnableDelays, (4,), 10.0, max_delay=240.0, init="half") == 12)
    assert np.all(drawn(LearnableDelays, (4,), 10.0, max_delay=240.0, min_delay=10.0, init="zero") == 1)


def test_delays_from_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "ms.npy", np.array([[1.0, 2.0], [3.0, 6.0]]))
    p = parameters(FixedDelays, file=str(tmp_path / "ms.npy"), delay=9.0)
    assert FixedDelays.check(p) == []
    assert FixedDelays.span(p) == (1.0, 6.0)
    drawn = FixedDelays.values(p, 0.5)(np.random.default_rng(0), (2, 2))
    assert drawn.tolist() == [[2, 4], [6, 12]]
    ((name, words),) = FixedDelays.check(parameters(FixedDelays, file=str(tmp_path / "none.npy")))
    assert name == "file"
    assert words
