"""Networks in integers: what a step is, exactly, and what it never does."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MyelinError
from engine.export.fixed import network as fixed_module
from engine.export.fixed.lowering import coefficient
from engine.export.fixed.network import (
    FixedNetwork,
    FixedSynapses,
    FixedUnit,
    Format,
    Widths,
    fix,
    prepared,
    real_signals,
    rounded,
    simulate_fixed,
)
from engine.export.fixed.words import converted, said
from engine.export.frozen import Frozen, Unit
from engine.export.live import live_state
from engine.export.simulate import simulate
from engine.export.whole import whole_signals, whole_values
from engine.program import Source
from tests.backend.graphs import Drawer
from tests.compile.drawing import new_document
from tests.export.networks import compiled, network, recorded


def layer(gain: float = 3.0, **parameters: Any) -> Frozen:
    """Six channels of spikes, delayed, into three LIF neurons."""
    drawing = new_document(seed=4)
    source = drawing.add("population.poisson", size=[6])
    weights = drawing.add("projection.dense", gain=gain, name="weights")
    delays = drawing.add("delays.random", high=4.0)
    cells = drawing.add("population.lif", size=[3], name="cells", **parameters)
    drawing.connect(source, "spikes", weights, "input")
    drawing.connect(delays, "delays", weights, "delays")
    drawing.connect(weights, "output", cells, "input")
    return prepared(compiled(drawing).frozen)[0]


def parts(fixed: FixedNetwork) -> tuple[FixedSynapses, FixedUnit]:
    synapses = next(part for part in fixed.parts if isinstance(part, FixedSynapses))
    return synapses, next(part for part in fixed.parts if isinstance(part, FixedUnit))


# --- numbers


@given(st.integers(-(2**50), 2**50), st.integers(-10, 12))
def test_shifts_round_halves_upwards(x: int, by: int) -> None:
    assert rounded(x, by) == math.floor(Fraction(x) / Fraction(2) ** by + (Fraction(1, 2) if by > 0 else 0))


@given(st.floats(-100, 100), st.integers(0, 20), st.integers(4, 30))
def test_the_nearest_number_of_a_format(x: float, fraction: int, bits: int) -> None:
    form = Format(fraction, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    q = int(form.nearest(x))
    assert form.bits == bits
    assert form.low <= q <= form.high
    if form.low < q < form.high:
        assert abs(Fraction(q, 2**fraction) - Fraction(x)) <= Fraction(1, 2 ** (fraction + 1))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.integers(4, 24))
def test_coefficients_have_their_bits(factors: list[float], bits: int) -> None:
    whole, fraction = coefficient(np.array(factors), bits)
    assert (np.abs(whole) < 2 ** (bits - 1)).all()
    wrong = np.abs(np.ldexp(whole.astype(float), -fraction) - factors)
    assert (wrong <= np.abs(factors).max() * 2.0 ** (2 - bits) + 2.0**-48).all()


# --- a step


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**31),
    st.sampled_from([8, 12, 16, 32]),
    st.floats(2.0, 50.0),
    st.sampled_from([">", ">="]),
    st.sampled_from(["zero", "subtract"]),
)
def test_lif_is_the_exact_rational_model(seed: int, bits: int, tau: float, compare: str, reset: str) -> None:
    fixed = fix(layer(tau_mem=tau, compare=compare, reset=reset), Widths(8, bits))
    synapses, cells = parts(fixed)
    source = next(iter(fixed.frozen.inputs))
    spikes = (np.random.default_rng(seed).random((40, 6)) < 0.3).astype(np.float32)
    found = simulate_fixed(fixed, {source: spikes}, 40, every=True)[Source(cells.id, "spikes")]
    assert np.array_equal(found, rational(fixed, synapses, cells, spikes, tau, compare, reset))


def rational(
    fixed: FixedNetwork,
    synapses: FixedSynapses,
    cells: FixedUnit,
    spikes: np.ndarray,
    tau: float,
    compare: str,
    reset: str,
) -> np.ndarray:
    """The published step in fractions, rounded and saturated where the head of fixed.py says so."""
    form, own = cells.state["v"].format, synapses.synapses
    current_form = fixed.signals[Source(synapses.id, "output")]
    decay = math.exp(-1.0 / tau)
    places = math.floor(math.log2((2 ** (fixed.widths.factor - 1) - 1) / decay))
    a = to_grid(Fraction(decay), places)
    weight = [Fraction(int(w)) / Fraction(2) ** synapses.fraction for w in synapses.weight]
    v_th = to_grid(Fraction(1), form.fraction)
    v = [Fraction(0)] * 3
    out = np.zeros((len(spikes), 3), np.int64)
    for t in range(len(spikes)):
        total = [Fraction(0)] * 3
        for pre, post, delay, w in zip(own.pre, own.post, own.delay, weight, strict=True):
            if t >= delay:
                total[post] += w * int(spikes[t - delay, pre])
        for n in range(3):
            current = held(to_grid(total[n], current_form.fraction), current_form)
            v[n] = to_grid(a * v[n], form.fraction) + current
            fires = v[n] > v_th if compare == ">" else v[n] >= v_th
            out[t, n] = fires
            after = v[n] - v_th if reset == "subtract" else Fraction(0)
            v[n] = held(after if fires else v[n], form)
    return out


def to_grid(x: Fraction, fraction: int) -> Fraction:
    return Fraction(math.floor(x * Fraction(2) ** fraction + Fraction(1, 2))) / Fraction(2) ** fraction


def held(x: Fraction, form: Format) -> Fraction:
    low, high = (Fraction(end) / Fraction(2) ** form.fraction for end in (form.low, form.high))
    return min(max(x, low), high)


def test_state_and_signals_saturate_and_nothing_wraps() -> None:
    frozen = layer(gain=60.0)
    source = next(iter(frozen.inputs))
    for sign in (1, -1):
        bent = [p if isinstance(p, Unit) else _signed(p, sign) for p in frozen.parts]
        fixed = fix(frozen.with_parts(bent), Widths(8, 8))
        found = simulate_fixed(fixed, {source: np.full((80, 6), 255.0)}, 80, every=True)
        current = next(s for s in found if s.port == "output")
        form = fixed.signals[current]
        assert found[current].max() == form.high if sign > 0 else found[current].min() == form.low


def _signed(synapses: Any, sign: int) -> Any:
    return replace(synapses, weight=sign * np.abs(synapses.weight))


def test_no_operation_leaves_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fixed_module._Run._value
    seen = 0

    def watched(self: Any, node: Any, args: list[Any], state: Any, t: int) -> Any:
        nonlocal seen
        value = np.asarray(real(self, node, args, state, t))
        assert node.low <= value.min(), node
        assert value.max() <= node.high, node
        seen += 1
        return value

    monkeypatch.setattr(fixed_module._Run, "_value", watched)
    for seed in range(15):
        try:
            frozen, _ = prepared(compiled(Drawer(Random(seed)).draw()).frozen)
            fixed = fix(frozen, Widths(8, 16))
        except MyelinError:
            continue
        rng = np.random.default_rng(seed)
        inputs = {s: rng.integers(-40, 255, (20, *shape)) for s, shape in frozen.inputs.items()}
        simulate_fixed(fixed, inputs, 20)
    assert seen > 500


def test_more_bits_are_nearer() -> None:
    drawing = new_document(seed=4)
    source = drawing.add("population.poisson", size=[6])
    weights = drawing.add("projection.dense", gain=3.0)
    cells = drawing.add("population.leaky_integrator", size=[3])
    drawing.connect(source, "spikes", weights, "input")
    drawing.connect(weights, "output", cells, "input")
    frozen, _ = prepared(compiled(drawing).frozen)
    inputs = {s: np.random.default_rng(0).random((80, 6)) < 0.2 for s in frozen.inputs}
    ours = simulate(frozen, inputs, 80)
    wrong = []
    for widths in (Widths(4, 8), Widths(8, 12), Widths(12, 16), Widths(16, 32)):
        fixed = fix(frozen, widths)
        theirs = real_signals(fixed, simulate_fixed(fixed, inputs, 80))
        wrong.append(max(float(np.abs(ours[s] - theirs[s]).max()) for s in ours))
    assert wrong == sorted(wrong, reverse=True)
    assert wrong[-1] < 1e-3 < wrong[0]


def test_digits_in_integers_decide_as_the_engine() -> None:
    frozen = network("spoken-digits").frozen
    kept = converted(frozen, Widths(8, 16)).frozen
    assert isinstance(kept, fixed_module.FixedFrozen)
    for recording in recorded("spoken-digits"):
        ours = simulate(frozen, recording.inputs, recording.steps)
        votes = next(ours[s] for s in ours if s.port == "output")[-1]
        found = real_signals(kept.fixed, simulate_fixed(kept.fixed, recording.inputs, recording.steps))
        v = next(found[s] for s in found if s.port == "v")
        grown = np.exp(v - v.max(1, keepdims=True))
        assert (grown / grown.sum(1, keepdims=True)).sum(0).argmax() == votes.argmax()


# --- what is refused, and what is said


def test_what_grows_without_end_is_refused() -> None:
    drawing = new_document()
    cells = drawing.add("population.integrator", size=[2], name="integrator")
    back = drawing.add("projection.dense", gain=50.0, lag=1)
    drive = drawing.add("encoder.direct", offset=1.0)
    drawing.connect(drive, "output", cells, "input")
    drawing.connect(cells, "v", back, "input")
    drawing.connect(back, "output", cells, "input")
    with pytest.raises(MyelinError, match="grows without end"):
        fix(compiled(drawing).frozen, Widths())


def test_every_change_is_said_with_its_number() -> None:
    fixed = fix(layer(), Widths(8, 16))
    texts = [conversion.message for conversion in said(fixed)]
    assert len(texts) == 3
    assert "the weights of 'weights' have 8 bits" in texts[0]
    assert "v in 16 bits from -" in texts[1]
    assert "at most 255 spikes" in texts[2]


def test_the_same_network_gives_the_same_integers(tmp_path: Path) -> None:
    one, other = (fix(layer(), Widths(8, 16)) for _ in range(2))
    assert one.signals == other.signals
    for a, b in zip(one.parts, other.parts, strict=True):
        if isinstance(a, FixedUnit) and isinstance(b, FixedUnit):
            assert a.nodes == b.nodes


# --- whole numbers, and what is live


def test_spikes_flags_and_counters_are_whole_and_potentials_are_not() -> None:
    frozen = layer(refractory=3.0, reset_step="next", reset="subtract", max_spikes=5)
    signals = whole_signals(frozen, 255)
    unit = frozen.units[0]
    known = whole_values(unit, signals)
    assert known[unit.traced.state["hold"]] == (0, 3)
    assert known[unit.traced.state["fired"]] == (0, 5)
    assert unit.traced.state["v"] not in known
    assert signals[Source(unit.id, "spikes")] == (0, 5)
    assert signals[next(iter(frozen.inputs))] == (0, 255)


def test_a_count_without_end_is_whole_without_bound() -> None:
    drawing = new_document()
    source = drawing.add("population.poisson", size=[2])
    count = drawing.add("readout.spike_count")
    drawing.connect(source, "spikes", count, "input")
    frozen = compiled(drawing).frozen
    unit = frozen.units[0]
    low, high = whole_values(unit, whole_signals(frozen, 1))[unit.traced.state["count"]]
    assert high == math.inf
    assert low <= 0


def test_state_that_nobody_sees_is_dead() -> None:
    unit = layer(refractory=2.0).units[0]
    assert live_state(unit, ["spikes"]) == ["v", "hold"]
    assert live_state(unit, []) == []
