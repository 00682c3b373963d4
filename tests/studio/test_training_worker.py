"""Training in the window with a real worker: curves, stop and resume, weights, a worker that dies."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from safetensors.numpy import load_file

from engine.document import Document, dumps, load
from engine.document.ops import set_op
from studio.panels.runs import Runs
from studio.panels.training import Training
from studio.session import Session
from studio.training.run import read
from studio.training.trainer import Trainer
from studio.workspace import Workspace
from tests.cli.networks import classifier

PATIENCE = 60_000


@pytest.fixture
def opened(workspace: Workspace, tmp_path: Path) -> Callable[..., Session]:
    """Opens a small document that can be trained, saved as ``name``."""

    def open_(name: str = "two", **recipe: Any) -> Session:
        file = classifier(tmp_path / f"{name}.myelin", **recipe)
        session = Session(load(file), file)
        workspace.add(session)
        return session

    return open_


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot) -> Training:
    """The training panel."""
    made = Training(workspace)
    qtbot.addWidget(made)
    made.show()
    return made


def finished(qtbot: QtBot, trainer: Trainer) -> None:
    qtbot.waitUntil(lambda: not trainer.busy, timeout=PATIENCE)


def after_epochs(trainer: Trainer, count: int, act: Callable[[], None]) -> None:
    """Do something as soon as so many epochs are done."""

    def look() -> None:
        if trainer.busy and not trainer.stopping and trainer.run and trainer.run.epochs >= count:
            trainer.shown.disconnect(look)
            act()

    trainer.shown.connect(look)


def metrics(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    found = load_file(folder / "checkpoint.safetensors")
    return {key: value for key, value in found.items() if key.startswith("network/")}


def test_train_see_use_the_weights_and_take_it_back(
    opened: Callable[..., Session], panel: Training, workspace: Workspace, qtbot: QtBot
) -> None:
    session = opened(epochs=2, delay_lr=1.0)
    runs = Runs(workspace)
    qtbot.addWidget(runs)
    runs.show()
    trainer = Trainer.of(session)
    sentences: list[str] = []
    trainer.changed.connect(lambda: sentences.append(trainer.sentence))
    qtbot.mouseClick(panel.controls.train, Qt.MouseButton.LeftButton)
    assert trainer.busy
    assert not panel.controls.train.isEnabled()
    finished(qtbot, trainer)
    run = trainer.run
    assert run is not None
    assert trainer.fault == ""
    assert any(sentence.startswith("Epoch 1 of 2, batch") for sentence in sentences)

    rows = metrics(run.folder)
    shown = {series.name: series for series in panel.board.accuracy.series}
    for title, column in (
        ("train", "train_accuracy"),
        ("held-out, rounded", "test_accuracy"),
        ("held-out, with sigma", "test_accuracy_smeared"),
    ):
        assert list(shown[title].y) == [float(row[column]) for row in rows]
        assert list(shown[title].x) == [1.0, 2.0]
    losses = {series.name: series for series in panel.board.loss.series}
    assert list(losses["train"].y) == [float(row["train_loss"]) for row in rows]
    assert len(losses["every batch"].x) >= 1
    assert panel.board.accuracy.level is not None
    assert panel.board.accuracy.level[0].startswith("chance 50")
    means = [line["watched"]["delays"][0]["mean"] for line in run.seen]
    assert means[0] != means[1]
    assert panel.board.delays.bars is not None
    assert panel.board.delays.bars.before
    assert len(panel.board.rates.series[0].x) == 2
    assert panel.board.confusion.body.classes == ["0", "1"]
    for word in ("held-out split, last epoch", "seed 3", "interval", "chance", "Spike"):
        assert word.lower() in panel.controls.protocol.text().lower()

    qtbot.waitUntil(lambda: trainer.shelf.live is None, timeout=PATIENCE)
    assert [one.id for one in runs.model.runs] == [run.id]
    assert runs.model.text(runs.model.runs[0], "State") == "done"
    before = dumps(session.document)
    runs.table.selectRow(0)
    qtbot.mouseClick(runs.buttons["use"], Qt.MouseButton.LeftButton)
    assert session.document.meta["weights"] == f"two.runs/{run.id}/checkpoint.safetensors"
    assert panel.controls.starts.text() == f"Starts from the weights of run {run.word}."

    still = {"epochs": 1, "batch": 8, "lr": 0.0, "delay_lr": 0.0, "neuron_lr": 0.0}
    session.edit("still", [set_op(["recipes", "train"], still)])
    trainer.train()
    finished(qtbot, trainer)
    assert trainer.fault == ""
    assert trainer.run is not None
    assert trainer.run.id != run.id
    after, learned = weights_of(trainer.run.folder), weights_of(run.folder)
    for key, value in learned.items():
        np.testing.assert_array_equal(after[key], value, key)
    session.undo()
    session.undo()
    assert dumps(session.document) == before
    assert not panel.controls.fresh.isVisible()


def test_stopped_and_resumed_is_as_if_never_stopped(
    opened: Callable[..., Session], panel: Training, qtbot: QtBot
) -> None:
    trainer = Trainer.of(opened(epochs=12, batch=2))
    trainer.train()
    finished(qtbot, trainer)
    whole = trainer.run
    after_epochs(trainer, 1, lambda: qtbot.mouseClick(panel.controls.stop, Qt.MouseButton.LeftButton))
    trainer.train()
    finished(qtbot, trainer)
    parts = trainer.run
    assert whole is not None
    assert parts is not None
    assert (parts.status, 1 <= parts.epochs < 12) == ("stopped", True)
    done = parts.epochs
    assert trainer.sentence.startswith(
        f"Stopped after epoch {done} of 12; the weights of epoch {done} are kept"
    )
    qtbot.waitUntil(panel.controls.resume.isEnabled)
    qtbot.mouseClick(panel.controls.resume, Qt.MouseButton.LeftButton)
    finished(qtbot, trainer)
    assert trainer.fault == ""
    assert trainer.run is not None
    assert (trainer.run.id, trainer.run.status) == (parts.id, "done")
    assert [row["epoch"] for row in trainer.run.rows] == list(range(1, 13))
    for key, value in weights_of(whole.folder).items():
        np.testing.assert_array_equal(weights_of(parts.folder)[key], value, key)
    for name in ("metrics.csv", "epochs.jsonl"):
        assert (parts.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert not trainer.can_resume()


def test_a_worker_that_dies_leaves_a_run_that_goes_on(
    opened: Callable[..., Session], panel: Training, qtbot: QtBot
) -> None:
    session = opened(epochs=4, batch=2)
    trainer = Trainer.of(session)

    def kill() -> None:
        os.kill(session.runner.worker.pid, signal.SIGKILL)

    after_epochs(trainer, 1, kill)
    trainer.train()
    finished(qtbot, trainer)
    assert trainer.run is not None
    assert "worker has ended" in trainer.fault
    assert panel.controls.fault.isVisible()
    assert trainer.run.status == "interrupted"
    assert trainer.sentence.startswith("Interrupted after epoch")
    assert read(trainer.run.folder).status == "interrupted"
    assert trainer.can_resume()
    trainer.resume()
    finished(qtbot, trainer)
    assert trainer.run.status == "done"
    assert trainer.fault == ""
    assert read(trainer.run.folder).epochs == 4


def test_what_cannot_be_trained_says_so(
    opened: Callable[..., Session], panel: Training, qtbot: QtBot, tmp_path: Path
) -> None:
    session = opened()
    (tmp_path / "two.npz").unlink()
    trainer = Trainer.of(session)
    trainer.train()
    finished(qtbot, trainer)
    assert "two.npz does not exist" in panel.controls.fault.text()
    assert trainer.run is None or trainer.run.status == "failed"
    assert not trainer.can_resume()
    (loss,) = [key for key, node in session.document.nodes.items() if node.type == "loss.cross_entropy"]
    session.edit("cut", [{"op": "del_wire", "id": wire} for wire, w in session.document.wires.items()
                         if w.target.node == loss])  # fmt: skip
    trainer.train()
    finished(qtbot, trainer)
    assert trainer.fault
    assert trainer.fault_node == loss
    qtbot.mouseClick(panel.controls.go_there, Qt.MouseButton.LeftButton)
    assert session.selection == {loss}


def test_an_empty_document_says_what_training_needs(panel: Training, workspace: Workspace) -> None:
    workspace.add(Session(Document.new("empty")))
    assert panel.stack.currentWidget() is panel.words
    assert "data set" in panel.words.text()
