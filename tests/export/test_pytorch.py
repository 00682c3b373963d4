"""The exported PyTorch file runs alone, gives our spikes, and learns as ours does."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from engine.arrays import tensor_key
from engine.backend.network import Network as Ours
from engine.document import Document, load
from engine.export.target import get, options_of
from engine.export.targets._torch.file import File
from engine.export.verify import export
from engine.program import Source
from tests.export.networks import GALLERY, ROOT, Network, compiled, network, recorded

TARGET = get("pytorch")


def exported(found: Network, folder: Path) -> Path:
    export(TARGET, found.program, found.frozen, folder, options_of(TARGET))
    return folder / "network.py"


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"exported_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def small_digits(**dropout: float) -> Document:
    """Spoken digits with 24 neurons a layer and its test on the shape of the data left out."""
    document = load(ROOT / "projects" / "spoken-digits" / "spoken-digits.myelin")
    ops: list[dict[str, Any]] = []
    for key, node in document.nodes.items():
        if node.type == "population.lif":
            ops.append({"op": "set", "path": ["nodes", key, "params", "size"], "value": [24]})
        if node.type == "structure.dropout":
            ops += [
                {"op": "set", "path": ["nodes", key, "params", k], "value": v} for k, v in dropout.items()
            ]
    document.edit("Smaller", ops)
    return document


@pytest.mark.parametrize("name", GALLERY)
def test_spikes_are_equal_without_us(verified: Any, name: str) -> None:
    _, report = verified("pytorch", name)
    assert report.status == "verified"
    assert report.exact
    assert all(comparison.ours > 0 for comparison in report.artefact if comparison.spikes)


def test_a_whole_sequence_lasts_as_long_as_ours(tmp_path: Path) -> None:
    found = network("spoken-digits")
    theirs = module(exported(found, tmp_path / "net")).load()
    file = File(found.frozen)
    for recording in recorded("spoken-digits", whole=True):
        steps = recording.steps - found.program.tail
        given = {file.signals[s]: torch.from_numpy(x[:steps, None]) for s, x in recording.inputs.items()}
        with torch.no_grad():
            outputs, _ = theirs(**given)
        for source, ours in recording.signals.items():
            signal = outputs[file.signals[source]][:, 0].numpy()
            assert len(signal) == steps + found.program.ops[source.op].tail
            assert not ours[len(signal) :].any()
            if source.port == "spikes":
                assert np.array_equal(signal, ours[: len(signal)])
            np.testing.assert_allclose(signal, ours[: len(signal)], atol=1e-5)


@pytest.mark.parametrize("name", ["coincidence", "ei-network", "spoken-digits"])
def test_a_stream_may_be_cut_anywhere(tmp_path: Path, name: str) -> None:
    found = network(name)
    theirs, file = module(exported(found, tmp_path / "net")).load(), File(found.frozen)
    (recording, *_) = recorded(name)
    given = {file.signals[s]: torch.from_numpy(x[:40, None].copy()) for s, x in recording.inputs.items()}
    with torch.no_grad():
        if not given:
            whole, parts, state = theirs.stream(40)[0], [], None
            for steps in (1, 13, 26):
                part, state = theirs.stream(steps, state=state)
                parts.append(part)
        else:
            whole, parts, state = theirs.stream(**given)[0], [], None
            for cut in (slice(0, 1), slice(1, 14), slice(14, 40)):
                part, state = theirs.stream(**{key: x[cut] for key, x in given.items()}, state=state)
                parts.append(part)
    for key, signal in whole.items():
        assert torch.equal(signal, torch.cat([part[key] for part in parts])), key


def test_a_step_of_training_has_our_gradients(tmp_path: Path) -> None:
    found = compiled(small_digits(rate=0.0))
    theirs, file = module(exported(found, tmp_path / "net")).load().train(), File(found.frozen)
    ours = Ours(found.program).train()
    generator = torch.Generator().manual_seed(3)
    data = (torch.rand(50, 4, 140, generator=generator) < 0.1).float() * 2
    label = torch.nn.functional.one_hot(torch.tensor([1, 5, 7, 19]), 20).float()
    (source,) = found.frozen.inputs
    (loss,) = found.program.of_role("loss")
    keep = [s for port, own in loss.inputs.items() if port != "label" for s in own]
    result = ours.run({source: data}, keep=keep)
    (each,) = ours.losses(result.signals, label).values()
    each.mean().backward()
    outputs, _ = theirs(data)
    mine = theirs.loss(outputs, label)
    mine.mean().backward()
    torch.testing.assert_close(mine, each, rtol=1e-4, atol=1e-5)
    compared = 0
    for node in file.nodes.values():
        for name in node.tensors:
            tensor, reference = (
                getattr(theirs.get_submodule(node.name), name),
                ours.tensor(tensor_key(node.op.id, name)),
            )
            if reference.grad is None:
                torch.testing.assert_close(tensor, reference, rtol=1e-4, atol=1e-5)  # running statistics
                continue
            scale = float(reference.grad.abs().max())
            assert scale > 0, (node.name, name)
            assert float((tensor.grad - reference.grad).abs().max()) < 1e-4 * scale, (node.name, name)
            compared += 1
    assert compared == 10  # 3 weights, 3 delays, 2 gammas, 2 betas


LEARN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import torch
import network as file
torch.manual_seed(0)
net = file.load()
before = {key: x.clone() for key, x in net.state_dict().items()}
rate = torch.linspace(0, 1, 4)[:, None] * torch.linspace(-1, 1, 140)
batches = []
for _ in range(3):
    label = torch.arange(16) % 4
    data = (torch.rand(30, 16, 140) < 0.08 + 0.08 * rate[label]).float()
    batches.append(({"data": data}, label))
losses = list(file.train(net, batches, epochs=6))
moved = {key: float((x - before[key]).abs().max()) for key, x in net.state_dict().items()}
file.save(net, sys.argv[1])
again = file.load()
same = all(torch.equal(x, again.state_dict()[key]) for key, x in net.state_dict().items())
ours = sorted({name.partition(".")[0] for name in sys.modules} & {"engine", "nodes", "studio"})
print(json.dumps([losses, moved, same, ours, net.weights_1.sigma, float(net.weights_1.delay.detach().max())]))
"""


