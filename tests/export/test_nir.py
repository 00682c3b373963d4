"""NIR files: run in their readers, read back by us, equal again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from engine.document import Document
from engine.errors import MyelinError
from engine.export.freeze import freeze
from engine.export.imports import read
from engine.export.nir.dialects import DIALECTS
from engine.export.nir.file import NirGraph, NirNode, flattened
from engine.export.nir.reading import reading
from engine.export.nir.unpack import unpack as read_file
from engine.export.peers import MissingPeer, peer
from engine.export.target import Target, checked, get, options_of, verdict
from engine.export.targets._peer_run import run_in
from engine.export.targets.nir import HOMES, READERS, SCRIPT, WRITTEN
from engine.export.verify import Recording, export, verify
from tests.export.networks import Network, Verified, compiled, network, record
from tests.export.test_nir_import import FILES, program_of, run, stimulus

EULER = ("universal", "nirtorch", "textbook", "snntorch", "norse", "spikingjelly")
SUBTRACTING = ("nir104", "sinabs")
Verify = Callable[..., Verified]


def need(home: str) -> None:
    try:
        peer(home)
    except MissingPeer as missing:
        pytest.skip(str(missing))


def need_readers(dialect: str) -> None:
    for reader in READERS[dialect]:
        need(HOMES.get(reader, "neuro"))


def nir() -> Target:
    return get("nir")


def layers(kind: str = "lif", last: str = "lif", dt: float = 1.0, **params: Any) -> Document:
    """Input, hidden neurons, output neurons."""
    rng = Random(5)  # ids seed the weights
    d = Document.new(dt_ms=dt, mint=lambda: "n" + "".join(rng.choices("abcdefgh", k=7)))
    source = d.add("population.poisson", size=[8], rate=250.0 / dt)
    first, second = d.add("projection.dense", gain=1.2), d.add("projection.dense", bias=True, gain=1.5)
    hidden = d.add(f"population.{kind}", name="hidden", size=[12], **params)
    silent = last in ("leaky_integrator", "integrator", "cuba_li")
    shared = {"reset", "max_spikes"} | ({"integration"} if last == kind else set())
    fires = {} if silent else {"reset": "zero"} | {k: v for k, v in params.items() if k in shared}
    out = d.add(f"population.{last}", name="out", size=[4], **fires)
    for a, port, b in (
        (source, "spikes", first),
        (first, "output", hidden),
        (hidden, "spikes", second),
        (second, "output", out),
    ):
        d.connect(a, port, b, "input")
    return d


def ring(delay: float = 0.0, **lag: Any) -> Document:
    """Neurons that feed themselves."""
    d = layers()
    hidden = d.find("hidden")
    back = d.add("projection.dense", name="back", gain=0.5, **lag)
    d.connect(hidden, "spikes", back, "input")
    d.connect(back, "output", hidden, "input")
    if delay:
        late = d.add("delays.fixed", delay=delay, granularity="axonal")
        d.connect(late, "delays", back, "delays")
    return d


def assert_equal(verified: Verified) -> None:
    assert verified.report.status == "verified", [str(one) for one in verified.report.artefact]
    assert all(one.equal for one in verified.report.cost), [str(one) for one in verified.report.cost]
    assert any(one.ours > 0 for one in verified.report.cost), "a silent network proves nothing"


# -- run by others -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("dialect", EULER)
@pytest.mark.parametrize("kind", ["lif", "cuba"])
def test_every_reader_of_a_dialect_gives_the_same_spikes(dialect: str, kind: str, verified: Verify) -> None:
    need_readers(dialect)
    assert_equal(verified("nir", compiled(layers(kind)), dialect=dialect))


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"integration": "euler", "decay_input": True, "tau_mem": 7.0, "v_th": 0.15},
        {"reset": "value", "v_reset": -0.3, "v_leak": 0.1, "compare": ">"},
        {"train": ["tau_mem", "v_th"], "v_th": 0.7, "resistance": 1.7},
    ],
    ids=["euler", "reset to a value", "numbers of single neurons"],
)
def test_conventions_are_kept(params: dict[str, Any], verified: Verify) -> None:
    need("neuro")
    assert_equal(verified("nir", compiled(layers(**params)), dialect="nirtorch"))


@pytest.mark.slow
@pytest.mark.parametrize("last", ["leaky_integrator", "integrator", "cuba_li", "if"])
def test_other_neurons_are_those_of_nirtorch(last: str, verified: Verify) -> None:
    need("neuro")
    assert_equal(verified("nir", compiled(layers("cuba", last)), dialect="nirtorch"))


@pytest.mark.slow
@pytest.mark.parametrize("dialect", SUBTRACTING)
def test_subtracting_dialects(dialect: str, verified: Verify) -> None:
    need_readers(dialect)
    most = 1_000_000 if dialect == "sinabs" else 1
    assert_equal(verified("nir", compiled(layers(reset="subtract", max_spikes=most)), dialect=dialect))


@pytest.mark.slow
def test_rockpool(verified: Verify) -> None:
    need_readers("rockpool")
    document = layers("cuba", "cuba", reset="subtract", max_spikes=65_536, integration="exponential")
    assert_equal(verified("nir", compiled(document), dialect="rockpool"))


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["nirtorch", "spikingjelly", "norse"])
def test_recurrent_weights_flat_and_nested(dialect: str, verified: Verify) -> None:
    need_readers(dialect)
    found = verified("nir", compiled(ring(lag=1)), dialect=dialect)
    assert_equal(found)
    nested = any(isinstance(node, NirGraph) for node in read_file(found.path).nodes.values())
    assert nested == (dialect == "norse")


@pytest.mark.slow
def test_recurrent_weights_with_delays(verified: Verify) -> None:
    need("neuro")
    assert_equal(verified("nir", compiled(ring(delay=3.0))))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["coincidence", "spoken-digits"])
def test_the_gallery_runs_in_nirtorch(name: str, verified: Verify) -> None:
    need("neuro")
    assert_equal(verified("nir", name))


@pytest.mark.slow
def test_the_ei_network_loses_its_refractory_time_and_the_report_says_so(verified: Verify) -> None:
    need("neuro")
    report = verified("nir", "ei-network").report
    assert report.status == "verified"
    assert any("refractory" in one.message for one in report.conversions)
    assert not report.exact


# -- what cannot be said -----------------------------------------------------------------------------------


def errors(document: Document, dialect: str) -> list[str]:
    found = checked(nir(), compiled(document).program, options_of(nir(), {"dialect": dialect}))
    return [d.message for d in found if d.severity == "error"]


def test_what_a_dialect_cannot_say_is_named_before_anything_is_written(tmp_path: Path) -> None:
    assert any("delays" in text for text in errors(ring(delay=3.0), "snntorch"))
    assert any("recurrent" in text for text in errors(ring(lag=1), "universal"))
    assert any("alif" in text or "Adaptive" in text for text in errors(layers("alif"), "nirtorch"))
    assert any("`subtract`" in text for text in errors(layers(reset="subtract"), "universal"))
    assert any("next step" in text for text in errors(layers(reset_step="next"), "nirtorch"))
    assert any("v_leak" in text for text in errors(layers(v_leak=0.2), "norse"))
    assert any("IF" in text for text in errors(layers("if", reset="zero"), "universal"))
    net = compiled(ring(delay=3.0))
    with pytest.raises(MyelinError, match="Delay"):
        export(nir(), net.program, net.frozen, tmp_path / "a.nir", options_of(nir(), {"dialect": "norse"}))
    assert not list(tmp_path.iterdir())


def test_what_is_changed_is_said() -> None:
    found = checked(nir(), compiled(layers(refractory=2.0)).program, options_of(nir(), {}))
    assert verdict(found) == "partial"
    assert any("refractory" in d.message for d in found)


def test_auto_takes_universal_where_that_is_possible(tmp_path: Path) -> None:
    for document, expected in ((layers(), "universal"), (ring(lag=1), "nirtorch")):
        net = compiled(document)
        export(nir(), net.program, net.frozen, tmp_path / "a.nir", options_of(nir(), {}))
        assert read_file(tmp_path / "a.nir").metadata["dialect"] == expected


# -- round trips -------------------------------------------------------------------------------------------


def differences(a: NirGraph, b: NirGraph) -> list[str]:
    """Where two flat graphs are not the same; what a reader may write as one number or a pair is."""
    found = [f"node {name}" for name in set(a.nodes) ^ set(b.nodes)]
    found += [f"edge {edge}" for edge in set(a.edges) ^ set(b.edges)]
    for name in set(a.nodes) & set(b.nodes):
        x, y = a.nodes[name], b.nodes[name]
        assert isinstance(x, NirNode)
        assert isinstance(y, NirNode)
        fields = {*x.fields, *y.fields} - {"input_shape", "input_type"}
        found += [name] if x.type != y.type else []
        found += [f"{name}.{key}" for key in fields if not _equal(x.fields, y.fields, key)]
    return sorted(found)


def _equal(a: Mapping[str, Any], b: Mapping[str, Any], key: str) -> bool:
    if key == "v_reset" and not (key in a and key in b):
        return not np.any(a.get(key, b.get(key)))  # files before 1.0.6 have none
    if key not in a or key not in b:
        return False
    x, y = np.asarray(a[key]), np.asarray(b[key])
    same = x.size == 1 or y.size == 1 or x.shape == y.shape
    return bool(same and np.allclose(x, y, rtol=3e-6, atol=1e-12))


def written(net: Network, path: Path, dialect: str) -> NirGraph:
    export(nir(), net.program, net.frozen, path, options_of(nir(), {"dialect": dialect}))
    return flattened(read_file(path))


def imported(path: Path) -> Network:
    found = read(path)
    program = program_of(found)
    frozen = replace(freeze(program, found.arrays), document=found.document)
    return Network(found.document, program, found.arrays, frozen)


ROUND: dict[str, tuple[Callable[[], Network], str]] = {
    "universal": (lambda: compiled(layers()), "universal"),
    "cuba": (lambda: compiled(layers("cuba")), "universal"),
    "nirtorch": (lambda: compiled(layers("cuba", "leaky_integrator")), "nirtorch"),
    "textbook": (lambda: compiled(layers("cuba", train=["tau_mem", "v_th"])), "textbook"),
    "norse": (lambda: compiled(ring(lag=1)), "norse"),
    "delayed ring": (lambda: compiled(ring(delay=3.0)), "nirtorch"),
    "nir104": (lambda: compiled(layers(reset="subtract")), "nir104"),
    "sinabs": (lambda: compiled(layers(reset="subtract", max_spikes=1_000_000)), "sinabs"),
    "coincidence": (lambda: network("coincidence"), "nirtorch"),
    "spoken-digits": (lambda: network("spoken-digits"), "nirtorch"),
}


@pytest.mark.parametrize("name", ROUND)
def test_export_import_export_gives_the_same_file_and_spikes(name: str, tmp_path: Path) -> None:
    make, dialect = ROUND[name]
    net = make()
    before = written(net, tmp_path / "a.nir", dialect)
    back = imported(tmp_path / "a.nir")
    assert back.program.dt == pytest.approx(net.program.dt)
    assert differences(before, written(back, tmp_path / "b.nir", dialect)) == []
    if not net.frozen.inputs:
        return
    (given,) = record(net)[:1]
    (x,) = given.inputs.values()
    ours = run(read(tmp_path / "a.nir"), x)
    for source, signal in given.signals.items():
        op = net.program.ops[source.op]
        if op.role == "population" and source.port == "spikes":
            name = op.name.replace(" ", "_")
            theirs = ours.get(name, ours.get(f"{name}.lif"))
            assert theirs is not None
            assert (theirs[: len(signal)] != signal).sum() == 0, op.name


# What a package writes and we write better, each with the reason.
BETTER = {
    "norse": {"1.tau", "3.tau", "input.shape", "output.shape"},  # tau times dt, an axis for the batch
    # axes for the batch; an r that its own reader takes for another dt
    "rockpool": {"input.shape", "output.shape", "1_LIFTorch.r", "3_LIFTorch.r"},
}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_files_of_other_packages_are_written_again_as_they_were(file: Path, tmp_path: Path) -> None:
    before = flattened(read_file(file))
    how, _ = reading(before, "auto", None)
    assert set(differences(before, written(imported(file), tmp_path / "b.nir", how.name))) == BETTER.get(
        file.stem, set()
    )


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_files_of_other_packages_run_here_and_there_alike(file: Path, tmp_path: Path) -> None:
    how, _ = reading(flattened(read_file(file)), "auto", None)
    need_readers(how.name)
    net = imported(file)
    options, path = options_of(nir(), {"dialect": how.name}), tmp_path / "b.nir"
    export(nir(), net.program, net.frozen, path, options)
    (data,) = net.program.of_role("dataset")
    x = stimulus(data.shapes["data"] or ())
    found = read(file)
    ours = run(found, x)
    ports = {op.name: source for source in net.frozen.outputs for op in [net.program.ops[source.op]]}
    signals = {ports[name]: signal for name, signal in ours.items()}
    recording = Recording({next(iter(net.frozen.inputs)): x}, signals, len(x))
    report = verify(nir(), path, net.frozen, [recording], options)
    assert report.status == "verified", [str(one) for one in report.artefact]
    bounded = any("keeps v" in d.message for d in found.diagnostics)
    assert bounded or all(one.equal for one in report.cost), [str(one) for one in report.cost]


OWN = ("snntorch", "spikingjelly", "sinabs")


@pytest.mark.slow
@pytest.mark.parametrize("package", OWN)
def test_a_file_runs_in_the_package_that_wrote_it_as_it_does_here(package: str) -> None:
    """The original file, not ours.  (Norse and Rockpool cannot run what they write: see BETTER.)"""
    need(HOMES.get(package, "neuro"))
    file = next(path for path in FILES if path.stem == package)
    how, _ = reading(flattened(read_file(file)), "auto", None)
    x = stimulus((6,))
    ours = run(read(file), x)
    given = {"x": x, "names": np.array(list(ours)), "steps": np.array(len(x)), "dt": np.array(how.dt)}
    theirs = run_in(HOMES.get(package, "neuro"), SCRIPT, given, package, str(file), how.name)
    assert any(signal.any() for signal in ours.values())
    for name, signal in ours.items():
        assert (theirs[name].reshape(signal.shape) != signal).sum() == 0, name


def test_the_package_nir_reads_what_we_write(tmp_path: Path) -> None:
    nir_package = pytest.importorskip("nir")
    for dialect, document in (("universal", layers()), ("nirtorch", ring(delay=3.0)), ("norse", ring(lag=1))):
        written(compiled(document), tmp_path / "a.nir", dialect)
        assert nir_package.read(tmp_path / "a.nir").nodes


def test_every_dialect_says_what_it_is() -> None:
    assert set(WRITTEN) < set(DIALECTS)
    assert all(dialect.doc for dialect in DIALECTS.values())
