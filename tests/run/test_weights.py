"""The worker starts from the weights that a document names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from engine.document import save, weights
from engine.run.client import Client
from tests.run import nets
from tests.run.test_live import refusal


def streamed(worker: Client) -> np.ndarray:
    worker.run(steps=1, stream=[["n2", "weights"]])
    found: np.ndarray = worker.wait("records")["records"]["n2.weights"]
    worker.stop(30)
    return found


def test_load_puts_them_in_and_a_training_goes_on_from_them(worker: Client, tmp_path: Path) -> None:
    document = nets.classifier(tmp_path, epochs=1)
    worker.result(worker.load(document))
    worker.result(worker.train(tmp_path / "out"), timeout=110)
    chosen = tmp_path / "out" / "checkpoint.safetensors"
    document.edit("Use", weights.starting_from(document, chosen, tmp_path))
    save(document, tmp_path / "d.myelin")
    worker.result(worker.load(document, name=str(tmp_path / "d.myelin")))
    np.testing.assert_array_equal(streamed(worker), load_file(chosen)["network/n2:weight"])
    settings = {"epochs": 1, "lr": 0.0, "neuron_lr": 0.0}
    document.edit("still", [{"op": "set", "path": ["recipes", "train"], "value": settings}])
    worker.result(worker.load(document, name=str(tmp_path / "d.myelin")))
    worker.result(worker.train(tmp_path / "still"), timeout=110)
    after = load_file(tmp_path / "still" / "checkpoint.safetensors")
    np.testing.assert_array_equal(after["network/n2:weight"], load_file(chosen)["network/n2:weight"])


def test_missing_ones_are_a_sentence(worker: Client, tmp_path: Path) -> None:
    document = nets.noisy()
    document.edit("Use", weights.starting_from(document, tmp_path / "gone.safetensors", tmp_path))
    error = refusal(worker, worker.load(document, name=str(tmp_path / "d.myelin")))
    assert "cannot start from the weights" in str(error)
    assert "gone.safetensors" in str(error)