def test_it_learns_alone_and_delays_move(tmp_path: Path) -> None:
    path = exported(compiled(small_digits(rate=0.1)), tmp_path / "net")
    done = subprocess.run(
        [sys.executable, "-I", "-c", LEARN, str(path.parent)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    losses, moved, same, ours, sigma, longest = json.loads(done.stdout)
    assert losses[-1] < 0.8 * losses[0]
    assert all(moved[f"weights_{k}.delay"] > 0.05 for k in (1, 2, 3))
    assert all(moved[f"weights_{k}.weight"] > 1e-3 for k in (1, 2, 3))
    assert moved["norm_1.mean"] > 0
    assert same
    assert not ours
    assert sigma == pytest.approx(0.23)
    assert longest <= 24


def test_dropout_drops_whole_sequences_in_training_alone(tmp_path: Path) -> None:
    theirs = module(exported(compiled(small_digits(rate=0.5)), tmp_path / "net")).load()
    assert theirs.dropout_1.draw(3) is None
    theirs.train()
    mask = theirs.dropout_1.draw(3)
    out = theirs.dropout_1(torch.ones(7, 3, 24), mask)
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(out[0], out[6])


def test_a_recipe_that_rounds_is_named_and_its_weights_are_in_the_file(tmp_path: Path) -> None:
    document = small_digits()
    recipe = {**document.recipes["train"], "quantise_weights": 3, "clip": 1.0, "accumulate": 2}
    document.edit("Rounded", [{"op": "set", "path": ["recipes", "train"], "value": recipe}])
    found = compiled(document)
    assert [p.code for p in TARGET.check(found.program, options_of(TARGET))] == ["MYL223"]
    theirs = module(exported(found, tmp_path / "net"))
    assert theirs.RECIPE == {"epochs": 15, "lr": 0.001, "clip": 1.0, "accumulate": 2}
    assert len(theirs.load().weights_1.weight.unique()) <= 7


def test_what_no_line_is_known_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    program = network("spoken-digits").program
    monkeypatch.setattr("engine.export.targets.pytorch.PRINTABLE", frozenset({"add", "sub"}))
    problems = TARGET.check(program, options_of(TARGET))
    assert any(p.code == "MYL220" and "'hidden 1' computes" in p.message for p in problems)


def test_the_file_names_units_and_nothing_of_ours(tmp_path: Path) -> None:
    text = exported(network("spoken-digits"), tmp_path / "net").read_text("utf-8")
    assert "import engine" not in text
    assert "myelin" not in text.replace("Myelin Studio", "").lower()
    assert "self.tau_mem = 10.05  # ms, membrane time constant" in text
    assert max(map(len, text.splitlines())) < 140


def test_sources_are_inputs_by_name(tmp_path: Path) -> None:
    file = File(network("ei-network").frozen)
    assert [file.signals[s] for s in file.frozen.inputs] == ["background_spikes"]
    assert all(isinstance(source, Source) for source in file.signals)
