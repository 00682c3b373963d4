"""A run in the worker: it is the very run that `Network.run` makes, and it heeds what it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.backend.network import Network
from engine.compile import compile_document
from engine.document import Document
from engine.program import Source
from engine.run.client import Client, WorkerError
from tests.run import nets


def gathered(worker: Client, steps: int) -> dict[str, np.ndarray]:
    """The records of the next `steps` steps."""
    parts: dict[str, list[np.ndarray]] = {}
    while steps > 0:
        message = worker.wait("records")
        assert message["skipped"] == 0
        steps -= message["steps"]
        for name, array in message["records"].items():
            parts.setdefault(name, []).append(array)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def network(document: Document) -> Network:
    program = compile_document(document).program
    assert program is not None
    return Network(program).eval()


def reference(
    document: Document, steps: int, *ports: tuple[str, str], state: Any = None
) -> tuple[list[np.ndarray], Any]:
    """Signals and state of one run in this process."""
    keep = [Source(*port) for port in ports]
    with torch.no_grad():
        result = network(document).run({}, state, steps=steps, keep=keep)
    return [result.signals[source][:, 0].numpy() for source in keep], result.state


def refusal(worker: Client, request: int) -> WorkerError:
    with pytest.raises(WorkerError) as caught:
        worker.result(request)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("make", [nets.noisy, nets.recurrent])
def test_streamed_chunks_are_one_run_to_the_bit(worker: Client, make: Any) -> None:
    document = make()
    worker.result(worker.load(document))
    stream = [["n1", "spikes"], ["n3", "spikes"], ["n3", "v", [1, 7]], ["n2", "output"]]
    done = worker.result(worker.run(steps=300, frame=50, stream=stream))
    assert (done["reason"], done["step"]) == ("finished", 300)
    found = gathered(worker, 300)
    (noise, spikes, v, current), _ = reference(
        document, 300, ("n1", "spikes"), ("n3", "spikes"), ("n3", "v"), ("n2", "output")
    )
    assert spikes.sum() > 10
    np.testing.assert_array_equal(found["n1.spikes"], noise)
    np.testing.assert_array_equal(found["n3.spikes"], spikes)
    np.testing.assert_array_equal(found["n3.v"], v[:, [1, 7]])
    np.testing.assert_array_equal(found["n2.output"], current)


def test_steps_and_pauses_do_not_show_in_the_result(worker: Client) -> None:
    document = nets.noisy()
    worker.result(worker.load(document))
    for steps in (1, 30, 7):
        assert worker.result(worker.step(steps))["reason"] == "finished"
    run = worker.run(steps=100, frame=100)
    worker.result(worker.pause())
    again = worker.run()
    assert worker.result(run)["reason"] in ("replaced", "finished")
    worker.result(worker.pause())
    worker.stop(30)
    assert worker.result(again)["reason"] == "stopped"
    (spikes,), _ = reference(document, 38, ("n3", "spikes"))
    # the last frame may go further: how far the run came before the pause is a matter of speed
    np.testing.assert_array_equal(gathered(worker, 38)["hidden"][:38], spikes)


def test_probes_are_the_records(worker: Client) -> None:
    document = nets.noisy()
    for kind, name, end in (
        ("spikes", "raster", ("n3", "spikes")),
        ("rate", "mean rate", ("n3", "spikes")),
        ("weights", "W", ("n2", "output")),
    ):
        document.connect(*end, document.add(f"probe.{kind}", name=name), "input")
    assert sorted(worker.result(worker.load(document))["records"]) == ["W", "mean rate", "raster"]
    worker.result(worker.run(steps=100, frame=100))
    records = worker.wait("records")["records"]
    (spikes,), _ = reference(document, 100, ("n3", "spikes"))
    np.testing.assert_array_equal(records["raster"], spikes)
    np.testing.assert_allclose(records["mean rate"], spikes.mean(1) * 1000, rtol=1e-5)
    np.testing.assert_array_equal(records["W"], network(document).tensor("n2:weight").detach().numpy())


def test_a_parameter_changes_a_run_that_keeps_its_state(worker: Client) -> None:
    document = nets.recurrent()
    worker.result(worker.load(document))
    worker.result(worker.step(60))
    worker.result(worker.set_param("n3", "v_th", 0.2))
    worker.result(worker.step(60))
    found = gathered(worker, 120)["hidden"]
    (before,), state = reference(document, 60, ("n3", "spikes"))
    document.edit("Set", [{"op": "set", "path": ["nodes", "n3", "params", "v_th"], "value": 0.2}])
    (after,), _ = reference(document, 60, ("n3", "spikes"), state=state)
    np.testing.assert_array_equal(found, np.concatenate([before, after]))
    assert after.sum() > before.sum()


def test_a_parameter_that_adds_a_state_variable_leaves_the_others(worker: Client) -> None:
    document = nets.noisy()
    worker.result(worker.load(document))
    worker.result(worker.step(60))
    worker.result(worker.set_param("n3", "refractory", 5.0))
    worker.result(worker.step(60))
    _, state = reference(document, 60)
    state.values["n3"]["hold"] = torch.zeros(1, 10)
    document.edit("Set", [{"op": "set", "path": ["nodes", "n3", "params", "refractory"], "value": 5.0}])
    (after,), _ = reference(document, 60, ("n3", "spikes"), state=state)
    np.testing.assert_array_equal(gathered(worker, 120)["hidden"][60:], after)


def test_a_parameter_that_changes_a_shape_restarts_only_what_it_must(worker: Client) -> None:
    document = nets.noisy()
    worker.result(worker.load(document))
    worker.result(worker.step(60))
    worker.result(worker.set_param("n3", "size", [4]))
    worker.result(worker.step(60))
    _, state = reference(document, 60)
    del state.values["n3"]
    document.edit("Set", [{"op": "set", "path": ["nodes", "n3", "params", "size"], "value": [4]}])
    (after,), _ = reference(document, 60, ("n3", "spikes"), state=state)
    worker.wait("records")
    frames = [worker.wait("records") for _ in range(len(worker._unread["records"]))]
    found = np.concatenate([f["records"]["hidden"] for f in frames if f["step"] >= 60])
    np.testing.assert_array_equal(found, after)


def test_a_silent_network_fires_when_its_threshold_falls_while_it_runs(worker: Client) -> None:
    document = nets.noisy()
    document.edit("Set", [{"op": "set", "path": ["nodes", "n3", "params", "v_th"], "value": 1e6}])
    worker.result(worker.load(document))
    run = worker.run(stream=[["n3", "spikes"]])
    assert not worker.wait("records")["records"]["n3.spikes"].any()
    changed = worker.result(worker.set_param("n3", "v_th", 0.1))["step"]
    while not (message := worker.wait("records"))["records"]["n3.spikes"].any():
        assert message["step"] < changed + 100_000
    assert message["step"] >= changed
    worker.stop(30)
    assert worker.result(run)["reason"] == "stopped"


def test_tensors_stay_unless_their_draw_changes(worker: Client, tmp_path: Path) -> None:
    document = nets.noisy()
    save_file({"network/n2:weight": torch.full((10, 20), 0.125)}, tmp_path / "learned.safetensors")
    worker.result(worker.load(document, checkpoint=str(tmp_path / "learned.safetensors")))

    def weights() -> np.ndarray:
        worker.result(worker.run(steps=1, stream=[["n2", "weights"]]))
        return worker.wait("records")["records"]["n2.weights"]

    assert (weights() == 0.125).all()
    worker.result(worker.set_param("n3", "tau_mem", 10.0))
    assert (weights() == 0.125).all()
    worker.result(worker.set_param("n2", "gain", 2.0))
    document.edit("Set", [{"op": "set", "path": ["nodes", "n2", "params", "gain"], "value": 2.0}])
    np.testing.assert_array_equal(weights(), network(document).tensor("n2:weight").detach().numpy())
    worker.result(worker.checkpoint(tmp_path / "again.safetensors"))
    saved = load_file(tmp_path / "again.safetensors")["network/n2:weight"]
    assert torch.equal(saved, network(document).tensor("n2:weight"))


@pytest.mark.parametrize(("at", "steps"), [(0, 1), (5, 3), (37, 20)])
def test_a_stimulated_neuron_fires_exactly_then(worker: Client, at: int, steps: int) -> None:
    worker.result(worker.load(nets.silent()))
    worker.result(worker.step(1))
    worker._unread.clear()
    start = 1 + at
    assert worker.result(worker.stimulate("n1", 100.0, steps, neurons=[1, 3], at=start))["step"] == start
    worker.result(worker.step(60))
    expected = np.zeros((60, 4))
    expected[at : at + steps, [1, 3]] = 1
    np.testing.assert_array_equal(gathered(worker, 60)["quiet"], expected)


def test_a_stimulus_reaches_a_population_inside_a_loop(worker: Client) -> None:
    document = nets.silent()
    loop, delays = document.add("projection.dense", gain=0.0), document.add("delays.fixed", delay=3.0)
    document.connect("n1", "spikes", loop, "input")
    document.connect(delays, "delays", loop, "delays")
    document.connect(loop, "output", "n1", "input")
    worker.result(worker.load(document))
    worker.result(worker.step(1))
    worker.result(worker.stimulate("n1", 100.0, steps=7, at=4))
    worker.result(worker.step(20))
    assert np.flatnonzero(gathered(worker, 21)["quiet"].all(1)).tolist() == list(range(4, 11))


def test_stimulus_now_begins_with_the_next_step(worker: Client) -> None:
    worker.result(worker.load(nets.silent()))
    run = worker.run()
    start = worker.result(worker.stimulate("n1", 100.0, steps=2))["step"]
    while not (message := worker.wait("records"))["records"]["quiet"].any():
        pass
    fired = message["step"] + np.flatnonzero(message["records"]["quiet"].all(1))
    assert fired[0] == start
    worker.stop(30)
    worker.result(run)


@pytest.mark.parametrize(
    ("send", "words"),
    [
        (lambda w: w.set_param("nowhere", "v_th", 1.0), "there is no node 'nowhere'"),
        (lambda w: w.set_param("n3", "v_th", "high"), "'hidden': v_th must be a number, not 'high'"),
        (lambda w: w.set_param("n3", "colour", 1), "'hidden' has no parameter colour"),
        (lambda w: w.set_param("n3", "v_th", -1.0), "v_th must be above 0"),
        (lambda w: w.set_param("n3", "v_th", float("nan")), "must be a finite number"),
        (lambda w: w.set_param("n3", "size", [3, 0]), "size must be a list of positive whole numbers"),
        (lambda w: w.stimulate("n3", 1.0, neurons=[10]), "'hidden' has the neurons 0 to 9, not 10"),
        (lambda w: w.stimulate("n3", 1.0, neurons=[-1]), "'hidden' has the neurons 0 to 9, not -1"),
        (lambda w: w.stimulate("n1", 1.0), "'noise' takes no current"),
        (lambda w: w.stimulate("gone", 1.0), "there is no node 'gone'"),
        (lambda w: w.stimulate("n3", 1.0, at=1), "step 1 is over"),
        (lambda w: w.run(stream=[["n3", "w"]]), "'hidden' has no signal w; it has spikes, v"),
        (lambda w: w.run(stream=[["n3"]]), "a signal to stream is [node, port]"),
        (lambda w: w.run(stream=[["n3", "v", [1.5]]]), "not 1.5"),
        (lambda w: w.send("fly"), "there is no message 'fly'"),
    ],
)
def test_bad_requests_get_a_sentence_and_change_nothing(worker: Client, send: Any, words: str) -> None:
    document = nets.noisy()
    worker.result(worker.load(document))
    worker.result(worker.step(5))
    error = refusal(worker, send(worker))
    assert words in str(error)
    named = {"nowhere", "gone", "n1", "n3"}
    assert error.node in named or "message" in words or "signal to stream" in words
    worker.result(worker.step(5))
    (spikes,), _ = reference(document, 10, ("n3", "spikes"))
    np.testing.assert_array_equal(gathered(worker, 10)["hidden"], spikes)


def test_a_document_that_does_not_compile_comes_back_with_its_diagnostics(worker: Client) -> None:
    document = nets.noisy()
    document.edit("Break", [{"op": "set", "path": ["nodes", "n3", "type"], "value": "population.lift"}])
    error = refusal(worker, worker.load(document))
    assert "unknown type population.lift" in str(error)
    assert error.node == "n3"
    assert [d["code"] for d in error.message["diagnostics"]] == ["MYL101"]
    assert "cannot open the document" in str(refusal(worker, worker.load("{")))


def test_populations_of_one_name_are_told_apart(worker: Client) -> None:
    document = nets.silent(2)
    document.add("population.lif", name="quiet", size=[3])
    worker.result(worker.load(document))
    worker.result(worker.step())
    shapes = {name: array.shape for name, array in worker.wait("records")["records"].items()}
    assert shapes == {"quiet n1": (1, 2), "quiet n2": (1, 3)}


def test_the_same_signal_twice_is_refused(worker: Client) -> None:
    worker.result(worker.load(nets.silent()))
    error = refusal(worker, worker.run(stream=[["n1", "v"], ["n1", "v", [0]]]))
    assert str(error) == "the signal v of 'quiet' is asked for twice"


def test_no_document_no_run(worker: Client) -> None:
    with Client() as fresh:
        assert "no document is loaded" in str(refusal(fresh, fresh.run()))


def test_a_network_that_explodes_ends_its_run_and_names_the_population(worker: Client) -> None:
    worker.result(worker.load(nets.exploding()))
    error = refusal(worker, worker.run())
    assert "'runaway' has no finite v any more" in str(error)
    assert error.node == "n1"
    worker.result(worker.load(nets.silent()))
    assert worker.result(worker.step(3))["step"] == 3


def test_state_tells_rates_and_memory(worker: Client) -> None:
    worker.result(worker.load(nets.noisy()))
    worker._unread.clear()
    worker.run()
    while worker.wait("state")["step"] == 0:
        pass
    state = worker.wait("state")
    assert state["state"] == "running"
    assert state["steps_per_s"] > 0
    assert state["spikes_per_s"] > 0
    assert state["real_time"] == pytest.approx(state["steps_per_s"] / 1000)
    assert state["time"] == state["step"]
    assert state["memory"] is None or state["memory"] > 2**20


def test_a_paced_run_sends_frames_of_the_size_asked_for(worker: Client) -> None:
    worker.result(worker.load(nets.noisy()))
    worker.result(worker.run(steps=12, frame=4, fps=1000.0))
    assert [worker.wait("records")["steps"] for _ in range(3)] == [4, 4, 4]
    assert worker.result(worker.run(duration=20.0, factor=10.0))["step"] == 20


def test_recordings_run_one_after_the_other(worker: Client, tmp_path: Path) -> None:
    document = nets.classifier(tmp_path)
    worker.result(worker.load(document))
    assert worker.result(worker.run(split="train", samples=2, frame=1000))["reason"] == "finished"
    frames = [worker.wait("records") for _ in range(2)]
    assert [frame["sample"]["label"] for frame in frames] == ["0", "1"]
    from engine.backend.data import Split
    from engine.backend.noise import Noise

    own = network(document)
    split = Split(own.program, "train", tmp_path, limit=2)
    for index, frame in enumerate(frames):
        batch = split[[index]]
        with torch.no_grad():
            result = own.run(batch.inputs, keep=[Source("n3", "spikes")], noise=Noise(3, index, 1))
        spikes = result.signals[Source("n3", "spikes")][:, 0]
        np.testing.assert_array_equal(frame["records"]["hidden"], spikes)
    assert frames[1]["step"] == frames[0]["steps"]


def test_data_cannot_change_under_a_run_and_missing_data_are_named(worker: Client, tmp_path: Path) -> None:
    worker.result(worker.load(nets.classifier(tmp_path)))
    worker.result(worker.step(3))
    error = refusal(worker, worker.set_param("n1", "classes", 3))
    assert "stop first" in str(error)
    worker.stop(30)
    (tmp_path / "events.npz").unlink()
    error = refusal(worker, worker.run())
    assert "events.npz" in str(error)
    assert error.node == "n1"


def test_training_streams_epochs_and_leaves_what_was_learned(worker: Client, tmp_path: Path) -> None:
    worker.result(worker.load(nets.classifier(tmp_path, epochs=2)))
    done = worker.result(worker.train(tmp_path / "out"), timeout=110)
    assert done["reason"] == "finished"
    epochs = [worker.wait("metrics") for _ in range(2)]
    assert [metric["epoch"] for metric in epochs] == [1, 2]
    assert done["result"]["train_loss"] == epochs[1]["train_loss"]
    worker.result(worker.run(samples=1, stream=[["n2", "weights"]], frame=1000))
    weights = worker.wait("records")["records"]["n2.weights"]
    trained = load_file(tmp_path / "out" / "checkpoint.safetensors")["network/n2:weight"]
    np.testing.assert_array_equal(weights, trained.numpy())
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert (record["status"], record["kind"], record["weights"]) == (
        "done",
        "train",
        "checkpoint.safetensors",
    )
    assert record == done["record"]
    assert record["result"]["accuracy"] == epochs[1]["test_accuracy"]
    assert {"metrics.csv", "document.myelin"} <= {file.name for file in (tmp_path / "out").iterdir()}


def test_training_stops_when_told(worker: Client, tmp_path: Path) -> None:
    worker.result(worker.load(nets.classifier(tmp_path, epochs=10_000)))
    training = worker.train(tmp_path / "out")
    worker.wait("metrics", 110)
    assert "is training" in str(refusal(worker, worker.run()))
    assert worker.stop(30)
    assert worker.result(training)["reason"] == "stopped"
    assert worker.result(worker.step(1))["step"] == 1
