"""Runs in a folder, read, shown, pinned, compared, deleted and moved; the recipe; the plots' files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from engine.document import Document, load, save, weights
from engine.recipe import TRAIN
from studio.panels.runs import Runs
from studio.panels.training import Training
from studio.plots import export
from studio.session import Session
from studio.training import places
from studio.training.board import Board
from studio.training.plots_confusion import Confusion
from studio.training.recipe_form import MAIN, REST
from studio.training.run import mark_stopped, read, same_network
from studio.training.trainer import Trainer
from studio.workspace import Workspace
from tests.cli.networks import classifier


def make_run(folder: Path, document: Document, epochs: int = 3, **record: Any) -> Path:
    """The files of a finished run."""
    folder.mkdir(parents=True)
    result = {"accuracy": 0.8, "chance": 0.5, "classes": ["a", "b"], "confusion": [[5, 0], [2, 3]]}
    result |= {"split": "test", "samples": 10, "interval": [0.5, 0.95], "loss": 0.3}
    base = {"kind": "train", "status": "done", "recipe": {"epochs": epochs}, "seed": 3, "result": result}
    base |= {"protocol": "held-out split, last epoch", "weights": "checkpoint.safetensors"}
    (folder / "run.json").write_text(json.dumps({**base, **record}))
    lines = [f"{n},{1 / n},{0.3 + n / 10}\n" for n in range(1, epochs + 1)]
    (folder / "metrics.csv").write_text("epoch,train_loss,test_accuracy\n" + "".join(lines))
    (folder / "checkpoint.safetensors").write_bytes(b"x")
    save(document, folder / "document.myelin")
    return folder


@pytest.fixture
def session(workspace: Workspace, tmp_path: Path) -> Session:
    """A saved document with two runs."""
    file = classifier(tmp_path / "two.myelin", epochs=5)
    document = load(file)
    make_run(tmp_path / "two.runs" / "20260101-101010-amber", document)
    make_run(tmp_path / "two.runs" / "20260102-101010-birch", document, 2)
    made = Session(document, file)
    workspace.add(made)
    return made


@pytest.fixture
def runs(workspace: Workspace, session: Session, qtbot: QtBot) -> Runs:
    """The panel, after it has read them."""
    made = Runs(workspace)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: len(made.model.runs) == 2)
    return made


def names(runs: Runs) -> list[str]:
    return [run.word for run in runs.model.runs]


def test_half_written_files_tell_what_they_can(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r" / "20260101-101010-amber", Document.new(), status="running")
    with (folder / "metrics.csv").open("a") as file:
        file.write("4,0.")
    (folder / "epochs.jsonl").write_text('{"epoch": 1, "watched": {}}\n{"epoch": 2, "wat')
    run = read(folder)
    assert (run.epochs, len(run.seen), run.status, run.resumable) == (3, 1, "interrupted", True)
    (folder / "run.json").write_text('{"kind": "tr')
    (folder / "document.myelin").write_text("{")
    assert read(folder).rows == run.rows
    assert read(folder).drawn is None
    assert read(tmp_path / "nowhere").rows == []


def test_the_table_follows_the_folder(runs: Runs, session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    assert names(runs) == ["birch", "amber"]
    make_run(tmp_path / "two.runs" / "20260103-101010-cedar", session.document)
    qtbot.waitUntil(lambda: names(runs) == ["cedar", "birch", "amber"])
    texts = {name: runs.model.text(runs.model.runs[0], name) for name in ("Epochs", "Held-out", "Drawing")}
    assert texts == {"Epochs": "3 of 3", "Held-out": "80.0\N{NO-BREAK SPACE}%", "Drawing": "unchanged"}
    (node,) = (key for key, node in session.document.nodes.items() if node.name == "hidden")
    session.edit("size", [{"op": "set", "path": ["nodes", node, "params", "size"], "value": [9]}])
    qtbot.waitUntil(lambda: runs.model.text(runs.model.runs[0], "Drawing") == "changed since")
    session.undo()
    qtbot.waitUntil(lambda: runs.model.text(runs.model.runs[0], "Drawing") == "unchanged")


def test_names_and_places_do_not_change_a_drawing(session: Session) -> None:
    other = session.document.copy()
    node = next(iter(other.nodes))
    other.edit("name", [{"op": "set", "path": ["nodes", node, "name"], "value": "else"}])
    other.edit("recipe", [{"op": "set", "path": ["recipes", "train", "epochs"], "value": 9}])
    assert same_network(session.document, other)
    other.edit("seed", [{"op": "set", "path": ["meta", "seed"], "value": 9}])
    assert not same_network(session.document, other)


def test_pinned_runs_come_first(runs: Runs, qtbot: QtBot) -> None:
    runs.table.selectRow(1)
    qtbot.mouseClick(runs.buttons["pin"], Qt.MouseButton.LeftButton)
    assert names(runs) == ["amber", "birch"]
    assert [run.word for run in runs.chosen()] == ["amber"]
    assert runs.buttons["pin"].text() == "Un&pin"
    assert read(runs.model.runs[0].folder).pinned
    qtbot.mouseClick(runs.buttons["pin"], Qt.MouseButton.LeftButton)
    assert names(runs) == ["birch", "amber"]


def test_deleting_asks_in_the_panel(runs: Runs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.training.shelf.QFile.moveToTrash", lambda path: (False, ""))
    runs.table.selectRow(0)
    folder = runs.model.runs[0].folder
    qtbot.mouseClick(runs.buttons["delete"], Qt.MouseButton.LeftButton)
    assert runs.question.isVisible()
    assert "run birch" in runs.asked.text()
    qtbot.mouseClick(runs.no, Qt.MouseButton.LeftButton)
    assert folder.exists()
    qtbot.mouseClick(runs.buttons["delete"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(runs.yes, Qt.MouseButton.LeftButton)
    assert folder.exists()
    assert "for good" in runs.asked.text()
    qtbot.mouseClick(runs.yes, Qt.MouseButton.LeftButton)
    assert not folder.exists()
    assert names(runs) == ["amber"]
    assert not runs.question.isVisible()


def test_the_command_repeats_the_run(runs: Runs, qtbot: QtBot) -> None:
    runs.table.selectRow(0)
    qtbot.mouseClick(runs.buttons["copy"], Qt.MouseButton.LeftButton)
    command = QGuiApplication.clipboard().text()
    assert command.startswith("myelin train ")
    assert "20260102-101010-birch/document.myelin" in command


def test_selected_runs_are_drawn_over_each_other(runs: Runs, session: Session, qtbot: QtBot) -> None:
    board = Board()
    qtbot.addWidget(board)
    board.show_trainer(Trainer.of(session))
    runs.table.selectRow(0)
    assert [series.name for series in board.accuracy.series] == ["held-out, rounded"]
    runs.table.selectAll()
    assert {series.name: list(series.x) for series in board.accuracy.series} == {
        "amber": [1.0, 2.0, 3.0],
        "birch": [1.0, 2.0],
    }
    board.show_trainer(None)


def test_a_run_of_fewer_epochs_than_the_recipe_may_go_on(runs: Runs, session: Session) -> None:
    trainer = Trainer.of(session)
    trainer.show(runs.model.runs[0].id)
    assert trainer.can_resume()
    session.edit("few", [{"op": "set", "path": ["recipes", "train", "epochs"], "value": 2}])
    assert not trainer.can_resume()
    session.undo()
    session.edit("seed", [{"op": "set", "path": ["meta", "seed"], "value": 9}])
    trainer.resume()
    assert "drawing has changed" in trainer.fault
    assert not trainer.busy


def test_runs_of_an_unsaved_document_move_beside_its_file(workspace: Workspace, tmp_path: Path) -> None:
    session = Session(Document.new("fresh"))
    workspace.add(session)
    old = places.runs_folder(session)
    run = make_run(old / "20260101-101010-amber", session.document)
    ops = weights.starting_from(session.document, run / "checkpoint.safetensors", None)
    session.edit("Use", ops)
    places.before_saving(session, tmp_path / "named.myelin")
    assert (tmp_path / "named.runs" / run.name / "run.json").exists()
    assert not old.exists()
    expected = f"named.runs/{run.name}/checkpoint.safetensors"
    assert session.document.meta["weights"] == expected
    session.mark_saved(tmp_path / "named.myelin")
    (tmp_path / "sub").mkdir()
    places.before_saving(session, tmp_path / "sub" / "other.myelin")
    assert session.document.meta["weights"] == f"../{expected}"


def test_every_setting_of_the_recipe_is_there_and_an_edit(
    workspace: Workspace, session: Session, qtbot: QtBot
) -> None:
    panel = Training(workspace)
    qtbot.addWidget(panel)
    panel.show()
    assert {**MAIN, **REST}.keys() == TRAIN.keys()
    editor: Any = panel.controls.recipe.editors["epochs"]
    editor.line.setFocus()
    editor.line.selectAll()
    qtbot.keyClicks(editor.line, "7")
    qtbot.keyClick(editor.line, Qt.Key.Key_Return)
    assert session.document.recipes["train"]["epochs"] == 7
    session.undo()
    assert session.document.recipes["train"]["epochs"] == 5
    assert editor.value == 5


def test_a_cell_of_the_confusion_matrix_says_what_it_holds(qtbot: QtBot) -> None:
    plot = Confusion()
    qtbot.addWidget(plot)
    plot.resize(400, 400)
    plot.show()
    plot.show_counts(["yes", "no"], [[8, 2], [1, 9]])
    frame = plot.body.frame()
    at = QPointF(frame.x() + 0.75 * frame.width(), frame.y() + 0.25 * frame.height())
    assert plot.body.words(at) == "2 of 10 “yes” were answered “no”"
    assert plot.body.words(QPointF(0, 0)) == ""


@pytest.mark.parametrize("form", export.FORMS)
def test_plots_become_files(form: str, session: Session, runs: Runs, qtbot: QtBot, tmp_path: Path) -> None:
    board = Board()
    qtbot.addWidget(board)
    board.show_trainer(Trainer.of(session))
    runs.table.selectRow(1)
    file = tmp_path / f"plot.{form}"
    plot: Any = board.accuracy
    assert export.write(plot, file, form)
    assert file.stat().st_size > 50
    if form == "csv":
        assert file.read_text().splitlines()[:2] == ["series,epoch,value", '"held-out, rounded",1.0,0.4']
    board.show_trainer(None)


def test_the_word_of_a_run_is_not_used_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: Callable[..., Any] = min
    monkeypatch.setattr("studio.training.places.secrets.choice", chosen)
    first = places.new_run(tmp_path)
    first.mkdir()
    assert first.name.endswith("-amber")
    assert places.new_run(tmp_path).name.endswith("-aspen")


def test_a_run_whose_worker_was_killed_by_stop_is_stopped(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r" / "20260101-101010-amber", Document.new(), status="running")
    assert read(folder).status == "interrupted"
    mark_stopped(folder)
    assert read(folder).status == "stopped"
    done = make_run(tmp_path / "r" / "20260101-101011-birch", Document.new())
    mark_stopped(done)
    assert read(done).status == "done"
    mark_stopped(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
