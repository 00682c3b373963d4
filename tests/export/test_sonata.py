"""SONATA files are read by libsonata as they were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import h5py
import numpy as np
import pytest

from engine.export.frozen import Frozen
from engine.export.peers import installed
from engine.export.report import VERIFIED
from engine.export.target import checked, get, options_of, verdict
from engine.export.targets._plan import plan
from engine.export.targets._script import part_names
from engine.export.targets._sonata import files
from tests.compile.drawing import program_of
from tests.export.native import assert_same, both, native_document
from tests.export.networks import GALLERY, Verified

sonata = pytest.mark.skipif(not installed()["sonata"], reason="`myelin peers install sonata`")
nest = pytest.mark.skipif(not installed()["nest"], reason="`myelin peers install nest`")


@nest
@pytest.mark.parametrize("name", GALLERY)
def test_nest_runs_the_gallery_from_the_files(name: str, verified: Callable[..., Verified]) -> None:
    report = verified("sonata", name).report
    assert report.status == VERIFIED
    assert all(comparison.equal for comparison in report.cost)


@sonata
@pytest.mark.parametrize("name", GALLERY)
def test_libsonata_reads_what_was_written(
    name: str, frozen_of: Callable[[str], Frozen], tmp_path: Path
) -> None:
    target = get("sonata")
    options = options_of(target)
    frozen = target.convert(frozen_of(name), options).frozen
    target.write(frozen, tmp_path, options)
    assert "weights and delays as written" in target.read_back(tmp_path, frozen, options)


@nest
@pytest.mark.parametrize("number", [0, 1])
def test_any_network_runs_as_the_reference_does(number: int, tmp_path: Path) -> None:
    assert_same(*both(get("sonata"), possible()[number], tmp_path))


def possible() -> list[int]:
    """Seeds of networks without Izhikevich neurons."""
    target = get("sonata")
    drawn = {seed: program_of(native_document(Random(seed))) for seed in range(40)}
    return [s for s, p in drawn.items() if verdict(checked(target, p, options_of(target))) != "impossible"]


def test_the_spikes_that_come_along_are_those_of_the_stimulus(
    frozen_of: Callable[[str], Frozen], tmp_path: Path
) -> None:
    target = get("sonata")
    options = options_of(target, {"steps": 60})
    frozen = target.convert(frozen_of("ei-network"), options).frozen
    target.write(frozen, tmp_path, options)
    made, names = plan(frozen), part_names(frozen)
    _, expected = files.example(frozen, 60)
    with h5py.File(tmp_path / files.SPIKES) as file:
        for source, signal in expected.items():
            group = file[f"spikes/{names[source.op]}"]
            raster = np.zeros_like(signal)
            late = files.FIRST + made.shift[source.op]
            step = np.rint(group["timestamps"][:] / frozen.dt).astype(int) - late
            raster[step, group["node_ids"][:]] = 1
            assert np.array_equal(raster, signal)
    assert sum(signal.sum() for signal in expected.values()) > 0


def test_the_configuration_names_files_that_are_there(
    frozen_of: Callable[[str], Frozen], tmp_path: Path
) -> None:
    target = get("sonata")
    options = options_of(target)
    target.write(target.convert(frozen_of("coincidence"), options).frozen, tmp_path, options)
    circuit = json.loads((tmp_path / files.CIRCUIT).read_text())
    named = [*circuit["networks"]["nodes"][0].values(), *circuit["networks"]["edges"][0].values()]
    assert all((tmp_path / name.removeprefix("$BASE/")).is_file() for name in named)
    head, *rows = (tmp_path / files.NODE_TYPES).read_text().splitlines()
    assert head.split() == ["node_type_id", "pop_name", "model_type", "model_template"]
    assert {row.split()[3] for row in rows} == {"NULL", "nest:iaf_psc_delta"}
