"""The ONNX model of one step gives our spikes in ONNX Runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.document import Document
from engine.errors import MyelinError
from engine.export.simulate import simulate
from engine.export.target import get, options_of
from engine.export.verify import export
from tests.export.networks import GALLERY, compiled, network, record

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
TARGET = get("onnx")


def exported(name: str, folder: Path) -> Path:
    found = network(name)
    export(TARGET, found.program, found.frozen, folder / "network.onnx", options_of(TARGET))
    return folder / "network.onnx"


@pytest.mark.parametrize("name", GALLERY)
def test_spikes_are_equal_in_onnx_runtime(verified: Any, name: str) -> None:
    _, report = verified("onnx", name)
    assert report.status == "verified"
    assert report.exact
    assert all(comparison.ours > 0 for comparison in report.artefact if comparison.spikes)


def test_inputs_outputs_and_state_have_speaking_names(tmp_path: Path) -> None:
    model = onnx.load(exported("spoken-digits", tmp_path))
    onnx.checker.check_model(model, full_check=True)
    graph, about = model.graph, {entry.key: entry.value for entry in model.metadata_props}
    assert [value.name for value in graph.output][:4] == [
        "hidden_1_spikes", "hidden_2_spikes", "output_v", "votes",
    ]  # fmt: skip
    names = {value.name for value in graph.input}
    assert {"data", "data.data.past", "hidden_1.v", "hidden_1.spikes.past", "votes.votes"} <= names
    assert about["title"] == "Spoken digits with learnable delays"
    assert float(about["dt_ms"]) == 10.0
    signals = json.loads(about["signals"])
    assert signals["inputs"] == {"data": "data.data"}
    assert set(signals["state"]) == names - {"data"}


def test_the_preview_is_the_graph_without_its_numbers(tmp_path: Path) -> None:
    (shown,) = TARGET.preview(exported("spoken-digits", tmp_path))
    assert "MatMul" in shown.text or "Gather" in shown.text
    assert "hidden_2_spikes" in shown.text
    assert len(shown.text) < 20_000


def test_synapses_that_hear_the_same_share_its_past(tmp_path: Path) -> None:
    graph = onnx.load(exported("ei-network", tmp_path)).graph
    pasts = sorted(value.name for value in graph.input if value.name.endswith(".past"))
    assert pasts == ["background.spikes.past", "excitatory.spikes.past", "inhibitory.spikes.past"]


def test_samples_of_a_batch_run_side_by_side(tmp_path: Path) -> None:
    path, found = exported("spoken-digits", tmp_path), network("spoken-digits")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = json.loads(session.get_modelmeta().custom_metadata_map["signals"])
    data = (np.random.default_rng(0).random((30, 3, 140)) < 0.2).astype(np.float32)
    first = {t.name: np.zeros([3, *t.shape[1:]], np.float32) for t in session.get_overridable_initializers()}
    state, spikes = first, []
    for now in data:
        answer = session.run(["hidden_2_spikes", *names["state"].values()], {"data": now, **state})
        spikes.append(answer[0])
        state = dict(zip(names["state"], answer[1:], strict=True))
    (source,) = found.frozen.inputs
    hidden = next(s for s in found.frozen.outputs if found.frozen.name(s) == "hidden 2.spikes")
    for sample in range(3):
        ours = simulate(found.frozen, {source: data[:, sample]}, 30)[hidden]
        assert ours.any()
        assert np.array_equal(np.stack(spikes)[:, sample], ours)


def chain(projection: str, delay: dict[str, Any] | None, population: str, **params: Any) -> Document:
    """A current, neurons that it drives, a projection, and neurons of another kind behind it."""
    document = Document.new("Chain", dt_ms=1.0, seed=3)
    drive = document.add("encoder.direct", name="drive", offset=1.2, size=[2, 6])
    source = document.add("population.lif", name="source", tau_mem=5.0, refractory=2.0, size=[2, 6])
    between = document.add(projection, name="between", **params)
    target = document.add(population, name="target")
    document.connect(drive, "output", source, "input")
    document.connect(source, "spikes", between, "input")
    document.connect(between, "output", target, "input")
    if delay is not None:
        late = document.add("delays.random", name="late", **delay)
        document.connect(late, "delays", between, "delays")
    return document


CHAINS = {
    "dendritic with a bias": chain(
        "projection.dense", {"granularity": "dendritic"}, "population.alif", size=[5], gain=3.0, bias=True
    ),
    "axonal": chain("projection.conv1d", {"granularity": "axonal"}, "population.cuba", channels=3, gain=2.0),
    "sparse": chain("projection.sparse", {}, "population.adlif", size=[7], probability=0.5, gain=4.0),
    "largest of windows": chain("projection.pool", None, "population.izhikevich", mode="max"),
    "a hop": chain("projection.dense", None, "population.lif", size=[4], gain=2.0, lag=1),
}


@pytest.mark.parametrize("name", CHAINS)
def test_every_sort_of_delay_and_neuron_is_equal(verified: Any, name: str) -> None:
    found = compiled(CHAINS[name])
    if "bias" in name:
        arrays = {k: dict(v) for k, v in found.arrays.items()}
        for own in arrays.values():
            if "offset" in own:
                own["offset"] = np.linspace(-0.1, 0.4, own["offset"].size, dtype=np.float32)
        found = compiled(CHAINS[name])._replace(arrays=arrays)
        from engine.export.freeze import freeze

        found = found._replace(frozen=freeze(found.program, arrays))
    for target in ("onnx", "pytorch"):
        _, report = verified(target, found)
        assert report.status == "verified", [str(comparison) for comparison in report.artefact]
        assert report.exact


def test_without_onnx_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MyelinError, match="pip install"):
        exported("coincidence", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_recording_of_a_chain_fires() -> None:
    found = compiled(CHAINS["sparse"])
    (recording, *_) = record(found)
    assert all(signal.any() for signal in recording.signals.values())
