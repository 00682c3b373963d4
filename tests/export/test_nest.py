"""PyNEST and PyNN scripts give, in NEST, the spikes of our reference in double precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.export.peers import installed
from engine.export.report import VERIFIED
from engine.export.target import checked, get, options_of
from tests.compile.drawing import new_document, program_of, project
from tests.export.native import assert_same, both
from tests.export.networks import GALLERY, Verified

nest = pytest.mark.skipif(not installed()["nest"], reason="`myelin peers install nest`")


@nest
@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_runs_in_nest(name: str, verified: Callable[..., Verified]) -> None:
    """The least delay of NEST costs nothing: populations run later, and are moved back."""
    report = verified("nest", name).report
    assert report.status == VERIFIED
    assert all(comparison.equal for comparison in report.cost)


@nest
@pytest.mark.parametrize("seed", [0, 1, 8, 11])
def test_any_network_of_native_cells_runs_as_the_reference_does(seed: int, tmp_path: Path) -> None:
    """Every convention of a population; loops, biases, several spikes at once, neurons that differ."""
    assert_same(*both(get("nest"), seed, tmp_path))


def problems(type: str, **given: Any) -> list[tuple[str, str]]:
    document = new_document()
    cells = document.add(type, size=[2], **given)
    project(document, cells, cells, delay=1.0)
    target = get("nest")
    return [
        (d.code, d.severity)
        for d in checked(target, program_of(document), options_of(target))
        if d.nodes == (cells,)
    ]


def test_what_has_no_cell_is_named_and_what_changes_is_said() -> None:
    assert problems("population.alif") == [("MYL262", "error"), ("MYL265", "warning")]
    assert problems("population.lif", reset="none") == [("MYL262", "error")]
    assert problems("population.lif", integration="euler", tau_mem=0.5) == [("MYL262", "error")]
    assert problems("population.lif", reset="subtract", max_spikes=3) == [("MYL265", "warning")] * 2
    assert problems("population.lif") == []


def test_a_potential_is_no_spike() -> None:
    document = new_document()
    cells = document.add("population.lif", size=[2])
    weights = project(document, cells, cells, "v", delay=1.0)
    target = get("nest")
    found = checked(target, program_of(document), options_of(target))
    assert [(d.code, d.nodes) for d in found if d.severity == "error"] == [("MYL264", (weights,))]


def test_values_from_outside_are_named() -> None:
    document = new_document()
    data = document.add("dataset.csv", channels=2)
    drive, cells = document.add("encoder.direct"), document.add("population.lif", size=[2])
    document.connect(data, "data", drive, "input")
    document.connect(drive, "output", cells, "input")
    weights = project(document, data, cells, "data")
    target = get("nest")
    found = checked(target, program_of(document), options_of(target))
    assert {(d.code, d.nodes) for d in found if d.severity == "error"} == {
        ("MYL263", (drive,)),
        ("MYL264", (weights,)),
    }
