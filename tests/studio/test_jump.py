"""From a line in Problems to what it is about: the parameter in the inspector, the port on the canvas."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.document import Document
from studio.canvas.ring import Ring
from studio.inspector.row import Row
from studio.panels.problems import Problems
from studio.session import Session
from studio.window import MainWindow


@pytest.fixture
def session(window: MainWindow) -> Session:
    document = Document.new("Jump", dt_ms=1.0)
    document.add("population.poisson", "noise", (0, 0), size=[4])
    document.add("projection.dense", "weights", (300, 0))
    document.add("population.lif", "cells", (600, 0), size=[3])
    for a, port, b in (("noise", "spikes", "weights"), ("weights", "output", "cells")):
        document.connect(document.find(a), port, document.find(b), "input")
    made = Session(document)
    window.workspace.add(made)
    return made


def click(window: MainWindow, row: int) -> None:
    """Click on the text of a problem."""
    panel = window.panel("problems")
    assert isinstance(panel, Problems)
    QApplication.processEvents()
    at = panel.list.visualRect(panel.model.index(row)).topLeft() + QPoint(60, 12)
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


def problems(window: MainWindow) -> list[str]:
    panel = window.docks.panels["problems"]
    assert isinstance(panel, Problems)
    return [problem.at for problem in panel.model.problems]


def focused_row() -> Row | None:
    found = QApplication.focusWidget()
    while found is not None and not isinstance(found, Row):
        found = found.parentWidget()
    return found


@pytest.mark.parametrize(
    ("name", "value"), [("tau_mem", -5.0), ("compare", "=")], ids=["at once", "in a closed section"]
)
def test_a_jump_leads_to_the_parameter(
    qtbot: QtBot, window: MainWindow, session: Session, name: str, value: object
) -> None:
    cells = session.document.find("cells")
    session.edit("Spoil", [{"op": "set", "path": ["nodes", cells, "params", name], "value": value}])
    qtbot.waitUntil(lambda: problems(window) == [name])
    window.activateWindow()
    click(window, 0)
    qtbot.waitUntil(lambda: (row := focused_row()) is not None and row.name == name)
    row = focused_row()
    assert row is not None
    assert row.visibleRegion().contains(row.rect().center())
    assert session.selection == {cells}
    assert window.canvas is not None
    assert not rings(window)


def rings(window: MainWindow) -> list[Ring]:
    assert window.canvas is not None
    return [item for item in window.canvas.canvas.items() if isinstance(item, Ring)]


def test_a_jump_rings_the_port(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    weights = session.document.find("weights")
    wire = next(key for key, wire in session.document.wires.items() if wire.target.node == weights)
    session.edit("Cut", [{"op": "del_wire", "id": wire}])
    qtbot.waitUntil(lambda: "input" in problems(window))
    click(window, problems(window).index("input"))
    (ring,) = rings(window)
    assert window.canvas is not None
    assert ring.pos() == window.canvas.canvas.port_pos(weights, "input", "in")
    qtbot.waitUntil(lambda: not rings(window), timeout=10_000)


def test_a_jump_to_a_setting_of_the_document(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    session.edit("Spoil", [{"op": "set", "path": ["recipes", "train"], "value": {"epochs": 0}}])
    qtbot.waitUntil(lambda: problems(window) == ["epochs"])
    session.select(session.document.nodes)
    window.activateWindow()
    click(window, 0)
    qtbot.waitUntil(lambda: (row := focused_row()) is not None and row.name == "epochs")
