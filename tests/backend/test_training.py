"""Training repeats to the bit, resumes as if never stopped, and learns."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.backend import checkpoint, evaluation
from engine.backend.data import Split
from engine.backend.network import Network
from engine.document import delete_nodes
from engine.errors import MyelinError
from tests.backend.learning import document, learn, without_norm, write_data
from tests.compile.drawing import program_of, set_param


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


def rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "metrics.csv").read_text().splitlines()))


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {key: network.tensor(key).detach().clone() for key in network.declared}


def assert_same(a: Network, b: Network) -> None:
    for key, value in weights(a).items():
        assert torch.equal(b.tensor(key), value), key


def after_epochs(count: int) -> tuple[Callable[[dict[str, Any]], None], Callable[[], bool]]:
    """A listener and the wish to stop in the first step after ``count`` epochs."""
    seen: list[int] = []
    return lambda event: seen.append(1) if event["event"] == "epoch" else None, lambda: len(seen) >= count


def test_same_seed_same_bytes(data: Path, tmp_path: Path) -> None:
    first, _ = learn(document(data), tmp_path / "a")
    second, _ = learn(document(data), tmp_path / "b")
    assert_same(first, second)
    assert (tmp_path / "a" / "metrics.csv").read_bytes() == (tmp_path / "b" / "metrics.csv").read_bytes()
    other = document(data)
    other.edit("seed", [{"op": "set", "path": ["meta", "seed"], "value": 6}])
    learn(other, tmp_path / "c")
    assert rows(tmp_path / "c") != rows(tmp_path / "a")


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_stopped_and_resumed_equals_uninterrupted(epochs: int, data: Path, tmp_path: Path) -> None:
    given = {"lr_schedule": "onecycle", "neuron_schedule": "exponential"}
    whole, _ = learn(document(data, **given), tmp_path / "whole")
    listen, stop = after_epochs(epochs)
    _, stopped = learn(document(data, **given), tmp_path / "parts", on_event=listen, should_stop=stop)
    assert stopped["stopped"]
    assert (
        len(rows(tmp_path / "parts")) == epochs
        if epochs
        else not (tmp_path / "parts" / "metrics.csv").exists()
    )
    resumed, metrics = learn(document(data, **given), tmp_path / "parts", resume=True)
    assert "stopped" not in metrics
    assert_same(whole, resumed)
    assert (tmp_path / "parts" / "metrics.csv").read_bytes() == (
        tmp_path / "whole" / "metrics.csv"
    ).read_bytes()


def test_a_crash_between_metrics_and_checkpoint_counts_no_epoch_twice(data: Path, tmp_path: Path) -> None:
    learn(document(data), tmp_path / "whole")
    listen, stop = after_epochs(1)
    learn(document(data), tmp_path / "parts", on_event=listen, should_stop=stop)
    with (tmp_path / "parts" / "metrics.csv").open("a") as file:
        file.write("2,9.0,0.5\n")
    learn(document(data), tmp_path / "parts", resume=True)
    assert (tmp_path / "parts" / "metrics.csv").read_bytes() == (
        tmp_path / "whole" / "metrics.csv"
    ).read_bytes()


def test_resuming_what_is_complete_changes_nothing(data: Path, tmp_path: Path) -> None:
    network, metrics = learn(document(data), tmp_path)
    before = (tmp_path / "metrics.csv").read_bytes()
    again, same = learn(document(data), tmp_path, resume=True)
    assert_same(network, again)
    assert same == metrics
    assert (tmp_path / "metrics.csv").read_bytes() == before


def test_more_epochs_can_follow(data: Path, tmp_path: Path) -> None:
    learn(document(data, epochs=2), tmp_path)
    learn(document(data, epochs=4), tmp_path, resume=True)
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3", "4"]


def test_loss_falls_and_accuracy_rises_above_chance(data: Path, tmp_path: Path) -> None:
    _, metrics = learn(document(data, epochs=12, lr=2e-2), tmp_path)
    losses = [float(row["train_loss"]) for row in rows(tmp_path)]
    assert losses[-1] < losses[0] - 0.02
    assert metrics["train_accuracy"] > 0.7
    assert metrics["test_accuracy"] > 0.5


def test_width_falls_and_delays_move_within_their_taps(data: Path, tmp_path: Path) -> None:
    d = document(data, epochs=4, delay_lr=1.0)
    before = Network(program_of(d))
    network, _ = learn(d, tmp_path)
    (key,) = [key for key in network.declared if key.endswith(":delay")]
    delay = network.tensor(key).detach()
    assert float(delay.min()) >= 0
    assert float(delay.max()) <= 5
    assert not torch.equal(delay, before.tensor(key))
    widths = [float(row["sigma"]) for row in rows(tmp_path)]
    assert widths[0] == 3
    assert widths[-1] == pytest.approx(0.23)


def test_what_is_not_to_be_learned_stays(data: Path, tmp_path: Path) -> None:
    d = document(data)
    for name, value in (("train_weights", False), ("gain", 3.0)):
        set_param(d, "n2", name, value)
    set_param(d, "n4", "learn", False)
    before = Network(program_of(d))
    network, _ = learn(d, tmp_path)
    changed = {key for key in network.declared if not torch.equal(network.tensor(key), before.tensor(key))}
    assert not changed & {"n2:weight", "n2:delay"}
    assert {"n3:weight", "n5:gamma", "n5:mean", "n8:tau_mem"} <= changed


@pytest.mark.parametrize(
    "given",
    [{"clip": 1e-4, "optimiser": "sgd"}, {"accumulate": 3}, {"optimiser": "adamw", "weight_decay": 0.5},
     {"optimiser": "sgd"}, {"weight_decay": 0.5},
     {"neuron_lr": 0.5}, {"delay_lr": 2.0}, {"lr_schedule": "cosine"}],
    ids=str,
)  # fmt: skip
def test_settings_have_an_effect(given: dict[str, Any], data: Path, tmp_path: Path) -> None:
    alone = {"clip": {"optimiser": "sgd"}, "weight_decay": {"weight_decay": 0.5} if len(given) == 2 else {}}
    plain = next((alone[name] for name in given if name in alone), {})
    learn(document(data, epochs=2, **plain), tmp_path / "plain")
    learn(document(data, epochs=2, **given), tmp_path / "set")
    assert rows(tmp_path / "plain")[-1]["train_loss"] != rows(tmp_path / "set")[-1]["train_loss"]


def test_accumulated_batches_make_one_step(data: Path, tmp_path: Path) -> None:
    """Without anything that looks at a batch as a whole, 3 batches of 8 teach as one of 24."""

    def plain(**given: Any) -> Any:
        d = without_norm(document(data, epochs=1, optimiser="sgd", **given))
        set_param(d, "n7", "rate", 0.0)
        return d

    together, _ = learn(plain(batch=24), tmp_path / "a")
    summed, _ = learn(plain(batch=8, accumulate=3), tmp_path / "b")
    for key, value in weights(together).items():
        torch.testing.assert_close(summed.tensor(key), value, rtol=1e-2, atol=1e-3)


def test_tests_are_made_when_asked_and_at_the_end(data: Path, tmp_path: Path) -> None:
    learn(document(data, epochs=5, test_every=2), tmp_path / "two")
    assert [row["epoch"] for row in rows(tmp_path / "two") if row["test_accuracy"]] == ["2", "4", "5"]
    learn(document(data, epochs=2, test_every=0), tmp_path / "last")
    assert [row["epoch"] for row in rows(tmp_path / "last") if row["test_accuracy"]] == ["2"]


def test_a_stop_while_an_epoch_is_judged_leaves_the_last_whole_epoch(data: Path, tmp_path: Path) -> None:
    """After the third batch, the last of the epoch, only the judging asks whether to stop."""
    steps: list[int] = []
    asked: list[int] = []

    def listen(event: dict[str, Any]) -> None:
        steps.extend([event["batch"]] if event["event"] == "step" else [])

    def stop() -> bool:
        asked.extend([len(steps)] if len(steps) == 3 else [])
        return len(asked) > 1

    network, found = learn(document(data), tmp_path / "out", on_event=listen, should_stop=stop)
    assert found["stopped"]
    assert steps == [1, 2, 3]
    assert not (tmp_path / "out" / "metrics.csv").exists()
    assert network.training
    assert not network.smeared
    _, resumed = learn(document(data), tmp_path / "out", resume=True)
    _, whole = learn(document(data), tmp_path / "whole")
    assert resumed == whole


def test_early_stopping_and_the_best_epoch(data: Path, tmp_path: Path) -> None:
    d = document(data, epochs=30, validation=0.25, patience=2, lr=0.5, optimiser="sgd")
    network, metrics = learn(d, tmp_path)
    losses = [float(row["validation_loss"]) for row in rows(tmp_path)]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 30
    assert metrics["validation_loss"] == losses[best]
    kept = Network(network.program)
    checkpoint.read(kept, tmp_path / "best.safetensors")
    assert_same(network, kept)


def test_validation_is_held_out_of_training(data: Path, tmp_path: Path) -> None:
    program = program_of(document(data))
    split = Split(program, "train", tmp_path)
    rest, held = split.divide(0.25, 3)
    assert len(held) == 6
    assert sorted([*rest.indices, *held.indices]) == list(range(24))
    assert (split.divide(0.25, 3)[1].indices == held.indices).all()
    assert (split.divide(0.25, 4)[1].indices != held.indices).any()


def test_reopened_checkpoint_judges_as_the_last_epoch(data: Path, tmp_path: Path) -> None:
    d = document(data)
    _, metrics = learn(d, tmp_path)
    network = Network(program_of(d))
    checkpoint.read(network, tmp_path / "checkpoint.safetensors")
    found = evaluation.evaluate(network, Split(network.program, "test", tmp_path), batch=8)
    assert found["accuracy"] == metrics["test_accuracy"] == float(rows(tmp_path)[-1]["test_accuracy"])
    assert found["loss"] == metrics["test_loss"] == float(rows(tmp_path)[-1]["test_loss"])


def test_events_tell_steps_and_epochs(data: Path, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    learn(document(data, epochs=2), tmp_path, on_event=told.append)
    assert [event["event"] for event in told] == ["step"] * 3 + ["epoch"] + ["step"] * 3 + ["epoch"]
    assert {"epoch", "batch", "batches", "loss"} <= told[0].keys()
    assert {
        "epochs",
        "train_loss",
        "train_accuracy",
        "test_accuracy",
        "test_accuracy_smeared",
        "sigma",
        "samples_per_s",
        "seconds",
    } <= told[3].keys()
    assert told[3]["epochs"] == 2


def complaint(d: Any, out: Path, **options: Any) -> str:
    with pytest.raises(MyelinError) as caught:
        learn(d, out, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_training_is_refused_with_a_sentence(data: Path, tmp_path: Path) -> None:
    d = document(data)
    for node in ("n2", "n3"):
        set_param(d, node, "gain", 1e6)
    set_param(d, "n8", "resistance", 1e38)
    assert "lower the learning rate" in complaint(d, tmp_path / "nan")
    assert "to resume from" in complaint(document(data), tmp_path / "none", resume=True)
    assert "validation" in complaint(document(data, patience=2), tmp_path / "patience")
    assert "no device" in complaint(document(data), tmp_path / "device", device="abacus")
    frozen = document(data)
    for node in ("n2", "n3"):
        set_param(frozen, node, "train_weights", False)
    set_param(frozen, "n4", "learn", False)
    set_param(frozen, "n8", "train", [])
    without_norm(frozen)
    assert "nothing to learn" in complaint(frozen, tmp_path / "frozen")
    assert "no loss" in complaint(without_loss(data), tmp_path / "loss")


def test_resuming_what_does_not_belong_is_refused_with_a_sentence(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.safetensors"
    learn(document(data, epochs=1), tmp_path)
    other = document(data)
    set_param(other, "n6", "size", [5])
    assert "has shape" in complaint(other, tmp_path, resume=True)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert "no readable checkpoint" in complaint(document(data), tmp_path, resume=True)
    checkpoint.write(Network(program_of(document(data))), file, {})
    assert "no training that could be resumed" in complaint(document(data), tmp_path, resume=True)


def without_loss(data: Path) -> Any:
    d = document(data)
    d.edit("cut", delete_nodes(d, ["n10"]))
    return d
