"""Grids of k bits: laws of rounding, scales, delays, and what is quantised of a program."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.arrays import declared, drawn
from engine.errors import MyelinError
from engine.export.quantise import (
    Quantisation,
    channels,
    delay_grid,
    deployed,
    neuron_grid,
    range_grid,
    size,
    symmetric,
    weight_grid,
)
from engine.recipe import TRAIN
from tests.compile.drawing import new_document, program_of

RULES = TRAIN["quantise_scale"].choices
NUMBERS = st.floats(-1e6, 1e6, width=32).filter(lambda x: x == 0 or abs(x) > 1e-6)
MATRICES = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 12)), elements=NUMBERS)
BITS, RULE, PER = st.integers(2, 16), st.sampled_from(RULES), st.booleans()


@given(x=MATRICES, bits=BITS, rule=RULE, per_channel=PER)
def test_weights_become_whole_multiples_of_their_scale(
    x: np.ndarray, bits: int, rule: str, per_channel: bool
) -> None:
    grid = weight_grid(x, bits, rule, channels(x.shape, None) if per_channel else None)
    q = grid.integers(x)
    assert q.min() >= -(2 ** (bits - 1) - 1)
    assert q.max() <= 2 ** (bits - 1) - 1
    assert np.array_equal(grid.values(q), q.astype(np.float32) * grid.scale)
    if bits <= 9:  # the product is exact
        assert np.array_equal(grid.rounded(x), q * grid.scale.astype(np.float64))
    assert (grid.rounded(x)[x == 0] == 0).all()


@given(x=MATRICES, bits=BITS, per_channel=PER)
def test_no_weight_moves_further_than_half_a_step(x: np.ndarray, bits: int, per_channel: bool) -> None:
    """With the scale of the largest weight nothing is clipped."""
    grid = weight_grid(x, bits, "max", channels(x.shape, None) if per_channel else None)
    assert (np.abs(grid.rounded(x) - x) <= grid.scale * 0.50001).all()


@given(x=MATRICES, bits=BITS, rule=RULE, per_channel=PER)
def test_quantising_twice_is_quantising_once_to_the_bit(
    x: np.ndarray, bits: int, rule: str, per_channel: bool
) -> None:
    channel = channels(x.shape, None) if per_channel else None
    once = weight_grid(x, bits, rule, channel).rounded(x)
    assert np.array_equal(weight_grid(once, bits, rule, channel).rounded(once), once)


@given(x=MATRICES, bits=BITS, rule=RULE, per_channel=PER)
def test_signs_mirror(x: np.ndarray, bits: int, rule: str, per_channel: bool) -> None:
    channel = channels(x.shape, None) if per_channel else None
    assert np.array_equal(
        weight_grid(-x, bits, rule, channel).rounded(-x), -weight_grid(x, bits, rule, channel).rounded(x)
    )


@given(x=MATRICES, bits=BITS)
def test_searching_for_a_clip_never_costs(x: np.ndarray, bits: int) -> None:
    """The largest weight is the first clip that is tried."""

    def error(rule: str) -> float:
        wrong = weight_grid(x, bits, rule).rounded(x).astype(np.float64) - x
        return float(np.sum(wrong**2))

    assert error("mse") <= error("max") * (1 + 1e-12)


def test_the_clip_helps_where_few_weights_are_large() -> None:
    x = np.random.default_rng(0).standard_normal((1, 4000)).astype(np.float32)
    errors = {rule: np.mean((weight_grid(x, 3, rule).rounded(x) - x) ** 2) for rule in ("max", "mse")}
    assert errors["mse"] < 0.6 * errors["max"]


@given(x=MATRICES, bits=BITS)
def test_powers_of_two_are(x: np.ndarray, bits: int) -> None:
    mantissas, _ = np.frexp(weight_grid(x, bits, "power_of_two", channels(x.shape, None)).scale)
    assert (mantissas == 0.5).all()


def test_channels_have_their_own_scale() -> None:
    x = np.array([[1.0, 0.5], [100.0, 50.0]], np.float32)
    together = weight_grid(x, 4, "max").rounded(x)
    apart = weight_grid(x, 4, "max", channels(x.shape, None)).rounded(x)
    assert (together[0] == 0).all()
    assert np.allclose(apart, x, rtol=0.15)


def test_a_sparse_synapse_shares_the_scale_of_its_target() -> None:
    post = np.array([0, 1, 0, 1])
    x = np.array([1.0, 100.0, 0.5, 50.0], np.float32)
    grid = weight_grid(x, 4, "max", channels(x.shape, post))
    dense = weight_grid(x.reshape(2, 2).T, 4, "max", channels((2, 2), None))
    assert np.array_equal(grid.scale, dense.scale.ravel()[post])
    assert np.array_equal(grid.rounded(x), dense.rounded(x.reshape(2, 2).T).T.ravel())


def test_thresholds_in_the_scale_of_the_weights() -> None:
    weights = weight_grid(np.array([[-0.7, 0.35]], np.float32), 4, "max")
    thresholds = symmetric(weights.scale, 8)
    assert thresholds.integers(np.array([1.0, 0.26, 1e9])).tolist() == [10, 3, 127]


@given(x=MATRICES, bits=st.integers(2, 12))
def test_neuron_parameters_stay_between_their_least_and_largest(x: np.ndarray, bits: int) -> None:
    grid = neuron_grid(x, bits)
    q = grid.integers(x)
    reach = float(x.max()) - float(x.min())
    assert q.min() == 0
    assert q.max() <= 2**bits - 1
    assert (np.abs(grid.rounded(x) - x) <= 0.501 * reach / (2**bits - 1) + 1e-6 * np.abs(x).max()).all()


@given(low=st.integers(0, 5), span=st.integers(0, 80), bits=st.integers(1, 8), seed=st.integers(0, 999))
def test_delays_are_whole_and_reach_the_whole_range(low: int, span: int, bits: int, seed: int) -> None:
    grid = delay_grid(low, low + span, bits)
    x = np.random.default_rng(seed).uniform(low, low + span, 200).astype(np.float32)
    found = grid.rounded(x)
    assert np.array_equal(found, np.rint(found))
    assert len(np.unique(found)) <= 2**bits
    assert found.min() >= low
    assert found.max() <= low + span
    assert (np.abs(found - x) <= float(grid.scale)).all(), "clipped by more than the last step"
    if 2**bits > span:
        assert np.array_equal(found, np.rint(x))


def test_delays_of_a_stated_step_are_clipped() -> None:
    grid = delay_grid(0, 24, 3, step=2)
    assert grid.rounded(np.array([0.0, 3.2, 13.9, 24.0], np.float32)).tolist() == [0, 4, 14, 14]


def test_a_range_has_its_ends_on_the_grid() -> None:
    grid = range_grid(2.5, 5)
    assert grid.rounded(np.array([2.5, -2.5, 9.0, 0.0], np.float32)) == pytest.approx(
        [2.5, -2.5, 2.5, 0.0], rel=1e-4
    )


def drawing() -> object:
    document = new_document(dt=1.0, seed=2)
    source = document.add("population.poisson", size=[5])
    cells = document.add("population.lif", size=[4], train=["tau_mem"])
    for type in ("projection.dense", "projection.sparse"):
        projection = document.add(type, bias=type == "projection.dense")
        delays = document.add("delays.random", low=1.0, high=9.0)
        for wire in (
            (source, "spikes", projection, "input"),
            (delays, "delays", projection, "delays"),
            (projection, "output", cells, "input"),
        ):
            document.connect(*wire)
    return document


ON = {"weights": 3, "neurons": 2, "delays": 1}


@pytest.mark.parametrize("on", [*itertools.combinations(ON, 1), tuple(ON)])
def test_what_is_quantised_and_nothing_else(on: tuple[str, ...]) -> None:
    program = program_of(drawing())
    plain = drawn(program)
    plain_cells = next(own for own in plain.values() if "tau_mem" in own)
    plain_cells["tau_mem"] = np.array([5.0, 6.1, 11.3, 20.0], np.float32)
    found = deployed(program, plain, Quantisation(per="channel", **{name: ON[name] for name in on}))
    names = {"weight": "weights", "offset": "weights", "tau_mem": "neurons", "delay": "delays"}
    for op, own in plain.items():
        for name, value in own.items():
            changed = not np.array_equal(found[op][name], value)
            can = names.get(name) in on and name != "offset"  # which is nothing at first
            assert changed == can, (op, name)
            assert found[op][name].dtype == value.dtype


def test_the_recipe_says_what_is_deployed() -> None:
    document = drawing()
    document.edit("bits", [{"op": "set", "path": ["recipes", "train"], "value": {"quantise_weights": 2}}])
    program = program_of(document)
    weights = [own["weight"] for own in deployed(program, drawn(program)).values() if "weight" in own]
    assert [len(np.unique(np.abs(w))) for w in weights] == [2, 2]


def test_bytes_of_weights_and_scales() -> None:
    program = program_of(drawing())
    dense = next(op for op in program.ops.values() if op.type == "projection.dense")
    specs = declared(dense)
    assert size(Quantisation(), dense, specs) == 4 * (20 + 4)
    assert size(Quantisation(weights=4), dense, specs) == 12 + 4 * 2
    assert size(Quantisation(weights=4, per="channel"), dense, specs) == 12 + 4 * (4 + 1)


@pytest.mark.parametrize("bits", [-1, 1, 17])
@pytest.mark.parametrize("name", ["weights", "neurons", "state"])
def test_impossible_numbers_of_bits_are_refused(name: str, bits: int) -> None:
    with pytest.raises(MyelinError, match=f"quantise_{name} takes 2 to 16 bits, or 0 for none, not {bits}"):
        dataclasses.replace(Quantisation(), **{name: bits})
