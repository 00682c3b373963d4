"""What is being typed in the inspector while what it belongs to goes away, or undo passes by."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.document import dumps
from studio.inspector.name_line import NameLine
from studio.inspector.note import Note
from studio.panels.inspector import Inspector
from studio.session import Session
from studio.workspace import Workspace
from tests.studio.drawings import chain, grouped


@pytest.fixture
def session(workspace: Workspace, qtbot: QtBot) -> Session:
    session = Session(grouped())
    workspace.add(session)
    return session


@pytest.fixture
def panel(workspace: Workspace, qtbot: QtBot) -> Inspector:
    made = Inspector(workspace)
    qtbot.addWidget(made)
    made.show()
    return made


def line(panel: Inspector) -> NameLine:
    assert panel.page is not None
    return panel.page.findChildren(NameLine)[0]


def begin(field: QWidget, text: str) -> None:
    """Type without an end: neither Enter nor a click elsewhere."""
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)


@pytest.mark.parametrize("kind", [Note, NameLine])
def test_what_is_typed_for_a_node_goes_with_the_node(
    kind: type[QWidget], workspace: Workspace, panel: Inspector, qtbot: QtBot
) -> None:
    session = Session(chain())
    workspace.add(session)
    added = session.document.add("population.lif", "new", size=[2])
    session.select([added])
    told: list[str] = []
    session.refused.connect(told.append)
    assert panel.page is not None
    begin(panel.page.findChildren(kind)[0], "words")
    with qtbot.captureExceptions() as raised:
        session.edit("Delete", [{"op": "del_node", "id": added}])
    assert not raised
    assert not told, "nobody asked for anything that could be refused"
    session.undo()
    session.select([added])
    assert session.document.nodes[added].name == "new"
    assert "note" not in session.document.nodes[added].extra


def test_undo_takes_back_what_is_being_typed_first(session: Session, panel: Inspector) -> None:
    before = dumps(session.document)
    session.enter("g")
    session.select(["w"])
    begin(line(panel), "typed")
    session.undo()
    assert session.document.nodes["w"].name == "weights"
    assert dumps(session.document) == before
    session.redo()
    assert session.document.nodes["w"].name == "typed"


def test_going_far_back_while_typing_inside_a_group_that_ends(session: Session, panel: Inspector) -> None:
    """The scope closes, and with it the selection, in the middle of undo: no edit may happen there."""
    first = dumps(session.document)
    group: dict[str, Any] = {"name": "late", "nodes": ["c"], "ports": {"in": {}, "out": {}}, "parent": None}
    session.edit("Group", [{"op": "set", "path": ["groups", "late"], "value": group}])
    session.enter("late")
    session.select(["c"])
    begin(line(panel), "typed")
    session.go_to(0)
    assert dumps(session.document) == first
    session.go_to(2)
    assert session.document.nodes["c"].name == "typed"


def test_a_name_typed_for_a_group_is_that_groups(session: Session, panel: Inspector) -> None:
    session.select(["g"])
    begin(line(panel), "renamed")
    session.select(["c"])
    assert session.document.groups["g"]["name"] == "renamed"
    assert "c" not in session.document.groups
