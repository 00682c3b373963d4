"""Chips in the window: chosen in the toolbar, limits on the canvas while drawing, fixes, the budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.export.hardware.budget import budget
from engine.export.hardware.chips import chips
from engine.program import Program
from studio import places
from studio.canvas import looks
from studio.hardware import NONE, ChipPicker
from studio.records import Records
from studio.session import Session
from studio.window import MainWindow


@pytest.fixture
def digits(window: MainWindow, qtbot: QtBot) -> Session:
    window.files.open_copy(places.PROJECTS / "spoken-digits" / "spoken-digits.myelin")
    session = window.workspace.current
    assert session is not None
    qtbot.waitUntil(lambda: session.checker.settled and session.problems.program is not None)
    return session


def picker(window: MainWindow) -> ChipPicker:
    found = window.findChild(ChipPicker)
    assert found is not None
    return found


def choose(window: MainWindow, title: str) -> None:
    """With the keys, as somebody without a mouse would."""
    box = picker(window)
    box.setFocus(Qt.FocusReason.TabFocusReason)
    box._want()  # off screen the window is not always the active one, and then no focus arrives
    box.setCurrentIndex(0)
    for _ in range(box.findText(title)):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == title


def limits(session: Session) -> list[Any]:
    return [d for d in session.problems.diagnostics if d.severity == "limit"]


def test_a_chip_marks_what_breaks_its_limits_while_drawing(
    window: MainWindow, digits: Session, qtbot: QtBot
) -> None:
    assert picker(window).currentText() == NONE
    with qtbot.waitSignal(digits.checked):
        choose(window, chips()["xylo_audio2"].title)
    qtbot.waitUntil(lambda: digits.checker.settled and bool(limits(digits)))
    assert digits.document.meta["target"] == "xylo_audio2"
    assert digits.problems.program is not None, "it still runs here"
    hidden = digits.document.find("hidden 1")
    assert looks._worst(digits.problems.by_node[hidden]) == "limit"
    panel: Any = window.panel("problems")
    assert panel.filters["limit"].text() == str(len(limits(digits)))
    digits.undo()
    qtbot.waitUntil(lambda: digits.checker.settled and not limits(digits))
    assert picker(window).currentText() == NONE


def test_a_fix_of_a_broken_limit_is_one_step(window: MainWindow, digits: Session, qtbot: QtBot) -> None:
    choose(window, chips()["xylo_audio2"].title)
    qtbot.waitUntil(lambda: digits.checker.settled and bool(limits(digits)))
    hidden = digits.document.find("hidden 1")
    problem = next(d for d in limits(digits) if hidden in d.nodes and d.fix)
    panel: Any = window.panel("problems")
    steps = len(digits.history.done)
    panel.fix(problem)
    assert len(digits.history.done) == steps + 1
    qtbot.waitUntil(lambda: digits.checker.settled)
    assert not any(d.code == problem.code and hidden in d.nodes for d in limits(digits))


def test_the_budget_is_that_of_the_engine(window: MainWindow, digits: Session, qtbot: QtBot) -> None:
    panel: Any = window.panel("hardware")
    assert panel.stack.currentWidget() is panel.words
    choose(window, chips()["loihi2"].title)
    qtbot.waitUntil(lambda: digits.checker.settled and panel.stack.currentWidget() is panel.full)
    program = digits.problems.program
    assert isinstance(program, Program)
    expected = budget(program, chips()["loihi2"])
    shown = [panel.table.item(row, 1).text() for row in range(panel.table.rowCount())]
    assert shown == [f"{row.used:,g}" for row in expected.rows]
    assert expected.energy is not None
    assert expected.energy.model in panel.energy.text()
    row = next(n for n, one in enumerate(expected.rows) if one.node)
    panel.table.cellClicked.emit(row, 0)
    assert digits.selection == {expected.rows[row].node}


def test_the_energy_takes_the_rates_of_the_last_run(
    window: MainWindow, digits: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel: Any = window.panel("hardware")
    choose(window, chips()["loihi2"].title)
    qtbot.waitUntil(lambda: digits.checker.settled and panel.stack.currentWidget() is panel.full)
    assert "nothing was measured" in panel.energy.text()
    program = digits.problems.program
    assert isinstance(program, Program)
    steps = np.arange(10)
    monkeypatch.setattr(Records, "rate", lambda *_: (steps, np.full(10, 30.0)))
    digits.runner.state_changed.emit("ready")
    activity = {op.id: 30.0 * program.dt / 1000 for op in program.of_role("population")}
    estimate = budget(program, chips()["loihi2"], activity).energy
    assert estimate is not None
    assert estimate.assumed in panel.energy.text()
    assert "1 of 4" in panel.energy.text(), "only the input is not measured"


def test_a_chip_nobody_knows_is_kept_and_said(window: MainWindow, digits: Session, qtbot: QtBot) -> None:
    digits.edit("Aim", [{"op": "set", "path": ["meta", "target"], "value": "tomorrow3"}])
    assert picker(window).currentText() == "tomorrow3"
    qtbot.waitUntil(
        lambda: digits.checker.settled and any(d.code == "MYL210" for d in digits.problems.diagnostics)
    )
    assert digits.document.meta["target"] == "tomorrow3"
