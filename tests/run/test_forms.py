"""Short forms of streams say the same as the signals themselves."""

from __future__ import annotations

import numpy as np
import pytest

from engine.run.client import Client
from engine.run.worker import forms
from tests.run import nets
from tests.run.test_live import gathered, network, refusal

ASKED = [["n3", "spikes"], ["n3", "spikes", None, "events"], ["n3", "spikes", None, "rate"]]


def test_events_and_rate_are_those_of_the_signal(worker: Client) -> None:
    worker.result(worker.load(nets.noisy()))
    worker.result(worker.run(steps=120, frame=50, stream=ASKED))
    frames = [worker.wait("records") for _ in range(3)]
    dense = np.concatenate([frame["records"]["n3.spikes"] for frame in frames])
    events = np.concatenate([frame["records"]["n3.spikes.events"] + [frame["step"], 0] for frame in frames])
    rate = np.concatenate([frame["records"]["n3.spikes.rate"] for frame in frames])
    assert dense.sum() > 10
    np.testing.assert_array_equal(events, np.argwhere(dense))
    np.testing.assert_allclose(rate, dense.mean(1) * 1000, rtol=1e-5)


def test_chosen_neurons_are_named_with_their_records(worker: Client) -> None:
    worker.result(worker.load(nets.noisy()))
    stream = [["n3", "v", [7, 2]], ["n3", "spikes", [1, 4], "events"], ["n3", "spikes"]]
    worker.result(worker.run(steps=100, frame=100, stream=stream))
    message = worker.wait("records")
    assert message["neurons"] == {"n3.v": [7, 2], "n3.spikes.events": [1, 4]}
    spikes = message["records"]["n3.spikes"]
    events = message["records"]["n3.spikes.events"]
    assert len(events) == spikes[:, [1, 4]].sum() > 0
    assert all(spikes[step, neuron] for step, neuron in events)


def test_a_load_tells_what_can_be_streamed(worker: Client) -> None:
    signals = worker.result(worker.load(nets.noisy()))["signals"]
    assert signals["n1"] == {"spikes": [20]}
    assert signals["n2"] == {"output": [10], "weights": [10, 20]}
    assert signals["n3"] == {"spikes": [10], "v": [10]}


def test_weights_come_as_histogram_and_image(worker: Client) -> None:
    document = nets.noisy()
    worker.result(worker.load(document))
    stream = [["n2", "weights", None, form] for form in ("signal", "histogram", "image")]
    worker.result(worker.run(steps=5, frame=5, stream=stream))
    records = worker.wait("records")["records"]
    weights = network(document).tensor("n2:weight").detach().numpy()
    edges, counts = records["n2.weights.histogram"]
    np.testing.assert_array_equal(np.histogram(weights, edges)[0], counts[:-1])
    assert counts.sum() == weights.size
    np.testing.assert_array_equal(records["n2.weights.image"], weights)
    np.testing.assert_array_equal(records["n2.weights"], weights)


def test_other_streams_do_not_stop_a_run_nor_wake_a_paused_one(worker: Client) -> None:
    worker.result(worker.load(nets.noisy()))
    run = worker.run(stream=[["n3", "spikes"]])
    worker.wait("records")
    worker.result(worker.send("watch", stream=[["n3", "v"]]))
    while "n3.v" not in worker.wait("records")["records"]:
        pass
    step = worker.result(worker.pause())["step"]
    worker.result(worker.send("watch", stream=[["n2", "weights", None, "image"]]))
    while "n2.weights.image" not in worker.wait("records")["records"]:
        pass
    assert worker.result(worker.pause())["step"] == step
    assert "comes as" in str(refusal(worker, worker.send("watch", stream=[["n3", "v", None, "image"]])))
    assert worker.stop(30)
    assert worker.result(run)["reason"] == "stopped"


def test_a_step_may_say_what_to_stream(worker: Client) -> None:
    worker.result(worker.load(nets.noisy()))
    worker.result(worker.send("step", steps=3, stream=[["n3", "v"]]))
    assert gathered(worker, 3)["n3.v"].shape == (3, 10)


def test_several_spikes_in_a_step_are_as_many_events() -> None:
    signal = np.array([[0, 2], [1, 0]])
    assert forms.events(signal, None, 5).tolist() == [[5, 1], [5, 1], [6, 0]]
    assert forms.events(signal, (4, 9), 0).tolist() == [[0, 9], [0, 9], [1, 4]]


@pytest.mark.parametrize(
    ("values", "bars"), [([1.0, 1.0], 61), ([0.0, 1, 2, 5], 6), ([], 60), ([0.0, 0.5, 9.0], 60)]
)
def test_every_value_lies_in_a_bar(values: list[float], bars: int) -> None:
    edges, counts = forms.histogram(np.array(values))
    assert (len(edges), counts.sum()) == (bars + 1, len(values))


def test_large_matrices_become_means() -> None:
    matrix = np.arange(1000.0 * 600).reshape(1000, 600)
    image = forms.image(matrix)
    assert image.shape == (forms.SIDE, forms.SIDE)
    assert image[0, 0] == pytest.approx(matrix[:4, :3].mean())
    post, pre = np.nonzero(np.ones((1000, 600)))
    sparse = forms.sparse_image(matrix.ravel(), post, pre, (1000, 600))
    np.testing.assert_allclose(sparse, image, rtol=1e-5)
