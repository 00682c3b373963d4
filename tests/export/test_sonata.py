"""SONATA files are read by libsonata as they were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.export.frozen import Frozen
from engine.export.peers import installed
from engine.export.report import READ
from engine.export.target import get, options_of
from engine.export.targets import _sonata_files as files
from engine.export.targets._plan import plan
from engine.export.targets._script import part_names
from tests.export.networks import GALLERY, Verified

sonata = pytest.mark.skipif(not installed()["sonata"], reason="`myelin peers install sonata`")


@sonata
@pytest.mark.parametrize("name", GALLERY)
def test_libsonata_reads_all_of_the_gallery(name: str, verified: Callable[..., Verified]) -> None:
    report = verified("sonata", name).report
    assert report.status == READ
    assert "weights and delays as written" in report.message
    assert all(comparison.equal for comparison in report.cost)


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
