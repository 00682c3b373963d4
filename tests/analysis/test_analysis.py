"""Statistics of spike trains against cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine import analysis


def clock(every: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    steps = np.arange(0, last, every)
    return steps, np.zeros_like(steps)


def test_a_clock_has_one_interval_and_no_irregularity() -> None:
    steps, neurons = clock(7, 700)
    gaps, owners = analysis.intervals(steps, neurons)
    assert set(gaps) == {7}
    assert len(gaps) == 99
    assert set(owners) == {0}
    assert analysis.irregularity(steps, neurons) == pytest.approx([0.0])


def test_intervals_do_not_cross_neurons_and_need_no_order() -> None:
    steps, neurons = np.array([9, 1, 4, 2, 6]), np.array([0, 0, 1, 0, 1])
    gaps, owners = analysis.intervals(steps, neurons)
    assert list(zip(owners.tolist(), gaps.tolist(), strict=True)) == [(0, 1), (0, 7), (1, 2)]


def test_a_poisson_process_is_as_irregular_as_an_exponential() -> None:
    rng = np.random.default_rng(1)
    steps, neurons = np.nonzero(rng.random((100_000, 20)) < 0.01)
    p = 0.01
    assert analysis.irregularity(steps, neurons).mean() == pytest.approx(np.sqrt(1 - p), abs=0.02)
    counted = analysis.counts(steps, neurons, 20, 0, 100_000, 100)
    assert analysis.fano(counted) == pytest.approx(1 - p, abs=0.03)
    assert analysis.synchrony(counted) == pytest.approx(1 / np.sqrt(20), abs=0.02)


def test_too_few_intervals_tell_nothing() -> None:
    nothing = np.empty(0, np.int64)
    assert analysis.irregularity(nothing, nothing).size == 0
    assert analysis.irregularity(*clock(5, 15)).size == 0
    silent = analysis.counts(nothing, nothing, 3, 0, 100, 10)
    assert silent.shape == (3, 10)
    assert analysis.fano(silent) is None
    assert analysis.synchrony(silent) is None


def test_neurons_in_step_have_full_synchrony() -> None:
    steps = np.repeat(np.arange(0, 1000, 30), 5)
    neurons = np.tile(np.arange(5), len(steps) // 5)
    assert analysis.synchrony(analysis.counts(steps, neurons, 5, 0, 1000, 10)) == pytest.approx(1.0)


def test_rates_are_per_second() -> None:
    assert analysis.rates(np.array([0, 0, 2]), 3, 500.0).tolist() == [4.0, 0.0, 2.0]


def test_counts_leave_out_what_lies_outside_whole_windows() -> None:
    counted = analysis.counts(np.array([4, 5, 9, 24, 26]), np.zeros(5, np.int64), 1, 5, 27, 10)
    assert counted.tolist() == [[2, 1]]


def test_smoothing_keeps_a_constant_and_spreads_a_peak() -> None:
    assert analysis.smooth(np.full(9, 3.0), 4) == pytest.approx(3.0)
    assert analysis.smooth(np.array([0, 0, 3.0, 0, 0]), 3) == pytest.approx([0, 1, 1, 1, 0])
    assert analysis.smooth(np.array([2.0, np.nan, 4.0]), 3) == pytest.approx([2.0, 3.0, 4.0])


def test_thinning_keeps_every_peak() -> None:
    x, y = np.arange(100_000), np.zeros(100_000)
    y[[5, 31_417, 99_999]], y[70_000] = [1, 2, 3], -4
    thin_x, thin_y = analysis.peaks(x, y, 5000)
    assert len(thin_x) <= 5000
    assert sorted(thin_y[thin_y != 0]) == [-4, 1, 2, 3]
    assert set(thin_x[thin_y != 0]) == {5, 31_417, 70_000, 99_999}
    assert (np.diff(thin_x) >= 0).all()


def test_thinning_keeps_gaps_and_short_curves() -> None:
    y = np.zeros(1000)
    y[500] = np.nan
    assert np.isnan(analysis.peaks(np.arange(1000), y, 100)[1]).any()
    assert analysis.peaks(np.arange(3), np.arange(3), 5)[1].tolist() == [0, 1, 2]
