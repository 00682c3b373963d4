"""The ``torch.export`` program of one step gives our spikes in a process that knows nothing of us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.export.target import get, options_of
from engine.export.verify import export, verify
from tests.export.networks import GALLERY, network, recorded

TARGET = get("pt2")


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_spikes_are_equal_in_a_fresh_process(tmp_path: Path, name: str) -> None:
    found, options, path = network(name), options_of(TARGET), tmp_path / "network.pt2"
    export(TARGET, found.program, found.frozen, path, options)
    report = verify(TARGET, path, found.frozen, recorded(name)[:1], options)  # a process for each takes long
    assert report.status == "verified"
    assert report.exact
    assert all(comparison.ours > 0 for comparison in report.artefact if comparison.spikes)


def test_any_batch_runs_and_the_file_says_where_to_begin(tmp_path: Path) -> None:
    found = network("ei-network")
    path = tmp_path / "network.pt2"
    export(TARGET, found.program, found.frozen, path, options_of(TARGET))
    files = {"about.json": ""}
    step = torch.export.load(str(path), extra_files=files).module()
    about = json.loads(files["about.json"])
    assert about["title"] == "Balanced E-I network"
    assert about["dt_ms"] == 1.0
    assert about["inputs"] == {"background_spikes": [1000]}
    assert about["state"]["excitatory"]["v"]["shape"] == [800]
    state: dict[str, Any] = {}
    for name, kept in about["state"].items():
        if "past" in kept:
            state[name] = torch.zeros(kept["past"][0], 5, *kept["past"][1:])
        else:
            state[name] = {k: torch.full((5, *v["shape"]), v["first"]) for k, v in kept.items()}
    spikes = (torch.rand(5, 1000, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    with torch.no_grad():
        for _ in range(12):
            outputs, state = step({"background_spikes": spikes}, state)
    assert outputs["excitatory_spikes"].shape == (5, 800)
    assert outputs["excitatory_spikes"].any()
