"""NeuroML files give, in jNeuroML, the spikes of our reference in double precision."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from engine.export.peers import installed
from engine.export.report import READ, VERIFIED
from engine.export.target import checked, get, options_of
from engine.export.verify import export, verify
from tests.compile.drawing import new_document, program_of, project
from tests.export.native import assert_same, both, native_document
from tests.export.networks import Verified, compiled, record

here = installed()["neuroml"] and shutil.which("java")
neuroml = pytest.mark.skipif(not here, reason="`myelin peers install neuroml`, and Java")


@neuroml
def test_coincidence_runs_in_jneuroml(verified: Callable[..., Verified]) -> None:
    report = verified("neuroml", "coincidence").report
    assert report.status == VERIFIED
    assert all(comparison.equal for comparison in report.cost)


@neuroml
@pytest.mark.parametrize("name", ["ei-network", "spoken-digits"])
def test_large_networks_are_valid_and_not_run(name: str, verified: Callable[..., Verified]) -> None:
    report = verified("neuroml", name).report
    assert report.status == READ
    assert "valid against the schema" in report.message


def possible() -> list[int]:
    """Seeds of networks none of whose neurons fires several times in a step."""
    target, found = get("neuroml"), []
    for seed in range(12):
        program = program_of(native_document(Random(seed)))
        if not any(d.severity == "error" for d in checked(target, program, options_of(target))):
            found.append(seed)
    return found


@neuroml
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_any_network_runs_as_the_reference_does(number: int, tmp_path: Path) -> None:
    assert_same(*both(get("neuroml"), possible()[number], tmp_path))


@neuroml
@pytest.mark.parametrize("dt", [0.1, 0.3, 10.0])
def test_steps_whose_sum_is_not_round(dt: float, tmp_path: Path) -> None:
    """The simulator adds its step up, and 3 x 0.1 is more than 0.3."""
    document = new_document(dt=dt, seed=1)
    source = document.add("population.poisson", size=[5], rate=150.0 / dt)
    cells, last = (document.add("population.lif", size=[4], tau_mem=8.0 * dt) for _ in range(2))
    project(document, source, cells, gain=5.0)
    project(document, cells, last, gain=5.0, delay=3 * dt)
    found, target = compiled(document), get("neuroml")
    options, ours = options_of(target), record(found, steps=60)
    export(target, found.program, found.frozen, tmp_path / "out", options)
    report = verify(target, tmp_path / "out", found.frozen, ours, options)
    assert report.status == VERIFIED
    assert all(comparison.ours > 0 for comparison in report.artefact)


def test_several_spikes_in_a_step_are_named() -> None:
    document = new_document()
    cells = document.add("population.lif", size=[2], reset="subtract", max_spikes=3)
    project(document, cells, cells, delay=1.0)
    target = get("neuroml")
    found = checked(target, program_of(document), options_of(target))
    assert [(d.code, d.nodes) for d in found if d.severity == "error"] == [("MYL290", (cells,))]
