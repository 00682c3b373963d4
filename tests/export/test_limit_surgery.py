"""Relay populations repeat spike for spike; a population made two keeps its projections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import arrays
from engine.document import Document
from engine.export.freeze import freeze
from engine.export.simulate import simulate
from engine.program import Source
from tests.compile.drawing import group, new_document, program_of, project, set_groups, set_param
from tests.export.limited import (
    broken,
    chip_of,
    limited,
    mended,
    net,
    two_targets,
    with_delays,
)


def outputs(document: Document, spikes: np.ndarray, *names: str) -> list[np.ndarray]:
    """Spikes of populations when the source fires as given."""
    program = program_of(document)
    wanted = [Source(document.find(name), "spikes") for name in names]
    given = {Source(document.find("source"), "spikes"): spikes}
    fired = simulate(freeze(program, arrays.drawn(program)), given, len(spikes), keep=wanted)
    return [fired[source] for source in wanted]


@pytest.fixture
def rain() -> np.ndarray:
    return (np.random.default_rng(3).random((200, 4)) < 0.4).astype(np.float32)


@pytest.mark.parametrize("reset", ["zero", "value"])
def test_a_relay_holds_what_a_long_delay_needs_spike_for_spike(
    tmp_path: Path, rain: np.ndarray, reset: str
) -> None:
    d = with_delays(name="up", delay=9.0)
    for name, gain in (("in", 2.0), ("up", 2.0)):
        set_param(d, d.find(name), "gain", gain)
    for name in ("hidden", "out"):
        set_param(d, d.find(name), "reset", reset)
    text = f'[[neuron]]\ntypes = ["population.lif"]\nonly = {{ reset = ["{reset}"] }}\nsource = "a b"\n'
    target = chip_of(tmp_path, text + '[limits]\ndelay_steps = { max = 5, source = "a b" }')
    (problem,) = broken(d, target)
    assert problem.fix is not None
    assert problem.fix.label == "Insert a relay population before 'up'"
    assert len(problem.alternatives) == 1  # or clip
    relayed, _ = mended(d, target, problem)
    (before,), (after,) = (outputs(one, rain, "out") for one in (d, relayed))
    assert before.sum() > 20
    np.testing.assert_array_equal(before, after)


def test_a_relay_takes_projections_of_a_neuron_that_reaches_too_many(
    tmp_path: Path, rain: np.ndarray
) -> None:
    d = two_targets()
    for name in ("in", "up", "aside"):
        set_param(d, d.find(name), "sign", "excitatory")
    neuron = '[[neuron]]\ntypes = ["population.lif"]\nsource = "a b"\n'
    target = chip_of(tmp_path, neuron + '[limits]\nfan_out = { max = 4, source = "a b" }')
    (problem,) = broken(d, target)
    (after,) = mended(d, target, problem)
    before, then = outputs(d, rain, "out", "other"), outputs(after, rain, "out", "other")
    assert min(one.sum() for one in before) > 20
    for one, other in zip(before, then, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_relay_that_no_neuron_can_play(tmp_path: Path) -> None:
    neuron = '[[neuron]]\ntypes = ["population.cuba", "population.lif"]\nonly = { reset = ["subtract"] }\n'
    target = chip_of(tmp_path, neuron + 'source = "a b"\n[limits]\ndelay_steps = { max = 5, source = "a b" }')
    d = with_delays(name="up", delay=9.0)
    problem = next(p for p in broken(d, target) if p.code == "MYL212")
    assert problem.fix is not None
    assert problem.fix.label.startswith("Clip")
    assert not problem.alternatives


def test_a_population_is_split_with_its_projections(tmp_path: Path) -> None:
    d = net(size=7)
    project(d, d.find("hidden"), d.find("hidden"), name="back", lag=1)
    d.connect(d.find("hidden"), "spikes", d.add("probe.spikes", name="seen"), "input")
    target = limited(tmp_path, "population", "max = 3")
    (problem,) = broken(d, target)
    (after,) = mended(d, target, problem)
    assert broken(after, target) == []
    program = program_of(after)
    sizes = [op.shapes["spikes"] for op in program.of_role("population") if op.name.startswith("hidden")]
    assert sorted(sizes) == [(2,), (2,), (3,)]
    weights = dict.fromkeys(("in", "up", "back"), 0)
    for op in program.of_role("projection"):
        weights[op.name.split("_")[0]] += int(op.spec.synapses(op.p, dict(op.shapes)))  # type: ignore[attr-defined]
    assert weights == {"in": 4 * 7, "up": 7 * 3, "back": 7 * 7}
    assert len(program.records) == 3


def test_split_weights_keep_their_spread(tmp_path: Path) -> None:
    d = net(size=400)
    (problem,) = broken(d, limited(tmp_path, "population", "max = 100"))
    (after,) = mended(d, limited(tmp_path, "population", "max = 100"), problem)

    def spread(document: Document, start: str) -> float:
        program = program_of(document)
        held = arrays.drawn(program)
        drawn = [held[op.id]["weight"] for op in program.ops.values() if op.name.startswith(start)]
        return float(np.concatenate([w.ravel() for w in drawn]).std())

    assert spread(after, "up") == pytest.approx(spread(d, "up"), rel=0.1)
    assert spread(after, "in") == pytest.approx(spread(d, "in"), rel=0.1)


def read_out(d: Document) -> None:
    d.connect(d.find("hidden"), "spikes", d.add("readout.spike_count", name="sum"), "input")


def trained(d: Document) -> None:
    d.edit("w", [{"op": "set", "path": ["meta", "weights"], "value": "w.safetensors"}])


def listed(d: Document) -> None:
    d.connect(d.add("delays.fixed", table=[[1.0] * 6] * 3), "delays", d.find("up"), "delays")


def shared(d: Document) -> None:
    set_param(d, d.find("source"), "size", [6])
    d.connect(d.find("source"), "spikes", d.find("up"), "input")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (read_out, "'sum' needs it whole"),
        (trained, "trained weights"),
        (listed, "are listed"),
        (shared, "hears others too"),
    ],
)
def test_a_population_that_cannot_be_split_says_why(
    tmp_path: Path, spoil: Callable[[Document], object], reason: str
) -> None:
    d = net(size=6)
    spoil(d)
    problem = next(
        p for p in broken(d, limited(tmp_path, "population", "max = 4")) if "'hidden'" in p.message
    )
    assert problem.fix is None
    assert reason in problem.hint


def test_no_surgery_in_a_repeated_group(tmp_path: Path) -> None:
    d = new_document()
    source, cells = (
        d.add("population.poisson", name="source", size=[6]),
        d.add("population.lif", name="cells", size=[6]),
    )
    projection = project(d, source, cells)
    set_groups(d, g=group([projection, cells], (projection, "input"), (cells, "spikes"), 2))
    problems = broken(d, limited(tmp_path, "population", "max = 4"))
    assert [p.fix for p in problems] == [None]  # one node of the document, said once
    assert problems[0].nodes == (cells,)
