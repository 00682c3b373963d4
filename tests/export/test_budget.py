"""How much of a chip a network takes, against numbers counted by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.document import Document
from engine.export.hardware.budget import Budget, Row, budget
from engine.export.hardware.chips import chip, chips
from engine.export.hardware.demand import demand
from engine.program import Program
from nodes.projections._connectivity import connect
from nodes.spec import Values
from tests.compile.drawing import new_document, program_of, project, set_param


def net() -> Document:
    """4 inputs to 6 CuBa neurons (two states each, 9-step axonal delays), these to 3 LIF."""
    d = new_document()
    source = d.add("population.poisson", name="source", size=[4])
    hidden = d.add("population.cuba", name="hidden", size=[6], max_spikes=31, reset="subtract")
    out = d.add("population.lif", name="out", size=[3])
    project(d, source, hidden, name="in")
    project(d, hidden, out, name="up")
    late = d.add("delays.fixed", name="late", delay=9.0, granularity="axonal")
    d.connect(late, "delays", d.find("up"), "delays")
    d.edit("run", [{"op": "set", "path": ["recipes", "run"], "value": {"duration": 50.0}}])
    return d


def row(found: Budget, name: str) -> Row:
    return next(r for r in found.rows if r.name == name)


def test_counts_of_a_network_on_a_microcontroller() -> None:
    found = budget(program_of(net()), chip("cortex_m4"))
    used = {r.name: r.used for r in found.rows}
    assert used["neurons"] == 9
    assert used["synapses"] == used["weights"] == 4 * 6 + 6 * 3
    assert used["weight_bytes"] == 42 * 4  # floats
    assert used["state_bytes"] == (6 * 2 + 3) * 4
    assert used["delay_bytes"] == 6 * 9 / 8  # a bit for each of 6 sources and 9 steps
    assert (used["fan_in"], used["fan_out"], used["delay_steps"]) == (6, 3, 9)
    assert row(found, "memory_bytes").available == 256 * 1024
    assert row(found, "memory_bytes").fraction == pytest.approx((60 + 6.75) / 262144)
    assert found.fits


def test_widths_of_a_chip_count() -> None:
    found = budget(program_of(net()), chip("loihi2"))
    assert row(found, "weight_bytes").used == 42  # 8 bits
    assert row(found, "state_bytes").used == 15 * 3  # 24 bits
    assert row(found, "cores").used == 2
    assert row(found, "delay_steps").used == 8  # the hop is one of the nine


def test_delays_per_synapse_take_sums_per_target() -> None:
    d = net()
    set_param(d, d.find("late"), "granularity", "synapse")
    assert row(budget(program_of(d), chip("cortex_m4")), "delay_bytes").used == 3 * 10 * 4


def test_what_takes_the_most_is_named_and_too_much_is_told() -> None:
    d = net()
    set_param(d, d.find("source"), "size", [40])
    found = budget(program_of(d), chip("xylo_audio2"))
    inputs = row(found, "inputs")
    assert (inputs.used, inputs.available, inputs.over, inputs.node) == (40, 16, True, d.find("source"))
    assert "rockpool" in inputs.source
    assert not found.fits


def test_energy_by_hand() -> None:
    program = program_of(net())
    source, hidden, out = (op.id for op in program.of_role("population"))
    rates = {source: 0.5, hidden: 0.25, out: 0.0}
    found = budget(program, chip("loihi2"), rates, steps=100).energy
    assert found is not None
    operations = 100 * (0.5 * 24 + 0.25 * 18)
    assert found.synaptic_operations == pytest.approx(operations)
    assert found.spikes == pytest.approx(100 * 0.25 * 6)
    assert found.parts["synapses"] == pytest.approx(operations * 35.5 / 1000)
    assert found.parts["neurons"] == pytest.approx(100 * 9 * 51.2 / 1000)
    assert found.parts["spikes"] == pytest.approx(150 * 146.1 / 1000)
    assert found.nanojoules == pytest.approx(sum(found.parts.values()))
    assert found.assumed == "spikes as measured"
    assert "Davies" in found.model


def test_without_rates_five_percent_are_assumed_in_words_and_the_recipe_gives_the_length() -> None:
    found = budget(program_of(net()), chip("loihi2")).energy
    assert found is not None
    assert found.steps == 50
    assert found.spikes == pytest.approx(50 * 0.05 * 9)
    assert (
        found.assumed == "every population and input taken to fire in 5% of the steps: nothing was measured"
    )


def test_some_rates_measured_some_assumed() -> None:
    program = program_of(net())
    found = budget(program, chip("loihi2"), {program.of_role("population")[0].id: 0.1}).energy
    assert found is not None
    assert found.assumed.startswith("2 of 3 populations and inputs taken to fire")


def test_static_power_lasts_as_long_as_the_inference() -> None:
    found = budget(program_of(net()), chip("speck2f"), steps=200).energy
    assert found is not None
    assert found.nanojoules == pytest.approx(0.42e-3 * 0.2 * 1e9)  # 0.42 mW for 200 ms


def test_a_chip_without_an_energy_model_says_so() -> None:
    found = budget(program_of(net()), chip("akida"))
    assert found.energy is None
    assert found.note == "no energy per operation is known for Akida AKD1000"


@pytest.mark.parametrize("name", chips())
def test_every_chip_has_a_budget_in_json(name: str) -> None:
    tree = json.loads(json.dumps(budget(program_of(net()), chip(name)).to_json(), allow_nan=False))
    assert tree["chip"] == name
    assert all({"used", "available", "fraction", "over"} <= one.keys() for one in tree["rows"])


def sparse(**given: Any) -> Program:
    d = new_document()
    source, cells = d.add("population.poisson", size=[30]), d.add("population.lif", size=[20])
    projection = d.add("projection.sparse", name="sparse", **given)
    d.connect(source, "spikes", projection, "input")
    d.connect(projection, "output", cells, "input")
    return program_of(d)


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(["fixed_probability", "fixed_in_degree"]),
    st.floats(0, 1),
    st.integers(0, 30),
    st.integers(0, 99),
)
def test_synapses_of_a_neuron_are_those_that_are_drawn(
    how: str, chance: float, degree: int, seed: int
) -> None:
    program = sparse(connectivity=how, probability=chance, in_degree=degree, seed=seed)
    (link,) = demand(program).links.values()
    p = Values(connectivity=how, probability=chance, in_degree=degree, seed=seed, allow_self=True)
    drawn = connect(p, 30, 20)
    assert link.fan_in == np.bincount(drawn.post, minlength=20).max()
    assert link.fan_out == np.bincount(drawn.pre, minlength=30).max()


@pytest.mark.parametrize(("window", "stride", "padding"), [(3, 1, 0), (3, 2, 1), (2, 2, 0), (5, 3, 2)])
def test_synapses_of_a_convolution(window: int, stride: int, padding: int) -> None:
    d = new_document()
    source = d.add("population.poisson", size=[2, 9, 9])
    conv = d.add("projection.conv2d", channels=3, window=window, stride=stride, padding=padding)
    cells = d.add("population.lif")
    d.connect(source, "spikes", conv, "input")
    d.connect(conv, "output", cells, "input")
    (link,) = demand(program_of(d)).links.values()
    side = (9 + 2 * padding - window) // stride + 1
    reach = max(sum(0 <= at + padding - stride * out < window for out in range(side)) for at in range(9))
    assert link.weights == 3 * 2 * window**2
    assert link.fan_in == 2 * window**2
    assert link.fan_out == 3 * reach**2
