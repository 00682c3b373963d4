"""Checkpoints: what is written is read, and what does not belong is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.backend import checkpoint
from engine.backend.lightning_io import SafetensorsIO
from engine.backend.network import Network
from engine.document import Document
from engine.errors import MyelinError
from tests.backend.graphs import network_of
from tests.compile.drawing import new_document, project


def network(size: int = 3, bias: bool = False) -> Network:
    d = new_document()
    a, b = d.add("population.poisson", size=[size]), d.add("population.lif", size=[2])
    project(d, a, b, delay=1.0, bias=bias)
    return network_of(d)


def test_tensors_and_metadata_come_back(tmp_path: Path) -> None:
    one, other, path = network(), network(), tmp_path / "deep" / "c.safetensors"
    with torch.no_grad():
        for key in one.declared:
            one.tensor(key).add_(0.5)
    checkpoint.write(one, path, {"title": "a", "accuracy": 0.5})
    checkpoint.read(other, path)
    assert all(torch.equal(other.tensor(key), one.tensor(key)) for key in one.declared)
    assert checkpoint.metadata(path) == {"title": "a", "accuracy": 0.5}
    assert [file.name for file in path.parent.iterdir()] == ["c.safetensors"]


def test_a_network_in_evaluation_uses_what_was_read(tmp_path: Path) -> None:
    from engine.program import Source

    one, other, path = network(), network(), tmp_path / "c.safetensors"
    v = Source(next(op.id for op in one.program.of_role("population") if op.inputs), "v")
    with torch.no_grad():
        other.run({}, steps=30)
        one.tensor("n3:weight").mul_(-2)
        checkpoint.write(one, path, {})
        checkpoint.read(other, path)
        one.eval()
        assert torch.equal(
            other.run({}, steps=30, keep=[v]).signals[v], one.run({}, steps=30, keep=[v]).signals[v]
        )


def refusal(path: Path, into: Network) -> str:
    before = {key: into.tensor(key).detach().clone() for key in into.declared}
    with pytest.raises(MyelinError) as caught:
        checkpoint.read(into, path)
    assert all(torch.equal(into.tensor(key), value) for key, value in before.items()), (
        "half a checkpoint was read"
    )
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_does_not_belong_is_refused_and_nothing_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    checkpoint.write(network(), path, {})
    assert "belongs to another network" in refusal(path, network(bias=True))
    assert "has shape" in refusal(path, network(size=5))
    content = path.read_bytes()
    for broken in (content[: len(content) // 2], content[:5], b"", b"not a checkpoint at all"):
        path.write_bytes(broken)
        assert "is no readable checkpoint" in refusal(path, network())
        with pytest.raises(MyelinError, match="is no readable checkpoint"):
            checkpoint.metadata(path)
    assert "there is no checkpoint" in refusal(tmp_path / "missing", network())
    assert "is no readable checkpoint" in refusal(tmp_path, network())


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    one, path = network(), tmp_path / "c.safetensors"
    with torch.no_grad():
        one.tensor("n3:weight")[0, 0] = torch.nan
    checkpoint.write(one, path, {})
    assert "n3:weight holds numbers that are not finite" in refusal(path, network())


def test_an_id_may_hold_what_torch_takes_in_no_name(tmp_path: Path) -> None:
    ids = iter(["in.put", "100%.2E", "a:b.c", *"defgh"])
    d = Document.new(mint=lambda: next(ids))
    a, b = d.add("population.poisson", size=[3]), d.add("population.lif", size=[2], train=["tau_mem"])
    project(d, a, b, delay=1.0)
    one, other = network_of(d), network_of(d)
    assert len(one.declared) == 3
    with torch.no_grad():
        for key in one.declared:
            one.tensor(key).add_(0.5)
    checkpoint.write(one, tmp_path / "c.safetensors", {})
    checkpoint.read(other, tmp_path / "c.safetensors")
    assert all(torch.equal(other.tensor(key), one.tensor(key)) for key in one.declared)
    assert one.run({}, steps=5).state.values["100%.2E"]["v"].shape == (1, 2)


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MyelinError, match="cannot write"):
        checkpoint.write(network(), tmp_path / "file" / "c.safetensors", {})
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_lightnings_tree_keeps_types_and_holds_no_code(tmp_path: Path) -> None:
    from collections import OrderedDict

    tree = {
        "epoch": 3, "none": None, "flags": [True, (1, 2.5)], "state": {0: {"step": torch.tensor(2.0)}, 1: {}},
        "score": float("inf"), "state_dict": OrderedDict({"network.learned.n3:weight": torch.ones(2)}),
    }  # fmt: skip
    io, path = SafetensorsIO(), tmp_path / "c.safetensors"
    io.save_checkpoint(dict(tree), path)
    found = io.load_checkpoint(path)
    assert found["state"][0]["step"] == 2
    assert list(found["state"]) == [0, 1]
    assert found["flags"] == [True, (1, 2.5)]
    assert (found["epoch"], found["none"], found["score"]) == (3, None, float("inf"))
    assert torch.equal(found["state_dict"]["network.learned.n3:weight"], torch.ones(2))
    with pytest.raises(TypeError, match="cannot stand in a checkpoint"):
        io.save_checkpoint({"callable": print}, path)
    io.remove_checkpoint(path)
    assert not path.exists()
