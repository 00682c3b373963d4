"""The panel of problems: live, the text of ``myelin check``, jumps, fixes, filters, failures of runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from engine.cli import main
from engine.document import Document, save
from engine.document.ops import set_op
from studio.panels.problems import Problems
from studio.session import Session
from studio.workspace import Workspace


def drawn() -> Document:
    document = Document.new("Two", dt_ms=1.0)
    a = document.add("population.poisson", name="noise", size=[4])
    w = document.add("projection.dense", name="weights")
    b = document.add("population.lif", name="cells", size=[3])
    document.connect(a, "spikes", w, "input")
    document.connect(w, "output", b, "input")
    return document


@pytest.fixture
def session(workspace: Workspace) -> Session:
    session = Session(drawn())
    workspace.add(session)
    return session


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace, session: Session) -> Iterator[Problems]:
    panel = Problems(workspace)
    qtbot.addWidget(panel)
    panel.resize(320, 400)
    panel.show()
    qtbot.waitUntil(lambda: session.checker.settled)
    yield panel
    panel.close()


def spoil(session: Session, **params: Any) -> None:
    cells = session.document.find("cells")
    session.edit("Spoil", [set_op(["nodes", cells, "params", name], value) for name, value in params.items()])


def lines(panel: Problems) -> list[str]:
    return [str(problem) for problem in panel.model.problems]


def test_a_problem_appears_and_goes(qtbot: QtBot, session: Session, panel: Problems) -> None:
    assert lines(panel) == []
    assert panel.empty.isVisible()
    assert panel.empty.text() == "No problems."
    assert panel.windowTitle() == "Problems"
    spoil(session, tau_mem=-5.0)
    qtbot.waitUntil(lambda: len(lines(panel)) == 1)
    assert panel.windowTitle() == "Problems (1)"
    assert panel.list.isVisible()
    assert panel.filters["error"].text() == "1"
    assert "must be at least 0.01 ms" in lines(panel)[0]
    session.undo()
    qtbot.waitUntil(lambda: panel.empty.isVisible())
    assert panel.windowTitle() == "Problems"


def test_the_text_is_that_of_the_command_line(
    qtbot: QtBot,
    session: Session,
    panel: Problems,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(session, tau_mem=-5.0, reset="nope")
    session.edit("Recipe", [set_op(["recipes", "train"], {"epochs": 0})])
    qtbot.waitUntil(lambda: len(lines(panel)) == 3)
    file = tmp_path / "two.myelin"
    save(session.document, file)
    assert main(["check", str(file)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed) == sorted(f"{file}: {line}" for line in lines(panel))
    panel.menu_for(panel.model.index(0)).actions()[-1].trigger()
    assert sorted(QGuiApplication.clipboard().text().splitlines()) == sorted(lines(panel))


def test_a_click_selects_the_node_and_brings_it_into_view(
    qtbot: QtBot, session: Session, panel: Problems
) -> None:
    spoil(session, tau_mem=-5.0)
    qtbot.waitUntil(lambda: len(lines(panel)) == 1)
    index, cells = panel.model.index(0), session.document.find("cells")
    at = panel.list.visualRect(index).topLeft()
    at.setX(at.x() + 60)
    at.setY(at.y() + 12)
    with qtbot.waitSignal(session.revealed) as told:
        qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert told.args == [cells]
    assert session.selection == {cells}
    session.select(())
    with qtbot.waitSignal(session.revealed):
        qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert session.selection == {cells}


def test_the_button_of_a_row_mends_it_in_one_step(qtbot: QtBot, session: Session, panel: Problems) -> None:
    spoil(session, tau_mem=-5.0)
    qtbot.waitUntil(lambda: len(lines(panel)) == 1)
    index = panel.model.index(0)
    option = QStyleOptionViewItem()
    panel.list.initViewItemOption(option)
    option.rect = panel.list.visualRect(index)
    button = panel.delegate.button_rect(option, index)
    assert panel.list.viewport().rect().contains(button)
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=button.center())
    assert session.document.nodes[session.document.find("cells")].params["tau_mem"] == 20.0
    assert len(session.history.done) == 2
    qtbot.waitUntil(lambda: lines(panel) == [])


def test_the_row_chosen_stays_chosen(qtbot: QtBot, session: Session, panel: Problems) -> None:
    spoil(session, tau_mem=-5.0, v_th="high", reset="nope")
    qtbot.waitUntil(lambda: len(lines(panel)) == 3)
    panel.list.setCurrentIndex(panel.model.index(2))
    chosen = lines(panel)[2]
    spoil(session, compare="=")
    qtbot.waitUntil(lambda: len(lines(panel)) == 4)
    assert str(panel.model.problems[panel.list.currentIndex().row()]) == chosen


def test_kinds_can_be_hidden(qtbot: QtBot, session: Session, panel: Problems) -> None:
    session.document.add("delays.fixed", name="loose")  # a warning
    qtbot.waitUntil(lambda: len(lines(panel)) > 0)
    assert panel.model.problems[0].severity == "warning"
    before = len(lines(panel))
    qtbot.mouseClick(panel.filters["warning"], Qt.MouseButton.LeftButton)
    assert len(lines(panel)) < before
    qtbot.mouseClick(panel.filters["info"], Qt.MouseButton.LeftButton)
    assert panel.empty.text() == "All problems are of kinds that are not shown."
    qtbot.mouseClick(panel.filters["warning"], Qt.MouseButton.LeftButton)
    assert panel.model.problems[0].severity == "warning"


def test_what_a_run_reports_stays_until_the_next(session: Session, panel: Problems) -> None:
    cells = session.document.find("cells")
    session.runner.failed.emit("the worker has ended", cells)
    assert [problem.message for problem in panel.model.problems] == ["the worker has ended"]
    assert panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole).startswith("The last run")
    session.runner.state_changed.emit("loading")
    assert panel.model.problems == []


def test_problems_are_those_of_the_document_in_front(
    qtbot: QtBot, workspace: Workspace, session: Session, panel: Problems
) -> None:
    spoil(session, tau_mem=-5.0)
    qtbot.waitUntil(lambda: len(lines(panel)) == 1)
    other = Session(drawn())
    workspace.add(other)
    session.runner.failed.emit("this is elsewhere", "")
    assert lines(panel) == []
    workspace.bring_to_front(session)
    assert len(lines(panel)) == 2
    workspace.close(other)
    workspace.close(session)
    assert panel.empty.text() == "Open a document to see its problems here."


def test_a_code_is_explained_by_the_tooltip(qtbot: QtBot, session: Session, panel: Problems) -> None:
    spoil(session, tau_mem=-5.0)
    qtbot.waitUntil(lambda: len(lines(panel)) == 1)
    tip = panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    page = Path(__file__).parents[2] / "resources" / "help" / "diagnostics.md"
    code, meaning = tip.splitlines()[0].split(": ", 1)
    assert f"| {code} | error | {meaning} |" in page.read_text(encoding="utf-8")
