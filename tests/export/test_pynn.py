"""PyNN scripts: exact in NEST, mapped to SpiNNaker's virtual board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.export.peers import installed
from engine.export.report import READ, VERIFIED
from engine.export.target import checked, get, options_of
from tests.compile.drawing import new_document, program_of
from tests.export.native import assert_same, both
from tests.export.networks import GALLERY, Verified

nest = pytest.mark.skipif(not installed()["nest"], reason="`myelin peers install nest`")
spinnaker = pytest.mark.skipif(not installed()["spynnaker"], reason="`myelin peers install spynnaker`")


@nest
@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_runs_in_nest_through_pynn(name: str, verified: Callable[..., Verified]) -> None:
    report = verified("pynn", name).report
    assert report.status == VERIFIED
    assert all(comparison.equal for comparison in report.cost)


@nest
@pytest.mark.parametrize("seed", [1, 8])
def test_any_network_of_standard_cells_runs_as_the_reference_does(seed: int, tmp_path: Path) -> None:
    assert_same(*both(get("pynn"), seed, tmp_path))


@spinnaker
@pytest.mark.parametrize("name", ["coincidence", "spoken-digits"])
def test_spinnaker_maps_it_and_says_that_it_did_not_run(name: str, verified: Callable[..., Verified]) -> None:
    report = verified("pynn", name, backend="spinnaker").report
    assert report.status == READ
    assert "not verified by execution" in report.message
    assert report.figures["SpiNNaker cores"] > 2


def test_a_peak_that_only_nest_can_have_is_named() -> None:
    document = new_document()
    cells = document.add("population.izhikevich", size=[2], v_peak=35.0)
    program, target = program_of(document), get("pynn")

    def errors(backend: str) -> list[tuple[str, ...]]:
        found = checked(target, program, options_of(target, {"backend": backend}))
        return [d.nodes for d in found if d.severity == "error"]

    assert errors("nest") == []
    assert errors("neuron") == [(cells,)]
