"""Every fix of a broken limit mends what it is offered for, and what it says it keeps it keeps."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compile import compile_document
from engine.export.hardware.chips import Chip, chip, chips
from engine.export.hardware.limits import lint
from nodes import registry
from tests.backend.graphs import random_document
from tests.compile.drawing import new_document, program_of, project, set_param
from tests.export.limited import (
    MODEL,
    broken,
    chip_of,
    found,
    limited,
    looped,
    mended,
    net,
    with_delays,
)


def test_conventions_are_set_by_a_click(tmp_path: Path) -> None:
    target, d = chip_of(tmp_path, MODEL), net(reset="subtract", max_spikes=4)
    (problem,) = broken(d, target)
    assert (
        problem.message == "'hidden': reset is subtract, max_spikes is 4; Mine has reset zero, max_spikes 1"
    )
    (after,) = mended(d, target, problem)
    assert after.nodes[after.find("hidden")].params["reset"] == "zero"


def test_no_convention_is_set_that_contradicts_another_parameter(tmp_path: Path) -> None:
    (problem,) = broken(net(reset="none", v_th=-1.0), chip_of(tmp_path, MODEL))
    assert problem.fix is None


def test_a_neuron_is_replaced_by_the_nearest(tmp_path: Path) -> None:
    text = '[[neuron]]\ntypes = ["population.izhikevich", "population.lif"]\nsource = "a b"'
    target, d = chip_of(tmp_path, text), net()
    hidden = d.find("hidden")
    d.edit("alif", [{"op": "set", "path": ["nodes", hidden, "type"], "value": "population.alif"}])
    for name in ("decay_input", "train"):
        d.edit(
            "alif",
            [
                {
                    "op": "set",
                    "path": ["nodes", hidden, "params", name],
                    "value": [] if name == "train" else True,
                }
            ],
        )
    set_param(d, hidden, "tau_mem", 33.0)
    set_param(d, hidden, "train", ["tau_mem", "beta"])
    (problem,) = broken(d, target)
    assert "Mine has no Adaptive LIF" in problem.message
    (after,) = mended(d, target, problem)
    node = after.nodes[hidden]
    assert (node.type, node.params["tau_mem"], node.params["train"]) == ("population.lif", 33.0, ["tau_mem"])
    assert set(node.params) == set(registry.all()["population.lif"].params)


def test_no_replacement_where_an_output_would_be_lost(tmp_path: Path) -> None:
    target = chip_of(tmp_path, '[[neuron]]\ntypes = ["population.lif"]\nsource = "a b"')
    d = new_document()
    source, cells = d.add("population.poisson", size=[2]), d.add("population.cuba", name="cells", size=[2])
    project(d, source, cells)
    d.connect(cells, "i", d.add("probe.state"), "input")
    (problem,) = broken(d, target)
    assert problem.fix is None


def test_a_chip_without_neurons_of_ours(tmp_path: Path) -> None:
    problem = broken(net(), chip_of(tmp_path, '[[neuron]]\ntypes = []\nsource = "a b"'))[0]
    assert "it has no neurons with state" in problem.hint


@pytest.mark.parametrize(
    ("type", "given"),
    [
        ("delays.fixed", {"delay": 9.0}),
        ("delays.fixed", {"table": [[1.0, 2.0, 3.0, 30.0]] * 6}),
        ("delays.random", {"low": 6.0, "high": 20.0}),
        ("delays.random", {"low": 1.0, "high": 20.0, "distribution": "normal", "mean": 12.0}),
        ("delays.learnable", {"min_delay": 6.0, "max_delay": 20.0}),
        ("delays.learnable", {"max_delay": 20.0}),
    ],
)
@pytest.mark.parametrize("most", [0, 4])
def test_long_delays_are_clipped(tmp_path: Path, type: str, given: dict[str, Any], most: int) -> None:
    d, target = with_delays(type, **given), limited(tmp_path, "delay_steps", f"max = {most}")
    (problem,) = broken(d, target)
    assert problem.nodes == (d.find("late"), d.find("in"))
    (after,) = mended(d, target, problem)
    delay = program_of(after).ops[after.find("in")].delay
    assert delay is not None
    assert delay.high == most


def test_delays_in_a_file_are_left_to_the_user(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.full((6, 4), 9.0))
    d = with_delays(file=str(tmp_path / "d.npy"))
    (problem,) = broken(d, limited(tmp_path, "delay_steps", "max = 4"))
    assert problem.fix is None
    assert "shorten them" in problem.hint


def test_a_hop_of_the_chip_counts_as_a_step_of_the_delay(tmp_path: Path) -> None:
    text = '[limits]\nhop_steps = { min = 1, source = "a b" }\ndelay_steps = { max = 4, source = "a b" }'
    target = chip_of(tmp_path, text)
    assert broken(with_delays(name="up", delay=5.0), target) == []
    assert broken(with_delays(name="in", delay=5.0), target) != []  # no hop lies before the first population
    (problem,) = broken(with_delays(name="up", delay=6.0), target)
    assert "delays by up to 5 steps" in problem.message


def test_the_step_of_a_hop_is_noted_and_drawn_by_a_click(tmp_path: Path) -> None:
    target = limited(tmp_path, "hop_steps", "min = 1")
    d = net()
    (note,) = found(d, target)
    assert (note.severity, note.nodes) == ("info", (d.find("up"),))
    (after,) = mended(d, target, note)
    assert after.nodes[d.find("up")].params["lag"] == 1


def test_a_lag_where_nothing_delays(tmp_path: Path) -> None:
    target, d = limited(tmp_path, "delay_steps", "max = 0"), net()
    set_param(d, d.find("in"), "lag", 1)
    (problem,) = broken(d, target)
    assert problem.at == "lag"
    assert mended(d, target, problem)


def test_the_delay_that_a_loop_needs_is_not_taken_away(tmp_path: Path) -> None:
    (problem,) = broken(looped(), limited(tmp_path, "delay_steps", "max = 0"))
    assert problem.fix is None


@pytest.mark.parametrize("granularity", ["axonal", "dendritic", "projection"])
def test_listed_delays_become_coarser_means(tmp_path: Path, granularity: str) -> None:
    table = [[1.0, 2.0, 3.0, 4.0]] * 3 + [[3.0, 4.0, 5.0, 6.0]] * 3
    d = with_delays(table=table)
    target = limited(tmp_path, "granularities", f'choices = ["{granularity}"]')
    text = '[limits]\ndelay_steps = { max = 60, source = "a b" }\n'
    target = chip_of(tmp_path, text + f'granularities = {{ choices = ["{granularity}"], source = "a b" }}')
    (problem,) = broken(d, target)
    assert problem.message == f"'in' has delays per synapse; Mine has {granularity}"
    (after,) = mended(d, target, problem)
    params = after.nodes[after.find("late")].params
    expected = {"axonal": [2.0, 3.0, 4.0, 5.0], "dendritic": [2.5] * 3 + [4.5] * 3}.get(granularity, [])
    assert params["table"] == expected
    assert params["delay"] == (3.5 if granularity == "projection" else 1.0)


def test_coarser_delays_than_the_chip_has_are_a_special_case(tmp_path: Path) -> None:
    text = '[limits]\ndelay_steps = { max = 60, source = "a b" }\n'
    target = chip_of(tmp_path, text + 'granularities = { choices = ["axonal"], source = "a b" }')
    assert broken(with_delays(delay=3.0, granularity="projection"), target) == []
    assert broken(with_delays(delay=3.0, granularity="dendritic"), target) != []


def test_weights_are_held_to_bits_by_the_recipe(tmp_path: Path) -> None:
    d, target = net(), limited(tmp_path, "weight_bits", "max = 4")
    (note,) = found(d, target)
    assert (note.code, note.severity) == ("MYL219", "info")
    assert [after.recipes["train"] for after in mended(d, target, note)] == [{"quantise_weights": 4}]


def test_without_the_document_there_are_only_fixes_of_parameters(tmp_path: Path) -> None:
    d = with_delays(name="up", delay=9.0)
    neuron = '[[neuron]]\ntypes = ["population.lif"]\nsource = "a b"\n'
    target = chip_of(tmp_path, neuron + '[limits]\ndelay_steps = { max = 5, source = "a b" }')
    (problem,) = [p for p in lint(program_of(d), target) if p.severity == "limit"]
    assert problem.fix is not None
    assert problem.fix.label.startswith("Clip")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(sorted(chips())))
def test_every_fix_mends_what_it_is_offered_for(seed: int, name: str) -> None:
    document = random_document(Random(seed))
    if compile_document(document).errors:
        return
    target = chip(name)
    for problem in found(document, target):
        mended(document, target, problem)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(1, 3), st.integers(1, 6))
def test_every_fix_mends_on_chips_much_smaller(seed: int, delay: int, population: int, fan: int) -> None:
    document = random_document(Random(seed))
    if compile_document(document).errors:
        return
    target = small_chip(delay, population, fan)
    for problem in found(document, target):
        mended(document, target, problem)


def small_chip(delay: int, population: int, fan: int) -> Chip:
    """Small enough for almost everything to be too large."""
    sourced = 'source = "a b"'
    numbers = {"delay_steps": delay, "population": population, "fan_out": fan}
    numbers |= {"destinations": 1, "refractory_steps": 1}
    limits = [f"{name} = {{ max = {number}, {sourced} }}" for name, number in numbers.items()]
    limits += [f"{name} = {{ min = 1, {sourced} }}" for name in ("hop_steps", "dt_ms")]
    limits += [f'granularities = {{ choices = ["axonal"], {sourced} }}']
    neuron = '[[neuron]]\ntypes = ["population.lif", "population.if"]\n'
    neuron += f'only = {{ reset = ["zero"], max_spikes = [1] }}\n{sourced}\n'
    with TemporaryDirectory() as folder:
        return chip_of(Path(folder), neuron + "\n".join(["[limits]", *limits]))
