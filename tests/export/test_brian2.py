"""The Brian2 script does, spike for spike, what our reference does in double precision."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from engine.arrays import drawn
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.peers import installed
from engine.export.report import VERIFIED
from engine.export.simulate import Signals
from engine.export.target import checked, get, options_of, verdict
from engine.export.targets._script import part_names, signal_names
from engine.program import Program
from tests.backend.graphs import random_document
from tests.compile.drawing import new_document, program_of
from tests.export.networks import GALLERY, Verified

here = pytest.mark.skipif(not importlib.util.find_spec("brian2"), reason="Brian2 is not installed")


@pytest.mark.skipif(not installed()["brian2"], reason="`myelin peers install brian2`")
@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_runs_in_brian2(name: str, verified: Callable[..., Verified]) -> None:
    report = verified("brian2", name).report
    assert report.status == VERIFIED
    assert all(comparison.equal for comparison in report.cost)


def possible(count: int) -> list[Program]:
    """Random networks, the first that Brian2 can say and whose potentials stay in bounds."""
    target = get("brian2")
    found: list[Program] = []
    for seed in range(100):
        program = program_of(random_document(Random(seed)))
        if verdict(checked(target, program, options_of(target))) == "impossible":
            continue
        if len(found) == count:
            break
        frozen = freeze(program, drawn(program))
        expected = target.predict(frozen, stimulus(frozen), 60, options_of(target))
        if all(np.abs(signal).max() < 1e6 for signal in expected.values()):
            found.append(program)
    return found


def stimulus(frozen: Frozen) -> Signals:
    rng = np.random.default_rng(0)
    return {s: (rng.random((40, *shape)) < 0.3).astype(np.float32) for s, shape in frozen.inputs.items()}


@here
@pytest.mark.filterwarnings("ignore")  # of Brian2's
def test_any_network_runs_as_the_reference_does(tmp_path: Path) -> None:
    """Every kind of population, graded signals, biases and delays; loops; spikes of several at once."""
    target = get("brian2")
    options = options_of(target)
    programs = possible(3)
    assert len(programs) == 3
    for number, program in enumerate(programs):
        folder = tmp_path / str(number)
        folder.mkdir()
        frozen = freeze(program, drawn(program))
        inputs = stimulus(frozen)
        target.write(frozen, folder, options)
        named = signal_names(frozen, part_names(frozen))
        given = {named[source]: signal for source, signal in inputs.items()}
        found = _run(folder / "network.py", given, 60)
        expected = target.predict(frozen, inputs, 60, options)
        assert_equal({source: found[named[source]] for source in frozen.outputs}, expected)


def _run(script: Path, inputs: dict[str, np.ndarray], steps: int) -> dict[str, np.ndarray]:
    spec = importlib.util.spec_from_file_location("network_script", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, np.ndarray] = module.run(inputs, steps)
    return found


def assert_equal(found: Signals, expected: Signals) -> None:
    assert found.keys() == expected.keys()
    for source, signal in expected.items():
        if source.port == "spikes":
            assert np.array_equal(found[source], signal), source
        else:
            np.testing.assert_allclose(found[source], signal, rtol=1e-9, atol=1e-9)


def test_what_mixes_neurons_is_named() -> None:
    document = new_document()
    population = document.add("population.lif", "cells", size=[4, 4])
    pool = document.add("structure.pool", "pool", window=2)
    then = document.add("population.lif", "after", size=[3])
    weights = document.add("projection.dense", "weights")
    for a, b in ((population, pool), (pool, weights), (weights, then)):
        port = "spikes" if a == population else "output"
        document.connect(a, port, b, "input")
    program = program_of(document)
    problems = checked(get("brian2"), program, options_of(get("brian2")))
    assert [(d.code, d.nodes) for d in problems if d.severity == "error"] == [("MYL260", (pool,))]
