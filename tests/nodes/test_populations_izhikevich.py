"""Izhikevich: the published regimes, and the same spikes as programs written from the two papers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from nodes.populations.izhikevich import Izhikevich
from nodes.spec import Values
from tests.nodes.harness import parameters, simulate, spike_steps


def drive(current: float, onset: float, length: float, dt: float) -> np.ndarray:
    """A step of current at ``onset`` ms."""
    t = dt * np.arange(round(length / dt))
    return np.where(t >= onset, current, 0.0).astype(np.float32)


def program_2004(
    current: np.ndarray, dt: float, a: float, b: float, c: float, d: float, v: float
) -> list[int]:
    """The loop of figure 1 of the 2004 paper: steps at which v passed 30 mV."""
    u, fired = b * v, []
    for n, i in enumerate(current.astype(float)):
        v = v + dt * (0.04 * v**2 + 5 * v + 140 - u + i)
        u = u + dt * a * (b * v - u)
        if v >= 30:
            fired.append(n)
            v, u = c, u + d
    return fired


def program_2003(current: np.ndarray, a: float, b: float, c: float, d: float, v: float = -65.0) -> list[int]:
    """The loop of the 2003 paper, 1 ms steps: reset at the start of a step, then two half steps of v."""
    u, fired = b * v, []
    for n, i in enumerate(current.astype(float)):
        if v >= 30:
            fired.append(n - 1)
            v, u = c, u + d
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + i)
        v += 0.5 * (0.04 * v**2 + 5 * v + 140 - u + i)
        u += a * (b * v - u)
    return fired + ([len(current) - 1] if v >= 30 else [])


# regime, current, v at the start, dt, length and onset in ms: as in the program of the 2004 figure
PUBLISHED = [
    ("tonic spiking", 14.0, -70.0, 0.25, 100.0, 10.0),
    ("phasic spiking", 0.5, -64.0, 0.25, 200.0, 20.0),
    ("tonic bursting", 15.0, -70.0, 0.25, 220.0, 22.0),
    ("phasic bursting", 0.6, -64.0, 0.2, 200.0, 20.0),
    ("mixed mode", 10.0, -70.0, 0.25, 160.0, 16.0),
    ("spike frequency adaptation", 30.0, -70.0, 0.25, 85.0, 8.5),
]


def times(regime: str, current: float, v: float, dt: float, length: float, onset: float) -> np.ndarray:
    out = simulate(
        Izhikevich,
        drive(current, onset, length, dt),
        dt,
        **Izhikevich.presets()[regime],
        v_init=v,
        integration="euler",
    )
    return dt * np.array(spike_steps(out["spikes"]))


@pytest.mark.parametrize(("regime", "current", "v", "dt", "length", "onset"), PUBLISHED, ids=lambda x: str(x))
def test_regimes_fire_with_the_published_program(
    regime: str, current: float, v: float, dt: float, length: float, onset: float
) -> None:
    """float32 against float64: the same number of spikes, each within one step."""
    expected = dt * np.array(
        program_2004(drive(current, onset, length, dt), dt, **Izhikevich.presets()[regime], v=v)
    )
    found = times(regime, current, v, dt, length, onset)
    assert len(found) == len(expected) > 0
    assert np.abs(found - expected).max() <= dt


def bursts(fired: np.ndarray, gap: float = 10.0) -> list[int]:
    """Number of spikes in each group closer than ``gap`` ms."""
    edges = np.flatnonzero(np.diff(fired) > gap) + 1
    return [len(group) for group in np.split(fired, edges)]


def test_patterns_are_those_of_the_figure() -> None:
    fired = {case[0]: times(*case) for case in PUBLISHED}
    assert all(f[0] >= case[5] for f, case in zip(fired.values(), PUBLISHED, strict=True)), (
        "silent before the current"
    )

    tonic = times("tonic spiking", 14.0, -70.0, 0.25, 400.0, 10.0)
    assert tonic[-1] > 370, "it goes on"
    assert np.ptp(np.diff(tonic)[2:]) <= 1, "and is regular once settled"

    assert len(fired["phasic spiking"]) == 1
    assert fired["phasic spiking"][0] < 60, "at the onset"

    groups = bursts(fired["tonic bursting"])
    assert len(groups) >= 3
    assert min(groups[:-1]) >= 2, "every burst has several spikes"

    assert len(bursts(fired["phasic bursting"], 40.0)) == 1
    assert len(fired["phasic bursting"]) >= 3
    assert fired["phasic bursting"][-1] < 130, "then it falls silent"

    mixed = bursts(fired["mixed mode"])
    assert mixed[0] >= 2
    assert set(mixed[1:]) == {1}, "a burst, then single spikes"
    assert len(mixed) >= 3

    slowing = np.diff(fired["spike frequency adaptation"])
    assert slowing[-1] > 2 * slowing[0]
    assert (np.diff(slowing) >= -0.25).all()


@pytest.mark.parametrize(
    ("regime", "current"),
    [
        ("regular spiking", 10.0),
        ("intrinsically bursting", 10.0),
        ("chattering", 10.0),
        ("fast spiking", 10.0),
        ("low-threshold spiking", 10.0),
        ("resonator", 2.0),
    ],
)
def test_half_steps_are_the_program_of_2003(regime: str, current: float) -> None:
    """In float64: steps of 1 ms overshoot the spike, which makes rounding errors grow tenfold per spike."""
    stimulus = drive(current, 20.0, 400.0, 1.0)
    preset = Izhikevich.presets()[regime]
    expected = program_2003(stimulus, **preset)
    assert len(expected) > 3
    assert spike_steps(simulate(Izhikevich, stimulus, dtype=np.float64, **preset)["spikes"]) == expected
    single = spike_steps(simulate(Izhikevich, stimulus, **preset)["spikes"])
    assert single[:4] == expected[:4]


def test_cell_classes_differ_as_described_in_2003() -> None:
    """Regular spiking slows down at first, fast spiking fires fast and does not, low-threshold spiking does;
    chattering fires in bursts, intrinsically bursting once in a burst and then singly.
    """
    stimulus = drive(10.0, 20.0, 500.0, 0.5)
    fired = {
        regime: 0.5
        * np.array(spike_steps(simulate(Izhikevich, stimulus, 0.5, **Izhikevich.presets()[regime])["spikes"]))
        for regime in (
            "regular spiking",
            "fast spiking",
            "chattering",
            "intrinsically bursting",
            "low-threshold spiking",
        )
    }
    assert len(fired["fast spiking"]) > 2 * len(fired["regular spiking"])
    assert len(fired["low-threshold spiking"]) > len(fired["regular spiking"])
    intervals = {regime: np.diff(f) for regime, f in fired.items()}
    assert intervals["regular spiking"][1] > 1.5 * intervals["regular spiking"][0]
    assert intervals["low-threshold spiking"][-5:].mean() > 3 * intervals["low-threshold spiking"][0]
    steady = intervals["fast spiking"][1:]
    assert steady[-5:].mean() == pytest.approx(steady[:5].mean(), rel=0.2)
    assert min(bursts(fired["chattering"], 15.0)[:-1]) >= 3
    groups = bursts(fired["intrinsically bursting"], 12.0)
    assert groups[0] >= 2
    assert groups[-2:] == [1, 1]


def test_small_steps_converge_to_the_differential_equation() -> None:
    """scipy's adaptive solver with spikes as events, against steps of 1/100 ms."""
    preset, state, t, expected = Izhikevich.presets()["regular spiking"], np.array([-65.0, -13.0]), 0.0, []

    def slope(_: float, y: np.ndarray) -> list[float]:
        return [0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + 10, preset["a"] * (preset["b"] * y[0] - y[1])]

    def peak(_: float, y: np.ndarray) -> float:
        return float(y[0] - 30)

    peak.terminal = True  # type: ignore[attr-defined]
    while True:
        leg = solve_ivp(slope, (t, 200.0), state, events=peak, rtol=1e-8, atol=1e-8)
        if leg.status == 0:
            break
        t = float(leg.t[-1])
        expected.append(t)
        state = np.array([preset["c"], leg.y[1, -1] + preset["d"]])
    found = simulate(Izhikevich, np.full(20_000, 10.0), 0.01, **preset)["spikes"]
    assert len(expected) >= 4
    np.testing.assert_allclose(0.01 * (np.array(spike_steps(found)) + 1), expected, rtol=0.005)


def test_it_starts_at_rest_on_u() -> None:
    p = parameters(Izhikevich, b=0.25, v_init=-64.0)
    assert dict(Izhikevich.state_of(p)) == {"v": "v_init", "u": -16.0}
    assert Izhikevich.check(Values(p | {"c": 40.0}))[0][0] == "c"
