"""What is seen of a training besides its metrics, and that looking changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.backend import checkpoint, evaluation
from engine.backend.data import Split
from engine.backend.network import Network
from engine.errors import MyelinError
from engine.program import Source
from tests.backend.learning import CLASSES, document, learn, write_data
from tests.backend.test_training import after_epochs, assert_same, rows
from tests.compile.drawing import program_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "epochs.jsonl").read_text().splitlines()]


def test_watching_changes_no_bit(data: Path, tmp_path: Path) -> None:
    seen, _ = learn(document(data), tmp_path / "seen", watch=True)
    unseen, _ = learn(document(data), tmp_path / "unseen")
    assert_same(seen, unseen)
    assert not (tmp_path / "unseen" / "epochs.jsonl").exists()
    for a, b in zip(rows(tmp_path / "seen"), rows(tmp_path / "unseen"), strict=True):
        assert {key: a[key] for key in b} == b
        assert [float(a[key]) > 0.0 for key in a if key.endswith("rate_hz")] == [True]


def test_an_epoch_tells_delays_weights_rates_gradients_and_confusion(data: Path, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    network, _ = learn(document(data, epochs=2), tmp_path, watch=True, on_event=told.append)
    epochs = [event for event in told if event["event"] == "epoch"]
    last = epochs[-1]["watched"]
    (delays,) = last["delays"]
    values = network.tensor(delays["tensor"].removeprefix("network/")).detach()
    assert delays["counts"] == torch.bincount(values.add(0.5).floor().long().flatten(), minlength=6).tolist()
    assert (delays["low"], delays["high"], delays["dt"]) == (-0.5, 5.5, 10.0)
    assert delays["sigma"] == epochs[-1]["sigma"]
    assert delays["mean"] == pytest.approx(float(values.mean()))
    assert [sum(one["counts"]) for one in last["weights"]] == [12 * 16, 16 * CLASSES]
    (rate,) = last["rates"]
    assert 0.0 < rate["hz"] < 100.0
    assert {one["tensor"] for one in last["gradients"]} >= {"weight", "delay", "tau_mem"}
    assert all(one["norm"] > 0.0 for one in last["gradients"])
    judged = epochs[-1]["judged"]["test"]
    assert sum(map(sum, judged["confusion"])) == 12
    assert judged["accuracy"] == epochs[-1]["test_accuracy"]
    assert judged["chance"] == 0.25
    steps = [event for event in told if event["event"] == "step"]
    assert (steps[0]["chance"], steps[0]["left_s"]) == (0.25, None)
    assert steps[1]["left_s"] > 0.0
    assert epochs[-1]["left_s"] == 0.0
    assert [line["watched"] for line in lines(tmp_path)] == [event["watched"] for event in epochs]


def test_rates_are_those_of_the_batches(data: Path, tmp_path: Path) -> None:
    d = document(data, epochs=1, batch=64, lr=0.0, delay_lr=0.0, neuron_lr=0.0)
    told: list[dict[str, Any]] = []
    network, _ = learn(d, tmp_path, watch=True, on_event=told.append)
    (rate,) = told[-1]["watched"]["rates"]
    again = Network(program_of(d)).train()
    again.sigma = dict(network.sigma)
    split = Split(again.program, "train", tmp_path)
    with torch.no_grad():
        signals, _ = evaluation.forward(again, split[range(24)], 1, [Source("n6", "spikes")])
    assert rate["hz"] == pytest.approx(100.0 * signals[Source("n6", "spikes")].mean().item(), rel=1e-5)


def test_stopped_and_resumed_leaves_the_same_files(data: Path, tmp_path: Path) -> None:
    learn(document(data), tmp_path / "whole", watch=True)
    listen, stop = after_epochs(1)
    learn(document(data), tmp_path / "parts", watch=True, on_event=listen, should_stop=stop)
    with (tmp_path / "parts" / "epochs.jsonl").open("a") as file:
        file.write('{"epoch": 2, "wat')
    learn(document(data), tmp_path / "parts", watch=True, resume=True)
    for name in ("epochs.jsonl", "metrics.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_watched_run_goes_on_unwatched(data: Path, tmp_path: Path) -> None:
    listen, stop = after_epochs(1)
    learn(document(data), tmp_path, watch=True, on_event=listen, should_stop=stop)
    learn(document(data), tmp_path, resume=True)
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3"]
    assert all(row["test_loss"] and float(row["train_loss"]) > 0 for row in rows(tmp_path))


def test_unjudged_epochs_tell_no_held_out_numbers(data: Path, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    learn(document(data, test_every=2), tmp_path, watch=True, on_event=told.append)
    epochs = [event for event in told if event["event"] == "epoch"]
    assert ["test" in event["judged"] for event in epochs] == [False, True, True]
    assert ["test_accuracy" in event for event in epochs] == [False, True, True]


@pytest.mark.slow
def test_two_processes_see_what_one_sees(data: Path, tmp_path: Path) -> None:
    learn(document(data, epochs=1), tmp_path / "one", watch=True)
    learn(document(data, epochs=1), tmp_path / "two", watch=True, processes=2)
    (one,), (two,) = lines(tmp_path / "one"), lines(tmp_path / "two")
    assert two["watched"]["rates"][0]["hz"] == pytest.approx(one["watched"]["rates"][0]["hz"], rel=1e-3)
    for a, b in zip(one["watched"]["gradients"], two["watched"]["gradients"], strict=True):
        assert b["norm"] == pytest.approx(a["norm"], rel=1e-3)


def test_starting_from_weights_that_are_not_there_is_one_sentence(data: Path, tmp_path: Path) -> None:
    network = Network(program_of(document(data)))
    with pytest.raises(MyelinError, match=r"cannot start from the weights .* there is no checkpoint"):
        checkpoint.begin(network, tmp_path / "gone.safetensors")
    checkpoint.begin(network, None)
