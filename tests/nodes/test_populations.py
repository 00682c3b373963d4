"""Integrate-and-fire populations against analytic solutions, and each rule against its definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nodes.ops import NumpyOps
from nodes.populations._firing import count
from nodes.populations._integration import current_to_potential
from nodes.populations.adlif import AdLIF
from nodes.populations.alif import ALIF
from nodes.populations.cuba import CuBa
from nodes.populations.integrate_and_fire import IF
from nodes.populations.leaky_integrator import LeakyIntegrator
from nodes.populations.lif import LIF
from nodes.roles import Population
from nodes.spec import Values
from tests.nodes.harness import parameters, prepare, simulate, spike_steps

ALL_LIF = (LIF, CuBa, ALIF, AdLIF, IF)
SILENT = {"v_th": 1e9}
taus = st.floats(1.0, 200.0)


def clear_of_rounding(x: float) -> bool:
    """Whether ceil(x) survives float32."""
    return 0.01 < x % 1 < 0.99


# --- leaky integrate-and-fire ----------------------------------------------------------------------------


@given(tau=taus, current=st.floats(-5, 5), dt=st.sampled_from([0.1, 0.5, 1.0, 3.0]), v_leak=st.floats(-2, 2))
def test_lif_charges_exponentially(tau: float, current: float, dt: float, v_leak: float) -> None:
    v = simulate(
        LIF, np.full(50, current), dt, tau_mem=tau, v_leak=v_leak, decay_input=True, resistance=2.0, **SILENT
    )["v"]
    t = dt * np.arange(1, 51)
    expected = v_leak + 2 * np.float32(current) * (1 - np.exp(-t / tau))
    np.testing.assert_allclose(v, expected, atol=1e-5, rtol=1e-5)


@given(tau=taus, dt=st.sampled_from([0.1, 1.0]))
def test_lif_forgets_a_pulse_exponentially(tau: float, dt: float) -> None:
    pulse = np.zeros(40)
    pulse[0] = 3.0
    v = simulate(LIF, pulse, dt, tau_mem=tau, **SILENT)["v"]
    np.testing.assert_allclose(v, 3 * np.exp(-dt * np.arange(40) / tau), atol=1e-5)


def test_euler_takes_the_difference_quotient() -> None:
    v = simulate(LIF, np.full(30, 2.0), 1.0, tau_mem=10.0, integration="euler", decay_input=True, **SILENT)[
        "v"
    ]
    np.testing.assert_allclose(v, 2 * (1 - 0.9 ** np.arange(1, 31)), atol=1e-6)


@given(tau=st.floats(5.0, 50.0), current=st.floats(1.1, 5.0), dt=st.sampled_from([0.1, 0.25, 1.0]))
def test_lif_interval_is_the_closed_form(tau: float, current: float, dt: float) -> None:
    """T = tau ln(I / (I - v_th)), up to the next step."""
    interval = tau / dt * math.log(current / (current - 1))
    assume(clear_of_rounding(interval) and interval < 300)
    steps = 4 * math.ceil(interval)
    fired = spike_steps(simulate(LIF, np.full(steps, current), dt, tau_mem=tau, decay_input=True)["spikes"])
    assert fired == [math.ceil(interval) * (k + 1) - 1 for k in range(4)]


@pytest.mark.parametrize("refractory", [0.0, 2.0, 7.0])
def test_lif_rate_follows_the_f_i_curve(refractory: float) -> None:
    """f = 1 / (t_ref + tau ln(I / (I - v_th))), and nothing below the rheobase."""
    currents, tau, dt, steps = np.linspace(0.5, 4.0, 15), 20.0, 0.05, 20_000
    spikes = simulate(
        LIF, np.tile(currents, (steps, 1)), dt, tau_mem=tau, decay_input=True, refractory=refractory
    )["spikes"]
    for current, train in zip(currents, spikes.T, strict=True):
        fired = spike_steps(train)
        if current <= 1:
            assert fired == []
            continue
        period = refractory + tau * math.log(current / (current - 1))
        measured = dt * np.diff(fired).mean()
        assert period - 1e-3 * period <= measured <= period + dt + 1e-3 * period


def test_leaky_integrator_is_a_lif_that_cannot_fire() -> None:
    current = np.random.default_rng(0).normal(size=(60, 4))
    for options in ({}, {"decay_input": True}, {"integration": "euler", "v_leak": 0.5, "resistance": 3.0}):
        ours = simulate(LeakyIntegrator, current, tau_mem=10.05, **options)
        assert set(ours) == {"v"}
        assert np.array_equal(ours["v"], simulate(LIF, current, tau_mem=10.05, **SILENT, **options)["v"])


@given(st.lists(st.integers(-64, 256), min_size=1, max_size=60))
def test_if_loses_nothing(currents: list[int]) -> None:
    """With subtraction, what came in is spikes times the threshold plus what is left, to the bit."""
    current = np.array(currents) / 64
    out = simulate(IF, current, max_spikes=1000)
    assert out["spikes"].sum() + out["v"][-1] == current.sum()


# --- thresholds, resets, refractoriness ------------------------------------------------------------------


@pytest.mark.parametrize(("compare", "expected"), [(">=", [1]), (">", [2])])
def test_compare_at_equality(compare: str, expected: list[int]) -> None:
    """0.5 a step reaches 1.0 exactly at the second step."""
    assert spike_steps(simulate(IF, np.full(3, 0.5), compare=compare)["spikes"]) == expected


@pytest.mark.parametrize(
    ("reset", "after"), [("subtract", 0.25), ("zero", 0.0), ("value", -0.5), ("none", 1.25)]
)
@pytest.mark.parametrize("spec", [LIF, IF, CuBa, ALIF, AdLIF])
def test_reset_rules(spec: type[Population], reset: str, after: float) -> None:
    extra: dict[str, Any] = {"decay_input": False} if "decay_input" in spec.params else {}
    drive = 1.25
    if spec is AdLIF:
        drive = 1.25 / -math.expm1(-1 / 15)
    out = simulate(spec, np.array([drive]), reset=reset, v_reset=-0.5, **extra)
    assert out["spikes"][0] == 1
    assert out["v"][0] == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize(
    ("reset", "expected"),
    [("subtract", [1.5, 1.25, 0.75]), ("zero", [1.5, 0.0, 0.5]), ("value", [1.5, -0.25, 0.25])],
)
def test_reset_in_the_next_step_comes_after_the_input(reset: str, expected: list[float]) -> None:
    """The potential of the step of the spike is left as it is; the next step integrates, then resets."""
    out = simulate(IF, np.array([1.5, 0.75, 0.5]), reset=reset, v_reset=-0.25, reset_step="next")
    np.testing.assert_array_equal(out["v"], np.float32(expected))


@pytest.mark.parametrize("refractory", [0.0, 1.0, 3.0, 4.4])
@pytest.mark.parametrize("dt", [1.0, 0.5])
@pytest.mark.parametrize("spec", ALL_LIF)
def test_refractory_time_holds_the_membrane(spec: type[Population], refractory: float, dt: float) -> None:
    """A neuron driven hard fires every 1 + t_ref/dt steps, and keeps its potential in between."""
    given_ = {"beta": 0.0} if spec is ALIF else {"a": 0.0, "b": 0.0} if spec is AdLIF else {}
    out = simulate(
        spec, np.full(60, 1000.0), dt, refractory=refractory, reset="value", v_reset=-0.5, **given_
    )
    wait = round(refractory / dt)
    assert spike_steps(out["spikes"]) == list(range(0, 60, wait + 1))
    np.testing.assert_array_equal(out["v"], np.float32(-0.5))


def test_current_goes_on_while_refractory() -> None:
    kick = np.zeros(6)
    kick[0] = 100.0
    out = simulate(CuBa, kick, tau_syn=5.0, refractory=3.0)
    np.testing.assert_allclose(out["i"], 100 * np.exp(-np.arange(6) / 5), rtol=1e-6)
    assert spike_steps(out["spikes"]) == [0, 4]


@given(
    st.integers(-640, 6400),
    st.integers(1, 40),
    st.sampled_from([">", ">="]),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_several_spikes_are_the_subtracting_loop(
    sixteenths: int, cap: int, compare: str, v_th: float
) -> None:
    """While v reaches the threshold and the cap is not: count one, subtract the threshold."""
    v, n = sixteenths / 16, 0
    while (v >= v_th if compare == ">=" else v > v_th) and n < cap:
        v, n = v - v_th, n + 1
    out = simulate(IF, np.array([sixteenths / 16]), max_spikes=cap, compare=compare, v_th=v_th)
    assert (out["spikes"][0], out["v"][0]) == (n, v)


def test_several_spikes_learn_at_the_nearest_multiple_of_the_threshold() -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("engine.backend.ops").OPS
    p = Values(parameters(IF, max_spikes=3, surrogate="triangle", alpha=1.0))
    v = torch.tensor([0.2, 0.75, 1.45, 1.55, 3.25, 4.5], requires_grad=True)
    count(ops, v, p, p.v_th).sum().backward()
    # the triangle 1 - |v - k| about k = 1, 1, 1, 2, 3 and 3, the cap
    np.testing.assert_allclose(v.grad.numpy(), [0.2, 0.75, 0.55, 0.55, 0.75, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("given_", "parameter"),
    [
        ({"reset": "value", "v_reset": 1.0}, "v_reset"),
        ({"reset": "zero", "v_th": 0.0}, "v_th"),
        ({"reset": "subtract", "v_th": -1.0}, "v_th"),
        ({"reset": "zero", "max_spikes": 2}, "max_spikes"),
    ],
)
def test_a_neuron_that_could_never_stop_is_refused(given_: dict[str, Any], parameter: str) -> None:
    for spec in ALL_LIF:
        [(name, sentence)] = spec.check(parameters(spec, **given_))
        assert name == parameter
        assert sentence.startswith("must be ")


def test_biological_units_are_accepted() -> None:
    volts = {"v_th": -50.0, "v_leak": -70.0, "reset": "value", "v_reset": -65.0}
    assert LIF.check(parameters(LIF, **volts)) == []
    assert simulate(LIF, np.zeros(3), **volts)["v"].tolist() == [-70.0] * 3


def test_trained_values_are_one_per_neuron_and_start_as_given() -> None:
    current = np.random.default_rng(1).normal(0.4, 0.8, (80, 5))
    for spec in ALL_LIF:
        names = list(spec.params["train"].choices)
        plain, trained = simulate(spec, current), simulate(spec, current, train=names)
        assert np.array_equal(plain["spikes"], trained["spikes"])
        np.testing.assert_allclose(plain["v"], trained["v"], atol=1e-5)
    p = prepare(LIF, {"input": (5,), "spikes": (5,), "v": (5,)}, 1.0, train=["tau_mem"])
    assert p.a.shape == (5,)


# --- current-based ---------------------------------------------------------------------------------------


@given(tau_mem=taus, tau_syn=taus, dt=st.sampled_from([0.1, 1.0, 4.0]))
def test_cuba_exact_is_the_double_exponential(tau_mem: float, tau_syn: float, dt: float) -> None:
    """A unit current at t = 0 moves v by tau_syn/(tau_mem - tau_syn) (e^(-t/tau_mem) - e^(-t/tau_syn))."""
    assume(abs(tau_mem - tau_syn) > 0.01)
    pulse = np.zeros(40)
    pulse[0] = 1.0
    # the formula cancels where the constants are close: take it in float64, where it has digits to spare
    for current, first in (("new", 1), ("old", 0)):
        t = dt * (np.arange(40) + first)
        expected = tau_syn / (tau_mem - tau_syn) * (np.exp(-t / tau_mem) - np.exp(-t / tau_syn))
        out = simulate(
            CuBa, pulse, dt, tau_mem=tau_mem, tau_syn=tau_syn, integration="exact", current=current, **SILENT
        )
        np.testing.assert_allclose(out["v"], expected, atol=1e-5)


def test_cuba_exact_with_equal_constants_is_the_alpha_function() -> None:
    pulse = np.zeros(100)
    pulse[0] = 1.0
    t = np.arange(100)
    for options in ({}, {"train": ["tau_mem", "tau_syn"]}):
        exact = {"integration": "exact", "current": "old", **SILENT, **options}
        v = simulate(CuBa, pulse, tau_mem=10.0, tau_syn=10.0, **exact)["v"]
        np.testing.assert_allclose(v, t / 10 * np.exp(-t / 10), atol=1e-6)


@given(tau_mem=st.floats(0.1, 1e4), tau_syn=st.floats(0.1, 1e4))
def test_propagator_of_arrays_is_that_of_numbers(tau_mem: float, tau_syn: float) -> None:
    """Trained constants go another way, without the cancellation of the textbook formula."""
    ops = NumpyOps()
    plain = current_to_potential(ops, tau_mem, tau_syn, 1.0)
    arrays = current_to_potential(ops, np.full(2, tau_mem), np.full(2, tau_syn), 1.0)
    np.testing.assert_allclose(arrays, plain, rtol=2e-6, atol=1e-30)


@pytest.mark.parametrize("z", [0.0, 1e-6, 1e-3, 0.01, 0.029, 0.031, 0.1, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_propagator_near_equal_constants(z: float, sign: int) -> None:
    """z = dt/tau_syn - dt/tau_mem: on both sides of where the series takes over."""
    tau_mem, tau_syn = 0.5, 1 / (2 + sign * z)
    arrays = current_to_potential(NumpyOps(), np.full(2, tau_mem), np.full(2, tau_syn), 1.0)
    expected = 2 * math.exp(-2) * (-math.expm1(-sign * z) / (sign * z) if z else 1.0)
    np.testing.assert_allclose(arrays, expected, rtol=3e-7)


def test_propagator_has_the_right_gradient_where_the_formula_is_singular() -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("engine.backend.ops").OPS
    taus_mem = torch.tensor([10.0, 10.0, 20.0, 30.1], dtype=torch.float64, requires_grad=True)
    taus_syn = torch.tensor([10.0, 10.001, 5.0, 30.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m, s: current_to_potential(ops, m, s, 1.0), (taus_mem, taus_syn))


# --- adaptive --------------------------------------------------------------------------------------------


def test_alif_threshold_jumps_with_a_spike_and_decays() -> None:
    pulse = np.zeros(50)
    pulse[3] = 30.0
    out = simulate(ALIF, pulse, tau_adapt=20.0, beta=1.5)
    assert spike_steps(out["spikes"]) == [3]
    rho = math.exp(-1 / 20)
    np.testing.assert_array_equal(out["threshold"][:4], 1)
    expected = 1 + 1.5 * (1 - rho) * rho ** np.arange(46)
    np.testing.assert_allclose(out["threshold"][4:], expected, rtol=1e-6)


def test_alif_settles_to_the_closed_form() -> None:
    """Firing every n steps, b before a spike is (1 - rho) rho^(n-1) / (1 - rho^n), and v grows from its reset
    to that threshold within the n steps, not within n - 1."""
    out = simulate(ALIF, np.full(4000, 3.0), reset="zero", tau_mem=20.0, tau_adapt=100.0, beta=5.0)
    fired = spike_steps(out["spikes"])
    intervals = np.diff(fired)
    assert (np.diff(intervals) >= 0).all(), "intervals grow while the threshold rises"
    n, rho, a = int(intervals[-1]), math.exp(-1 / 100), math.exp(-1 / 20)
    assert (intervals[-5:] == n).all()
    threshold = 1 + 5 * (1 - rho) * rho ** (n - 1) / (1 - rho**n)
    assert out["threshold"][fired[-1]] == pytest.approx(threshold, rel=1e-5)
    assert 3 * (1 - a**n) >= threshold > 3 * (1 - a ** (n - 1))


def test_alif_with_unscaled_jumps_counts_spikes() -> None:
    out = simulate(ALIF, np.full(20, 1e6), tau_adapt=1e6, beta=1.0, scale_jump=False)
    np.testing.assert_allclose(out["threshold"], 1 + np.arange(20), rtol=1e-4)


def yin_reference(
    current: np.ndarray, tau_m: float, tau_adp: float, b_0: float
) -> tuple[np.ndarray, np.ndarray]:
    """The recurrence of Yin, Corradi & Bohte 2021 in float64, from the paper: (spikes, membrane)."""
    alpha, rho = math.exp(-1 / tau_m), math.exp(-1 / tau_adp)
    u = eta = spike = np.zeros(current.shape[1])
    spikes, membrane = [], []
    for drive in current:
        eta = rho * eta + (1 - rho) * spike
        theta = b_0 + 1.8 * eta
        u = alpha * u + (1 - alpha) * drive - theta * spike
        spike = (u > theta).astype(float)
        spikes.append(spike)
        membrane.append(u)
    return np.stack(spikes), np.stack(membrane)


def test_alif_preset_is_the_published_ecg_neuron() -> None:
    current = np.random.default_rng(4).normal(0.5, 2.0, (400, 30)).astype(np.float32)
    spikes, membrane = yin_reference(current, 20.0, 7.0, 0.01)
    out = simulate(ALIF, current, **ALIF.presets()["yin2021"], tau_mem=20.0, tau_adapt=7.0)
    assert spikes.mean() > 0.05
    assert np.array_equal(out["spikes"], spikes)
    np.testing.assert_allclose(out["v"], membrane, atol=1e-5)


def test_adlif_is_the_published_recurrence() -> None:
    """Bittar & Garner 2022: w = rho w + a u + b s; u = alpha (u - s) + (1 - alpha)(I - w); s = u > 1."""
    current = np.random.default_rng(5).normal(2.0, 6.0, (300, 25)).astype(np.float32)
    alpha, rho = math.exp(-1 / 12), math.exp(-1 / 60)
    u = w = s = np.zeros(25)
    expected = []
    for drive in current:
        w = rho * w + 0.05 * u + 0.4 * s
        u = alpha * (u - s) + (1 - alpha) * (drive - w)
        s = (u > 1).astype(float)
        expected.append(s)
    out = simulate(AdLIF, current, tau_mem=12.0, tau_w=60.0, a=0.05, b=0.4, compare=">")
    assert 0.02 < np.mean(expected) < 0.5
    assert np.array_equal(out["spikes"], np.stack(expected))
