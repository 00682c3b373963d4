"""A person with only a terminal: a network by script, checked, compiled, run, looked at, changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.document import Document, load, save
from tests.journeys.terminal import answer, myelin, probes


def clock(file: Path) -> Path:
    """A neuron that fires by itself, and a second one that hears it 7 ms later."""
    document = Document.new("two neurons", dt_ms=1.0, seed=2)
    drive = document.add("encoder.direct", name="drive", offset=1.05, size=[1])
    first = document.add("population.lif", name="first", size=[1], tau_mem=20.0, decay_input=True)
    axon = document.add("projection.dense", name="axon", init="constant", gain=2.0)
    delay = document.add("delays.fixed", name="conduction", granularity="projection", delay=7.0)
    second = document.add("population.lif", name="second", size=[1])
    document.connect(drive, "output", first, "input")
    document.connect(first, "spikes", axon, "input")
    document.connect(delay, "delays", axon, "delays")
    document.connect(axon, "output", second, "input")
    for name, population in (("spikes of first", first), ("spikes of second", second)):
        document.connect(population, "spikes", document.add("probe.spikes", name=name), "input")
    save(document, file)
    return file


def times(records: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """When the first and the second neuron fired, in steps of 1 ms."""
    first, second = (np.flatnonzero(records[f"spikes of {name}"]) for name in ("first", "second"))
    return first, second


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_network_from_script_to_records(tmp_path: Path) -> None:
    file = clock(tmp_path / "two.myelin")
    before = file.read_bytes()

    assert myelin("check", file).stdout == f"{file}: no problems\n"
    program = myelin("compile", file).stdout
    assert program.startswith('program "two neurons"  dt 1 ms  seed 2\n')
    assert "delays[set per projection, 7..7 steps]" in program

    out = tmp_path / "out"
    report = answer("run", file, "--duration", "400", "--out", out)
    first, second = times(probes(out))
    # tau dv/dt = -v + 1.05 reaches the threshold 1 every tau ln(1.05 / 0.05) = 60.9 ms, so in step 61
    assert np.array_equal(np.diff(first), np.full(5, 61))
    assert np.array_equal(second, first + 7)
    counts = {one["name"]: one["spikes"] for one in report["populations"]}
    assert counts == {"first": len(first), "second": len(second)}
    assert report["duration_ms"] == 400

    changed = ["--set", "conduction.delay=12", "--set", "drive.offset=1.5"]
    myelin("run", file, "--duration", "400", "--out", tmp_path / "changed", *changed)
    quicker, later = times(probes(tmp_path / "changed"))
    # 20 ln(1.5 / 0.5) = 21.97 ms
    assert np.array_equal(np.diff(quicker), np.full(len(quicker) - 1, 22))
    assert np.array_equal(later, quicker[quicker + 12 < 400] + 12)
    assert file.read_bytes() == before, "--set changes the run, not the file"


@pytest.mark.slow
def test_a_mistake_is_a_sentence_and_the_way_back_is_one_command(tmp_path: Path) -> None:
    file = clock(tmp_path / "two.myelin")
    document = load(file)
    first = document.find("first")
    wrong = {"op": "set", "path": ["nodes", first, "params", "tau_mem"], "value": -20}
    document.edit("typing error", [wrong])
    save(document, file)

    told = myelin("check", file, status=1).stdout
    assert "'first': tau_mem must be at least 0.01 ms, not -20" in told
    refused = myelin("run", file, "--out", tmp_path / "out", status=1)
    assert refused.stdout == ""
    assert not (tmp_path / "out").exists(), "a network that cannot run leaves nothing behind"
    misspelt = myelin("run", file, "--set", "fist.tau_mem=20", status=2).stderr
    assert misspelt.count("\n") == 1
    assert "did you mean first?" in misspelt
    assert myelin("check", tmp_path / "tow.myelin", status=2).stderr.startswith("myelin: ")

    myelin("check", "--fix", file)
    assert myelin("check", file).stdout == f"{file}: no problems\n"
    assert load(file).nodes[first].params["tau_mem"] == 20, "the value that the node declares"
