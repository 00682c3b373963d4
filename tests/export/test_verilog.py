"""Verilog: the circuit in Icarus Verilog and Verilator does what our integers do, and the fixed C."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import MyelinError
from engine.export import peers
from engine.export.fixed.network import (
    FixedFrozen,
    FixedSynapses,
    FixedUnit,
    Format,
    real_signals,
    simulate_fixed,
)
from engine.export.peers import MissingPeer
from engine.export.simulate import Signals
from engine.export.target import NotExecutable, get, options_of
from engine.export.targets._verilog import run as _verilog_run
from engine.export.targets._verilog.expr import Value, constant, fit, literal, saturated
from engine.export.targets._verilog.plan import Plan, listed, plan
from engine.export.verify import export
from nodes.spec import Values
from tests.compile.drawing import new_document
from tests.export.networks import GALLERY, Network, compiled, network
from tests.export.test_nothing_ignored import POPULATIONS, drawing

TARGET = get("verilog")
QUICK = {"synthesis": "none"}


def has(tool: str) -> bool:
    try:
        peers.tool(tool)
    except MissingPeer:
        return False
    return True


icarus = pytest.mark.skipif(not has("iverilog"), reason="Icarus Verilog is not installed")
verilator = pytest.mark.skipif(not has("verilator"), reason="Verilator is not installed")
yosys = pytest.mark.skipif(not has("yosys"), reason="Yosys is not installed")


def exported(found: Network, path: Path, **options: Any) -> tuple[FixedFrozen, Values]:
    """The network that the folder holds, and the options."""
    chosen = options_of(TARGET, {**QUICK, **options})
    made = export(TARGET, found.program, found.frozen, path, chosen).frozen
    assert isinstance(made, FixedFrozen)
    return made, chosen


def stimulus(made: FixedFrozen, steps: int, rate: float = 0.1) -> Signals:
    rng = np.random.default_rng(1)
    return {
        source: ((rng.random((steps, *shape)) < rate) * rng.integers(1, 3, shape)).astype(np.float32)
        for source, shape in made.inputs.items()
    }


def check(found: Network, path: Path, steps: int, rate: float = 0.1, **options: Any) -> Signals:
    """Export, run, and compare every output of every step with our integers; what came out."""
    made, chosen = exported(found, path, **options)
    given = stimulus(made, steps, rate)
    predicted = TARGET.predict(made, given, steps, chosen)
    answered = TARGET.execute(path, made, given, steps, chosen)
    assert answered.keys() == predicted.keys() == set(made.outputs)
    for source, signal in predicted.items():
        assert np.array_equal(answered[source], signal), made.name(source)
    return answered


def spikes(found: Signals) -> float:
    return sum(float(signal.sum()) for source, signal in found.items() if source.port == "spikes")


@icarus
def test_the_gallery_is_verified(verified: Any) -> None:
    report = verified("verilog", "coincidence", synthesis="none").report
    assert report.status == "verified"
    assert report.exact
    assert all(one.ours > 0 for one in report.artefact if one.spikes)
    assert report.figures["bits of registers"] > 0


@icarus
@pytest.mark.parametrize("parallel", [0, 32])
def test_a_network_without_inputs(tmp_path: Path, parallel: int) -> None:
    assert spikes(check(network("coincidence"), tmp_path / "v", 120, parallel=parallel)) > 0


@icarus
@pytest.mark.parametrize(("name", "steps"), [("spoken-digits", 12), ("ei-network", 4)])
def test_populations_that_take_turns(tmp_path: Path, name: str, steps: int) -> None:
    assert spikes(check(network(name), tmp_path / "v", steps, 0.15)) > 0


@verilator
@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [("spoken-digits", 80)])
def test_many_steps_in_verilator(tmp_path: Path, name: str, steps: int) -> None:
    assert spikes(check(network(name), tmp_path / "v", steps, 0.05, simulator="verilator")) > 50


@icarus
@pytest.mark.parametrize("parallel", [0, 32])
@pytest.mark.parametrize("population", POPULATIONS)
def test_every_population_in_parallel_and_in_turn(tmp_path: Path, population: str, parallel: int) -> None:
    found = compiled(drawing(population))
    severities = {d.severity for d in TARGET.check(found.program, options_of(TARGET))}
    if "error" in severities:
        pytest.skip(f"integers cannot compute {population}, and the export says so")
    check(found, tmp_path / "v", 40, 0.3, parallel=parallel)


def wide() -> Network:
    """Three inputs for one projection, real numbers that arrive, a loop, an offset that sets in late."""
    document = new_document(dt=1.0, seed=4)
    sources = [document.add("population.poisson", name=f"source {k}", size=[40]) for k in range(3)]
    first = document.add("projection.sparse", name="ahead", gain=3.0, probability=0.4)
    delays = document.add("delays.random", name="delays", granularity="synapse", low=0.0, high=5.0)
    cells = document.add("population.lif", name="cells", size=[37])
    back = document.add("projection.dense", name="back", gain=1.0)
    lag = document.add("delays.fixed", name="lag", delay=2.0)
    second = document.add("projection.dense", name="second", gain=2.0, bias=True)
    out = document.add("population.alif", name="out", size=[7])
    for source in sources:
        document.connect(source, "spikes", first, "input")
    document.connect(delays, "delays", first, "delays")
    document.connect(first, "output", cells, "input")
    document.connect(cells, "spikes", back, "input")
    document.connect(lag, "delays", back, "delays")
    document.connect(back, "output", cells, "input")
    document.connect(cells, "spikes", second, "input")
    document.connect(second, "output", out, "input")
    return compiled(document)


@icarus
@pytest.mark.parametrize("options", [{"parallel": 0}, {"parallel": 32}, {"parallel": 64, "input_spikes": 1}])
@pytest.mark.parametrize("state_bits", [10, 24])
def test_several_sources_loops_and_widths(tmp_path: Path, options: dict[str, int], state_bits: int) -> None:
    assert spikes(check(wide(), tmp_path / "v", 40, 0.2, state_bits=state_bits, weight_bits=5, **options)) > 0


@icarus
@pytest.mark.skipif(shutil.which("make") is None or shutil.which("cc") is None, reason="no C compiler")
def test_the_c_in_integers_gives_the_same(tmp_path: Path) -> None:
    made, chosen = exported(wide(), tmp_path / "v")
    given = stimulus(made, 40, 0.2)
    c = get("c")
    options = options_of(c, {"number": "fixed"})
    (tmp_path / "c").mkdir()
    c.write(made, tmp_path / "c", options)
    theirs = c.execute(tmp_path / "c", made, given, 40, options)
    ours = TARGET.execute(tmp_path / "v", made, given, 40, chosen)
    assert ours.keys() == theirs.keys()
    assert spikes(ours) > 0
    assert all(np.array_equal(ours[source], theirs[source]) for source in ours)


@icarus
def test_the_folder_checks_itself_and_finds_a_wrong_weight(tmp_path: Path) -> None:
    made, _ = exported(wide(), tmp_path / "v", parallel=0)
    assert "PASS" in simulated(tmp_path / "v")
    rom = tmp_path / "v" / "ahead_synapses.hex"
    lines = rom.read_text("ascii").split()
    rom.write_text("\n".join(f"{int(line, 16) ^ 0xF:x}" for line in lines) + "\n", "ascii")
    said = simulated(tmp_path / "v")
    assert "FAIL" in said
    assert re.search(r"step \d+: \w+\[\d+\] is -?\d+, not -?\d+", said)
    assert made.fixed.parts


def simulated(folder: Path) -> str:
    """What the test bench says of the vectors in its folder; Icarus Verilog warns of nothing."""
    sources = ["tb.v", *_verilog_run.sources(folder)]
    built = run(["iverilog", "-g2005", "-Wall", "-s", "tb", "-o", "tb.vvp", *sources], folder)
    assert built == ""
    plus = ["+stimulus=stimulus.txt", "+expected=expected.txt", "+output=output.txt"]
    return run(["vvp", "-n", "tb.vvp", *plus], folder)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@icarus
def test_the_clock_cycles_are_those_that_the_figures_say(tmp_path: Path) -> None:
    made, chosen = exported(wide(), tmp_path / "v", parallel=0)
    figures = TARGET.figures(tmp_path / "v", made, chosen)
    found = re.search(r"(\d+) to (\d+) clock cycles", simulated(tmp_path / "v"))
    assert found is not None
    least, most = map(int, found.groups())
    assert figures["clock cycles per step where nothing fires"] <= least
    assert most <= figures["clock cycles per step at most"]
    (tmp_path / "v" / "stimulus.txt").write_text("3\n" + "0\n" * 9, "ascii")
    (tmp_path / "v" / "expected.txt").write_text("3\n" + "0\n" * 6, "ascii")
    quiet = re.search(r"(\d+) to (\d+) clock cycles", simulated(tmp_path / "v"))
    assert quiet is not None
    at_rest = figures["clock cycles per step where nothing fires"]
    assert int(quiet.group(1)) == int(quiet.group(2)) == at_rest


@verilator
@pytest.mark.parametrize("found", [*GALLERY, "wide"])
def test_verilator_finds_nothing_to_warn_of(tmp_path: Path, found: str) -> None:
    exported(wide() if found == "wide" else network(found), tmp_path / "v")
    sources = _verilog_run.sources(tmp_path / "v")
    assert (
        run(["verilator", "--lint-only", "-Wall", "--top-module", "network", *sources], tmp_path / "v") == ""
    )


@yosys
def test_yosys_reads_it_and_counts(tmp_path: Path) -> None:
    document = new_document(dt=1.0, seed=4)
    source = document.add("population.poisson", name="source", size=[3])
    first = document.add("projection.dense", name="first")
    cells = document.add("population.lif", name="cells", size=[2])
    document.connect(source, "spikes", first, "input")
    document.connect(first, "output", cells, "input")
    made, _ = exported(compiled(document), tmp_path / "v", input_spikes=1, state_bits=8, weight_bits=4)
    assert "Yosys read" in TARGET.read_back(tmp_path / "v", made, options_of(TARGET))
    options = options_of(TARGET, {"input_spikes": 1, "state_bits": 8, "weight_bits": 4})
    figures = TARGET.figures(tmp_path / "v", made, options)
    assert figures["look-up tables"] > 20
    assert figures["flip-flops"] >= figures["bits of registers"] > 16


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, chosen = exported(network("coincidence"), tmp_path / "v")

    def missing(name: str) -> str:
        raise MissingPeer(f"{name} is not installed")

    monkeypatch.setattr(_verilog_run, "tool", missing)
    with pytest.raises(NotExecutable, match="iverilog is not installed"):
        TARGET.execute(tmp_path / "v", made, {}, 3, chosen)
    options = options_of(TARGET)
    assert "yosys is not installed" in TARGET.figures(tmp_path / "v", made, options)["synthesis"]


def test_check_names_what_the_circuit_cannot_and_what_changes() -> None:
    document = new_document(dt=1.0)
    source = document.add("population.poisson", name="source", size=[40])
    votes = document.add("projection.pool", name="votes", mode="max")
    cells = document.add("population.lif", name="cells")
    document.connect(source, "spikes", votes, "input")
    document.connect(votes, "output", cells, "input")
    found = {d.code: d for d in TARGET.check(compiled(document).program, options_of(TARGET))}
    assert found["MYL250"].severity == "error"
    assert "'votes' uses " in found["MYL250"].message
    assert found["MYL252"].severity == "warning"
    digits = {d.code for d in TARGET.check(network("spoken-digits").program, options_of(TARGET))}
    assert digits == {"MYL252", "MYL253", "MYL254"}


def test_synapses_alike_are_one_and_every_weight_is_in_its_row() -> None:
    made = TARGET.convert(wide().frozen, options_of(TARGET)).frozen
    assert isinstance(made, FixedFrozen)
    part = next(part for part in made.fixed.parts if isinstance(part, FixedSynapses))
    twice = replace(
        part.synapses,
        **{key: np.tile(getattr(part.synapses, key), 2) for key in ("pre", "post", "weight", "delay")},
    )
    one, two = listed(part), listed(replace(part, synapses=twice, weight=np.tile(part.weight, 2)))
    assert np.array_equal(2 * one.weight, two.weight)
    assert np.array_equal(one.first, two.first)
    rows = np.repeat(np.arange(len(one.first) - 1), np.diff(one.first))
    held = {
        (int(one.delays[row // part.synapses.source_size]), int(row % part.synapses.source_size), int(post))
        for row, post in zip(rows, one.post, strict=True)
    }
    synapses = zip(part.synapses.delay, part.synapses.pre, part.synapses.post, part.weight, strict=True)
    assert held == {(int(d), int(i), int(o)) for d, i, o, w in synapses if w}


def test_names_are_those_of_verilog_and_all_their_own() -> None:
    document = new_document(dt=1.0)
    source = document.add("population.poisson", name="input", size=[3])
    first = document.add("projection.dense", name="module")
    for name in ("Module", "wire", "wire core", "n" * 100):
        cells = document.add("population.lif", name=name, size=[2])
        document.connect(first, "output", cells, "input")
    document.connect(source, "spikes", first, "input")
    made = planned(compiled(document))
    names = [*made.names.values(), *made.inner.values()]
    assert len(set(names)) == len(names)
    assert not {"module", "wire", "input"} & set(names)
    assert max(map(len, names)) < 60


def planned(found: Network) -> Plan:
    made = TARGET.convert(found.frozen, options_of(TARGET)).frozen
    assert isinstance(made, FixedFrozen)
    return plan(made.fixed, 32)


def test_what_is_beyond_any_device_is_refused() -> None:
    made = TARGET.convert(wide().frozen, options_of(TARGET)).frozen
    assert isinstance(made, FixedFrozen)
    unit = next(part for part in made.fixed.parts if isinstance(part, FixedUnit))
    huge = replace(unit, unit=replace(unit.unit, shape=(100_000,)))
    parts = tuple(huge if part is unit else part for part in made.fixed.parts)
    with pytest.raises(MyelinError, match="'cells' has 100000 neurons; the Verilog export takes 65536"):
        plan(replace(made.fixed, parts=parts), 32)


def test_numbers_and_widths() -> None:
    assert [literal(n, 4) for n in (7, -1, -8)] == ["4'sd7", "-4'sd1", "4'sh8"]
    assert literal(15, 4, signed=False) == "4'd15"
    x, flag = Value("x", 4, True), Value("f", 1, False)
    assert (fit(x, 6), fit(x, 4), fit(x, 2)) == ("{{2{x[3]}}, x}", "x", "x[1:0]")
    assert (fit(flag, 3), fit(constant(-3), 4)) == ("{{2{1'b0}}, f}", "-4'sd3")
    assert saturated(x, -8, 7, Format(0, -8, 7)) == "x"
    assert saturated(x, -8, 7, Format(0, 0, 3)) == "x < 4'sd0 ? 2'd0 : x > 4'sd3 ? 2'd3 : x[1:0]"


def test_the_folder_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        exported(network("coincidence"), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    text = (tmp_path / "a" / "README.md").read_text("ascii")
    assert "detectors_spikes_out" in text
    fixed = TARGET.convert(network("coincidence").frozen, options_of(TARGET)).frozen
    assert isinstance(fixed, FixedFrozen)
    assert real_signals(fixed.fixed, simulate_fixed(fixed.fixed, {}, 3)).keys() == set(fixed.outputs)
