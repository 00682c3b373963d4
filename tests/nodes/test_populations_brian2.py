"""Populations against Brian2 (exact integration, numpy code): the same spikes at the same times.

Conventions that the comparison states: in Brian2 a refractory time counts the step of the spike, so it is
given one dt more than ours; a spike's arrival and a threshold's jump count from the next step on.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nodes.populations.alif import ALIF
from nodes.populations.cuba import CuBa
from nodes.populations.izhikevich import Izhikevich
from nodes.populations.lif import LIF
from tests.nodes.harness import simulate

pytestmark = pytest.mark.brian2
NEURONS = 8


@pytest.fixture(scope="module")
def brian() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside Brian2 and its dependencies are not ours
        module = pytest.importorskip("brian2")
        module.prefs.codegen.target = "numpy"
        module.BrianLogger.suppress_name("resolution_conflict")
        yield module


def run_brian(
    b: Any,
    equations: str,
    drive: np.ndarray,
    dt: float,
    method: str = "exact",
    start: dict[str, Any] | None = None,
    jumps: bool = False,
    **group: Any,
) -> np.ndarray:
    """Spikes ``[time, neurons]`` of a group driven by ``drive`` ``[time, neurons]``, named ``drive(t, i)``.

    ``jumps``: instead add ``drive`` of each step to ``current`` before that step.
    """
    values = b.TimedArray(drive.astype(float), dt=dt * b.ms)
    namespace = {"drive": values, "ms": b.ms}
    neurons = b.NeuronGroup(
        drive.shape[1], equations, method=method, dt=dt * b.ms, namespace=namespace, **group
    )
    for name, value in (start or {}).items():
        setattr(neurons, name, value)
    monitor = b.SpikeMonitor(neurons)
    objects = [neurons, monitor]
    if jumps:
        objects.append(neurons.run_regularly("current += drive(t, i)", dt=dt * b.ms, when="start"))
    b.Network(objects).run(len(drive) * dt * b.ms)
    spikes = np.zeros(drive.shape, np.float32)
    spikes[np.rint(np.asarray(monitor.t / b.ms) / dt).astype(int), np.asarray(monitor.i)] = 1
    return spikes


def noisy_current(seed: int, steps: int, mean: float, deviation: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, (steps, NEURONS)).astype(np.float32)


@pytest.mark.parametrize("refractory", [0.0, 3.0])
@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_lif_spikes_as_in_brian2(brian: Any, dt: float, refractory: float) -> None:
    drive = noisy_current(1, 800, 1.2, 1.5)
    expected = run_brian(
        brian,
        "dv/dt = (0.1 - v + 1.5 * drive(t, i)) / (15*ms) : 1 (unless refractory)",
        drive,
        dt,
        threshold="v > 1",
        reset="v = -0.2",
        refractory=(refractory + dt) * brian.ms,
        start={"v": 0.1},
    )
    lif = {n: v for n, v in LIF.presets()["brian2"].items() if n != "lag"}
    found = simulate(
        LIF, drive, dt, tau_mem=15.0, v_leak=0.1, resistance=1.5, v_reset=-0.2, refractory=refractory, **lif
    )
    assert expected.sum() > 50
    assert np.array_equal(found["spikes"], expected)


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_cuba_spikes_as_in_brian2(brian: Any, dt: float) -> None:
    rng = np.random.default_rng(2)
    drive = (rng.random((800, NEURONS)) < 0.3) * rng.choice([0.6, 0.9, -0.3], (800, NEURONS))
    expected = run_brian(
        brian,
        "dv/dt = (-v + current) / (20*ms) : 1\ndcurrent/dt = -current / (5*ms) : 1",
        drive.astype(np.float32),
        dt,
        threshold="v > 0.3",
        reset="v = 0",
        jumps=True,
    )
    cuba = {n: v for n, v in CuBa.presets()["brian2"].items() if n != "lag"}
    found = simulate(CuBa, drive, dt, tau_mem=20.0, tau_syn=5.0, v_th=0.3, **cuba)["spikes"]
    assert expected.sum() > 50
    assert np.array_equal(found, expected)


def test_alif_spikes_as_in_brian2(brian: Any) -> None:
    """Brian2 lets b decay in the step of its jump too, so its jump is ours divided by rho."""
    drive, rho = noisy_current(3, 1000, 3.0, 3.0), math.exp(-1 / 80)
    expected = run_brian(
        brian,
        "dv/dt = (-v + drive(t, i)) / (20*ms) : 1\ndb/dt = -b / (80*ms) : 1",
        drive,
        1.0,
        threshold="v > 0.5 + 2 * b",
        reset=f"v -= 0.5 + 2 * b\nb += {(1 - rho) / rho}",
    )
    found = simulate(ALIF, drive, tau_mem=20.0, tau_adapt=80.0, v_th=0.5, beta=2.0, compare=">")["spikes"]
    assert expected.sum() > 50
    assert np.array_equal(found, expected)


def test_izhikevich_spikes_as_in_brian2(brian: Any) -> None:
    """Brian2's Euler steps both variables from the old values; at 1/64 ms the two orders agree within 2 %."""
    drive = np.tile(np.linspace(4, 15, NEURONS, dtype=np.float32), (6400, 1))
    expected = run_brian(
        brian,
        "dv/dt = (0.04*v**2 + 5*v + 140 - u + drive(t, i))/ms : 1\ndu/dt = 0.02*(0.2*v - u)/ms : 1",
        drive,
        1 / 64,
        method="euler",
        threshold="v >= 30",
        reset="v = -65\nu += 8",
        start={"v": -65.0, "u": -13.0},
    )
    found = simulate(Izhikevich, drive, 1 / 64, integration="euler")["spikes"]
    assert expected.sum() > 10
    assert np.array_equal(found.sum(0), expected.sum(0))
    for ours, theirs in zip(found.T, expected.T, strict=True):
        late = np.flatnonzero(ours) - np.flatnonzero(theirs)
        assert np.abs(late).max(initial=0) <= 0.02 * 6400
