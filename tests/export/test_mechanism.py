"""The mechanism of exports: what is frozen, checked, written whole or not at all, and compared."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.arrays import drawn, read
from engine.backend.deployment import network_of
from engine.backend.recording import record as run
from engine.compile import compile_document
from engine.document import Document
from engine.errors import MyelinError
from engine.export import target as mechanism
from engine.export.folding import fold
from engine.export.freeze import freeze
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.report import DIFFERS, READ, UNVERIFIED, VERIFIED, compare_one
from engine.export.simulate import Signals, simulate
from engine.export.target import Conversion, Converted, NotExecutable, Target, checked, options_of, verdict
from engine.export.verify import export, rehearsed, verify
from engine.export.writing import ABANDONED_S, MARK, publish, staged
from engine.program import Source
from nodes.spec import Param, Values
from tests.backend.graphs import Drawer
from tests.compile.drawing import new_document
from tests.export.networks import GALLERY, TRAINED, compiled, network, record, recorded


class Toy(Target):
    """Writes the numbers of the weights, and runs as it is told."""

    id, label, software = "toy", "Toy", "a toy"
    options = {"level": Param(3, low=0, high=9, doc="a number")}
    fault: Callable[[Path], None] | None = None
    wrong = 0
    why = ""

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        (folder / "weights.txt").write_text(str(sum(s.weight.sum() for s in frozen.synapses)))
        if self.fault:
            self.fault(folder)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        if self.why:
            raise NotExecutable(self.why)
        found = simulate(frozen, inputs, steps)
        first = next(iter(found))
        found[first] = found[first].copy()
        found[first].reshape(-1)[: self.wrong] += 1
        return found


OPTIONS = Values(level=3)


# --- what is frozen


@pytest.mark.parametrize("name", GALLERY)
def test_the_reference_does_what_the_engine_does(name: str) -> None:
    for one in recorded(name):
        found = simulate(network(name).frozen, one.inputs, one.steps)
        for source, signal in one.signals.items():
            if source.port == "spikes":
                assert signal.sum() > 0
                assert np.array_equal(found[source], signal), network(name).frozen.name(source)
            np.testing.assert_allclose(found[source], signal, rtol=1e-5, atol=1e-5)


def test_a_whole_sequence_ends_layer_by_layer() -> None:
    found = network("spoken-digits")
    assert found.program.tail > 0
    for one in recorded("spoken-digits", whole=True):
        end = one.steps - found.program.tail
        again = simulate(found.frozen, one.inputs, one.steps, end=end)
        for source, signal in one.signals.items():
            np.testing.assert_allclose(again[source], signal, rtol=1e-5, atol=1e-5)


def test_random_sources_stay_behind_as_inputs() -> None:
    found = network("ei-network").frozen
    names = [found.program.ops[source.op].type for source in found.inputs]
    assert names == ["population.poisson"]
    assert all(part.op.type != "population.poisson" for part in found.parts)


def test_what_passes_its_input_on_is_gone() -> None:
    found = network("spoken-digits").frozen
    assert not [part for part in found.parts if part.op.type == "structure.dropout"]


def test_arrays_are_those_of_the_file() -> None:
    program = network("spoken-digits").program
    first, learned = (next(iter(a.values()))["weight"] for a in (drawn(program), read(program, TRAINED)))
    assert not np.array_equal(first, learned)
    with pytest.raises(MyelinError, match="belongs to another network"):
        read(network("coincidence").program, TRAINED)
    with pytest.raises(MyelinError, match="there is no checkpoint"):
        read(program, Path("nowhere.safetensors"))


def test_batch_norm_folds_into_the_weights_before_it() -> None:
    found = network("spoken-digits").frozen
    folded, conversions = fold(found)
    assert len(conversions) == 2
    assert not [part for part in folded.parts if part.op.type == "structure.batch_norm"]
    one = recorded("spoken-digits")[0]
    before, after = (simulate(x, one.inputs, one.steps, dtype=np.float64) for x in (found, folded))
    spikes = [source for source in found.outputs if source.port == "spikes"]
    assert sum(int((before[s] != after[s]).sum()) for s in spikes) <= 0.002 * sum(
        before[s].size for s in spikes
    )


def test_delays_and_lag_are_steps_of_each_synapse() -> None:
    found = network("coincidence").frozen
    late = next(s for s in found.synapses if s.op.name == "from left")
    assert late.delay.shape == late.weight.shape
    assert late.delay.dtype.kind == "i"
    assert len(set(late.delay.tolist())) == 9, "each detector has a delay of its own"


# --- artefacts are whole or not there


def exported(toy: Toy, path: Path, name: str = "coincidence") -> Converted:
    found = network(name)
    return export(toy, found.program, found.frozen, path, OPTIONS)


def test_an_artefact_says_what_it_is(tmp_path: Path) -> None:
    exported(Toy(), tmp_path / "out")
    about = json.loads((tmp_path / "out" / MARK).read_text())
    assert about["target"] == "toy"
    assert about["options"] == {"level": 3}
    assert "detectors.spikes" in about["outputs"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def _raises(error: BaseException) -> Callable[[Path], None]:
    def fault(folder: Path) -> None:
        raise error

    return fault


@pytest.mark.parametrize(
    "error",
    [MyelinError("no"), OSError(28, "No space left on device"), KeyboardInterrupt(), ZeroDivisionError()],
)
def test_a_failed_or_interrupted_export_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    toy = Toy()
    toy.fault = _raises(error)
    with pytest.raises((MyelinError, KeyboardInterrupt, ZeroDivisionError)):
        exported(toy, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_failed_export_keeps_the_one_before(tmp_path: Path) -> None:
    exported(Toy(), tmp_path / "out")
    before = (tmp_path / "out" / "weights.txt").read_bytes()
    toy = Toy()
    toy.fault = _raises(MyelinError("no"))
    with pytest.raises(MyelinError):
        exported(toy, tmp_path / "out")
    assert (tmp_path / "out" / "weights.txt").read_bytes() == before
    exported(Toy(), tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_nobody_elses_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(MyelinError, match="other things in it"):
        exported(Toy(), tmp_path / "out")
    assert (tmp_path / "out" / "thesis.tex").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(MyelinError, match="is a file"):
        exported(Toy(), tmp_path / "file")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "out"]


def test_what_a_killed_export_left_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".out.abc.part"
    left.mkdir()
    exported(Toy(), tmp_path / "out")
    assert left.exists(), "somebody may be writing there"
    os.utime(left, (time.time() - 2 * ABANDONED_S,) * 2)
    exported(Toy(), tmp_path / "out")
    assert not left.exists()


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    (tmp_path / "net").write_text("old")
    with staged(tmp_path / "net") as folder:
        (folder / "network").write_text("new")
        publish(folder / "network", tmp_path / "net")
    assert (tmp_path / "net").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net"]


# --- verdicts


def noisy_inside() -> Document:
    """A Poisson encoder that a population inside the network drives."""
    drawing = new_document()
    source = drawing.add("encoder.direct", size=[3], offset=1.2)
    cells = drawing.add("population.lif", size=[3])
    counts = drawing.add("readout.spike_count")
    noise = drawing.add("encoder.poisson")
    more = drawing.add("projection.dense", size=[2])
    last = drawing.add("population.lif", size=[2])
    drawing.connect(source, "output", cells, "input")
    drawing.connect(cells, "spikes", counts, "input")
    drawing.connect(counts, "output", noise, "input")
    drawing.connect(noise, "output", more, "input")
    drawing.connect(more, "output", last, "input")
    return drawing


def test_random_numbers_inside_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    program = compile_document(noisy_inside()).program
    assert program is not None
    found = checked(Toy(), program, OPTIONS)
    assert verdict(found) == "impossible"
    assert "random numbers" in next(d for d in found if d.severity == "error").message
    with pytest.raises(MyelinError, match="random numbers"):
        freeze(program, drawn(program))
    assert not list(tmp_path.iterdir())


def test_what_only_converting_shows_is_named_as_well() -> None:
    class Picky(Toy):
        def convert(self, frozen: Frozen, options: Values) -> Converted:
            raise MyelinError("its loops are too short")

    frozen = network("coincidence").frozen
    assert verdict(checked(Picky(), frozen.program, OPTIONS)) != "impossible"
    found = rehearsed(Picky(), frozen, OPTIONS)
    assert [d.message for d in found if d.severity == "error"] == ["its loops are too short"]
    assert rehearsed(Toy(), frozen, OPTIONS) == checked(Toy(), frozen.program, OPTIONS)


def test_options_are_checked() -> None:
    assert options_of(Toy(), {"level": 5}) == {"level": 5}
    with pytest.raises(MyelinError, match="has no option 'depth'"):
        options_of(Toy(), {"depth": 1})
    with pytest.raises(MyelinError, match="must be at most 9"):
        options_of(Toy(), {"level": 10})


def test_an_unknown_target_names_those_there_are() -> None:
    with pytest.raises(MyelinError, match="there is no target 'vax'"):
        mechanism.get("vax")


# --- verification


def verified(toy: Toy, tmp_path: Path) -> Any:
    exported(toy, tmp_path / "out")
    found = network("coincidence")
    return verify(
        toy, tmp_path / "out", found.frozen, recorded("coincidence"), OPTIONS, keep=tmp_path / "report"
    )


def test_an_equal_artefact_is_verified(tmp_path: Path) -> None:
    report = verified(Toy(), tmp_path)
    assert report.status == VERIFIED
    assert report.exact
    assert json.loads((tmp_path / "report" / "report.json").read_text())["status"] == VERIFIED
    with np.load(tmp_path / "report" / "signals.npz") as signals:
        assert {name.partition("/")[0] for name in signals.files} == {"ours", "reference", "artefact"}


def test_one_wrong_spike_is_told_with_its_place(tmp_path: Path) -> None:
    toy = Toy()
    toy.wrong = 1
    report = verified(toy, tmp_path)
    assert report.status == DIFFERS
    assert not report.exact
    assert report.artefact[0].differing == 1
    assert report.artefact[0].first == (0, 0)


def test_what_conversions_change_is_a_number(tmp_path: Path) -> None:
    class Cutting(Toy):
        def convert(self, frozen: Frozen, options: Values) -> Converted:
            cut = [
                replace(p, weight=p.weight * 0) if isinstance(p, Synapses) and p.op.name == "from left" else p
                for p in frozen.parts
            ]
            return Converted(frozen.with_parts(cut), (Conversion("a projection is cut"),))

    report = verified(Cutting(), tmp_path)
    assert report.status == VERIFIED
    assert not report.exact
    lost = next(one for one in report.cost if one.signal == "detectors.spikes")
    assert lost.differing > 0
    assert f"{100 * lost.differing / lost.values:.3g} % of 'detectors.spikes'" in report.message


def test_what_cannot_run_here_is_not_called_verified(tmp_path: Path) -> None:
    toy = Toy()
    toy.why = "there is no toy on this machine"
    report = verified(toy, tmp_path)
    assert report.status == UNVERIFIED
    assert "not verified by execution: there is no toy on this machine" in report.message

    class Readable(Toy):
        def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
            return "its reader takes it"

    readable = Readable()
    readable.why = toy.why
    assert verified(readable, tmp_path).status == READ


def test_not_a_number_is_a_difference() -> None:
    ours, theirs = np.zeros((4, 2)), np.zeros((4, 2))
    theirs[2, 1] = np.nan
    found = compare_one("v", Source("a", "v"), ours, theirs, 1e-5)
    assert found.differing == 1
    assert found.first == (2, 1)


# --- small networks of every population


def test_parts_stand_in_the_order_of_a_step() -> None:
    for name in GALLERY:
        found = network(name).frozen
        seen: set[str] = {source.op for source in found.inputs}
        for part in found.parts:
            assert {source.op for source in part.sources} <= seen
            seen.add(part.id)


@pytest.mark.parametrize("seed", range(25))
def test_random_documents_of_every_kind_of_node(seed: int) -> None:
    document = Drawer(Random(seed)).draw()
    program = compile_document(document).program
    assert program is not None
    if verdict(checked(Toy(), program, OPTIONS)) == "impossible":
        pytest.skip("it draws random numbers inside")
    found = compiled(document)
    network_, rng = network_of(program, found.arrays), np.random.default_rng(seed)
    fed = {s: x for s, x in found.frozen.inputs.items() if program.ops[s.op].role == "dataset"}
    data = {s: rng.integers(0, 2, (40, *shape)).astype(np.float32) for s, shape in fed.items()}
    ours = run(network_, [*found.frozen.inputs, *found.frozen.outputs], data, 40)
    again = simulate(found.frozen, {s: ours[s] for s in found.frozen.inputs}, 40)
    for source, signal in again.items():
        name = found.frozen.name(source)
        if source.port == "spikes":
            assert np.array_equal(signal, ours[source]), name
        np.testing.assert_allclose(signal, ours[source], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("granularity", ["synapse", "axonal", "dendritic", "projection"])
@pytest.mark.parametrize("bias", [False, True])
def test_delays_of_every_granularity(granularity: str, bias: bool) -> None:
    drawing = new_document()
    source = drawing.add("population.poisson", size=[6], rate=200.0)
    weights = drawing.add("projection.dense", size=[4], bias=bias, lag=1, gain=3.0)
    delays = drawing.add("delays.random", granularity=granularity)
    cells = drawing.add("population.lif", size=[4])
    drawing.connect(source, "spikes", weights, "input")
    drawing.connect(delays, "delays", weights, "delays")
    drawing.connect(weights, "output", cells, "input")
    found = compiled(drawing)
    if bias:
        own = found.arrays[weights]
        arrays = {**found.arrays, weights: {**own, "offset": np.array([0.2, -0.1, 0.5, 0.0], np.float32)}}
        found = found._replace(arrays=arrays, frozen=freeze(found.program, arrays))
    for one in record(found, steps=60):
        again = simulate(found.frozen, one.inputs, one.steps)
        for key, signal in one.signals.items():
            assert signal.sum() > 0
            assert np.array_equal(again[key], signal)


def test_units_say_what_their_symbols_stand_for() -> None:
    for name in GALLERY:
        for unit in network(name).frozen.units:
            assert isinstance(unit, Unit)
            for found in unit.traced.order():
                if getattr(found, "role", "") in ("tensor", "constant"):
                    assert found.name in unit.values  # type: ignore[attr-defined]
