"""The inspector: every node, edits by keys and mouse, undo, several nodes, wires, groups, the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.document import Document, dumps
from engine.document.ops import set_op
from nodes import registry
from studio.inspector.document_page import DocumentPage
from studio.inspector.node_page import NodePage
from studio.inspector.other_pages import GroupPage, NotePage, UnknownPage, WirePage
from studio.inspector.row import Row
from studio.inspector.section import Section
from studio.panels.inspector import Inspector
from studio.session import Session
from studio.workspace import Workspace


def drawn() -> Document:
    document = Document.new("Two", dt_ms=1.0)
    a = document.add("population.poisson", name="noise", size=[4])
    w = document.add("projection.dense", name="weights")
    b = document.add("population.lif", name="cells", size=[3])
    d = document.add("delays.learnable", name="delays")
    document.connect(a, "spikes", w, "input")
    document.connect(w, "output", b, "input")
    document.connect(d, "delays", w, "delays")
    return document


@pytest.fixture
def session(workspace: Workspace) -> Session:
    session = Session(drawn())
    workspace.add(session)
    return session


@pytest.fixture
def inspector(qtbot: QtBot, workspace: Workspace) -> Iterator[Inspector]:
    panel = Inspector(workspace)
    qtbot.addWidget(panel)
    panel.resize(340, 1000)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    yield panel
    panel.close()


def id_of(session: Session, name: str) -> str:
    return session.document.find(name)


def choose(session: Session, *names: str) -> None:
    session.select(id_of(session, name) for name in names)


def row(inspector: Inspector, name: str) -> Any:
    assert inspector.page is not None
    return next(found for found in inspector.page.findChildren(Row) if found.name == name)


def write(qtbot: QtBot, line: Any, text: str, enter: bool = True) -> None:
    line.setFocus()
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)
    if enter:
        qtbot.keyClick(line, Qt.Key.Key_Return)


def value(session: Session, node: str, name: str) -> Any:
    return session.document.nodes[id_of(session, node)].params[name]


def open_all(inspector: Inspector) -> None:
    assert inspector.page is not None
    for section in inspector.page.findChildren(Section):
        section.open(True)


def test_every_node_type_can_be_inspected(qtbot: QtBot, workspace: Workspace, inspector: Inspector) -> None:
    document = Document.new("All", dt_ms=0.5)
    ids = {type: document.add(type) for type in registry.all()}
    session = Session(document)
    workspace.add(session)
    qtbot.waitUntil(lambda: session.checker.settled)
    for type, id in ids.items():
        session.select([id])
        assert isinstance(inspector.page, NodePage), type
        open_all(inspector)
        shown = {found.name for found in inspector.page.findChildren(Row)}
        assert shown == set(registry.all()[type].params)
        assert len(inspector._pages) <= 16
    assert session.history.done == []


def test_typing_a_value_with_a_unit_is_one_step(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    before = dumps(session.document)
    write(qtbot, row(inspector, "tau_mem").editor.line, "0.03 s")
    assert value(session, "cells", "tau_mem") == 30.0
    assert [edit.label for edit in session.history.done] == ["Set tau_mem of cells"]
    assert row(inspector, "tau_mem").label.font().bold()
    assert "30 steps" in row(inspector, "tau_mem")._info.text()
    assert "a = 0.9672 a step" in row(inspector, "tau_mem")._info.text()
    session.undo()
    assert dumps(session.document) == before
    assert row(inspector, "tau_mem").editor.line.text() == "20"
    assert not row(inspector, "tau_mem").label.font().bold()


def test_undo_keeps_focus_and_cursor(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    line = row(inspector, "v_th").editor.line
    write(qtbot, line, "1.25")
    line.setCursorPosition(1)
    session.edit("Leak", [set_op(["nodes", id_of(session, "cells"), "params", "tau_mem"], 40.0)])
    assert (line.hasFocus(), line.cursorPosition()) == (True, 1)
    session.undo()
    assert (line.hasFocus(), line.cursorPosition()) == (True, 1)
    session.undo()
    assert line.hasFocus()
    assert line.text() == "1"


def test_a_scrub_of_the_label_is_one_step(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    label = row(inspector, "tau_mem").label
    at = QPoint(10, label.height() // 2)
    qtbot.mousePress(label, Qt.MouseButton.LeftButton, pos=at)
    for x in (12, 24, 60):
        qtbot.mouseMove(label, at + QPoint(x, 0))
    assert value(session, "cells", "tau_mem") == 30.0
    qtbot.mouseMove(label, at + QPoint(30, 0))
    qtbot.mouseRelease(label, Qt.MouseButton.LeftButton, pos=at + QPoint(30, 0))
    assert value(session, "cells", "tau_mem") == 25.0
    assert len(session.history.done) == 1
    qtbot.mousePress(label, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(label, at - QPoint(30, 0))
    qtbot.mouseRelease(label, Qt.MouseButton.LeftButton, pos=at - QPoint(30, 0))
    assert len(session.history.done) == 2
    session.undo()
    session.undo()
    assert value(session, "cells", "tau_mem") == 20.0


def test_reset_goes_back_to_the_default(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    reset = row(inspector, "v_th").reset
    assert not reset.isVisible()
    write(qtbot, row(inspector, "v_th").editor.line, "2")
    assert reset.isVisible()
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert value(session, "cells", "v_th") == 1.0
    assert not reset.isVisible()
    assert len(session.history.done) == 2


def test_help_is_shown_for_the_row_with_the_focus(
    qtbot: QtBot, session: Session, inspector: Inspector
) -> None:
    choose(session, "cells")
    found = row(inspector, "v_th")
    found.editor.setFocus()
    assert "Firing threshold" in found._info.text()
    row(inspector, "tau_mem").editor.setFocus()
    assert not found._info.isVisible()
    assert "0.01 to 1,000,000 ms" in row(inspector, "tau_mem")._info.text()


def test_several_nodes_are_edited_together(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    other = session.document.add("population.lif", name="more", size=[3], v_th=3.0)
    session.history.done.clear()
    session.select([id_of(session, "cells"), other])
    line = row(inspector, "v_th").editor.line
    assert (line.text(), line.placeholderText()) == ("", "mixed")
    assert row(inspector, "tau_mem").editor.line.text() == "20"
    write(qtbot, line, "1.5")
    assert value(session, "cells", "v_th") == value(session, "more", "v_th") == 1.5
    assert line.text() == "1.5"
    assert len(session.history.done) == 1
    session.undo()
    assert (value(session, "cells", "v_th"), value(session, "more", "v_th")) == (1.0, 3.0)
    assert line.placeholderText() == "mixed"


def test_nodes_of_different_types_share_what_they_have_in_common(
    session: Session, inspector: Inspector
) -> None:
    choose(session, "cells", "noise")
    assert isinstance(inspector.page, NodePage)
    assert set(inspector.page.params) == {"size"}
    choose(session, "cells", "delays")
    assert inspector.page.params == {}


def test_what_is_typed_is_taken_when_another_node_is_selected(
    qtbot: QtBot, session: Session, inspector: Inspector
) -> None:
    other = session.document.add("population.lif", name="more", size=[3])
    choose(session, "cells")
    write(qtbot, row(inspector, "v_th").editor.line, "4", enter=False)
    session.select([other])
    assert (value(session, "cells", "v_th"), value(session, "more", "v_th")) == (4.0, 1.0)
    assert row(inspector, "v_th").editor.line.text() == "1"


def test_a_name_is_changed_in_the_head(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    cells = id_of(session, "cells")
    page = inspector.page
    assert isinstance(page, NodePage)
    write(qtbot, page.name, "output")
    assert session.document.nodes[cells].name == "output"
    session.undo()
    assert page.name.text() == "cells"


def test_a_note_is_written_and_taken_away(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    cells, page = id_of(session, "cells"), inspector.page
    assert isinstance(page, NodePage)
    page.note.setFocus()
    qtbot.keyClicks(page.note, "first")
    qtbot.keyClick(page.note, Qt.Key.Key_Return)
    qtbot.keyClicks(page.note, "second")
    qtbot.keyClick(page.note, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert session.document.nodes[cells].extra["note"] == "first\nsecond"
    session.undo()
    assert page.note.toPlainText() == ""
    assert "note" not in session.document.nodes[cells].extra


def test_conventions_of_another_tool_are_one_step(
    qtbot: QtBot, session: Session, inspector: Inspector
) -> None:
    choose(session, "cells")
    open_all(inspector)
    page = inspector.page
    assert isinstance(page, NodePage)
    assert page.presets is not None
    combo = page.presets.combo
    assert combo.currentText() == "myelin"
    combo.setFocus()
    qtbot.keyClicks(combo, "nir")
    assert value(session, "cells", "integration") == "euler"
    assert value(session, "cells", "compare") == ">"
    assert len(session.history.done) == 1
    assert "by forward Euler" in page.presets.about.text()
    write(qtbot, row(inspector, "max_spikes").editor.line, "3")
    assert combo.currentIndex() == -1
    session.undo()
    session.undo()
    assert combo.currentText() == "myelin"


def test_the_mark_of_learning_writes_the_list(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    qtbot.mouseClick(row(inspector, "tau_mem").learn, Qt.MouseButton.LeftButton)
    assert value(session, "cells", "train") == ["tau_mem"]
    qtbot.mouseClick(row(inspector, "v_th").learn, Qt.MouseButton.LeftButton)
    assert set(value(session, "cells", "train")) == {"tau_mem", "v_th"}
    session.undo()
    assert not row(inspector, "v_th").learn.isChecked()
    qtbot.mouseClick(row(inspector, "tau_mem").learn, Qt.MouseButton.LeftButton)
    assert value(session, "cells", "train") == []


def test_equations_and_shapes_follow(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    qtbot.waitUntil(lambda: session.checker.settled)
    page = inspector.page
    assert isinstance(page, NodePage)
    assert "exp(−dt/tau_mem)" in page.block.text.text().replace("</span>", "")
    session.edit("Euler", [set_op(["nodes", id_of(session, "cells"), "params", "integration"], "euler")])
    assert "exp" not in page.block.text.text()
    assert page.facts.text() == "3 neurons"
    choose(session, "weights")
    assert isinstance(inspector.page, NodePage)
    assert inspector.page.facts.text().splitlines() == [
        "4 → 3",
        "12 synapses",
        "delays of 0 to 25 steps (0 to 25 ms)",
    ]
    choose(session, "delays")
    assert inspector.page.facts.text() == "delays of 0 to 25 steps (0 to 25 ms) on 'weights'"
    session.edit("dt", [set_op(["meta", "dt_ms"], 10.0)])
    assert "= 2.5 steps, rounded to 2" in row(inspector, "max_delay")._info.text()


def test_a_problem_is_told_on_the_page_and_mended_there(
    qtbot: QtBot, session: Session, inspector: Inspector
) -> None:
    from PySide6.QtWidgets import QPushButton

    choose(session, "cells")
    session.edit("Bad", [set_op(["nodes", id_of(session, "cells"), "params", "tau_mem"], -5.0)])
    page = inspector.page
    assert isinstance(page, NodePage)
    qtbot.waitUntil(page.problems.isVisible)
    (button,) = page.problems.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert value(session, "cells", "tau_mem") == 20.0
    qtbot.waitUntil(lambda: not page.problems.isVisible())


def test_a_wire_tells_its_ends(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    wire = next(
        id for id, wire in session.document.wires.items() if wire.target.node == id_of(session, "cells")
    )
    qtbot.waitUntil(lambda: session.checker.settled)
    session.select([wire])
    assert isinstance(inspector.page, WirePage)
    for words in ("weights", "cells", "current"):
        assert words in inspector.page.ends.text()
    assert inspector.page.carries.text() == "Shape: 3"
    inspector.page.ends.linkActivated.emit(id_of(session, "cells"))
    assert session.selection == {id_of(session, "cells")}


def test_the_document_and_its_recipes(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    assert isinstance(inspector.page, DocumentPage)
    before = dumps(session.document)
    open_all(inspector)
    write(qtbot, row(inspector, "dt_ms").editor.line, "500 us")
    assert session.document.meta["dt_ms"] == 0.5
    write(qtbot, row(inspector, "dt_ms").editor.line, "0")
    assert session.document.meta["dt_ms"] == 0.5
    write(qtbot, row(inspector, "epochs").editor.line, "7")
    assert session.document.recipes["train"] == {"epochs": 7}
    label = row(inspector, "lr").label
    qtbot.mousePress(label, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    for x in (10, 16, 22):
        qtbot.mouseMove(label, QPoint(x, 4))
    qtbot.mouseRelease(label, Qt.MouseButton.LeftButton, pos=QPoint(22, 4))
    assert session.document.recipes["train"] == {"epochs": 7, "lr": 0.0013}
    assert len(session.history.done) == 3
    while session.history.done:
        session.undo()
    assert dumps(session.document) == before
    assert row(inspector, "epochs").editor.line.text() == "30"


def test_a_group_has_name_repetition_and_ports(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    cells = id_of(session, "cells")
    ports = {"in": {"x": [cells, "input"]}, "out": {"y": [cells, "spikes"]}}
    group = {"name": "block", "nodes": [cells], "ports": ports, "parent": None}
    session.edit("Group", [set_op(["groups", "gggggggg"], group)])
    session.select(["gggggggg"])
    page = inspector.page
    assert isinstance(page, GroupPage)
    write(qtbot, row(inspector, "repeat").editor.line, "3")
    assert session.document.groups["gggggggg"]["repeat"] == 3
    assert "3 copies in a row: y of each feeds x of the next" in row(inspector, "repeat")._info.text()
    assert page.fixed.isVisible()
    write(qtbot, page.name, "stack")
    assert session.document.groups["gggggggg"]["name"] == "stack"
    line = page.grid.itemAtPosition(0, 1).widget()
    write(qtbot, line, "inwards")
    assert list(session.document.groups["gggggggg"]["ports"]["in"]) == ["inwards"]
    session.undo()
    assert list(session.document.groups["gggggggg"]["ports"]["in"]) == ["x"]


def test_frames_and_comments_have_text_and_colour(
    qtbot: QtBot, session: Session, inspector: Inspector
) -> None:
    session.edit(
        "Frame", [set_op(["layout", "ffffffff"], {"at": [0, 0], "size": [200, 90], "frame": "Input"})]
    )
    session.select(["ffffffff"])
    page = inspector.page
    assert isinstance(page, NotePage)
    page.text.setFocus()
    page.text.selectAll()
    qtbot.keyClicks(page.text, "Output")
    page.text.clearFocus()
    assert session.document.layout["ffffffff"]["frame"] == "Output"
    combo = row(inspector, "colour").editor.combo
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert session.document.layout["ffffffff"]["colour"] == "muted"


def test_an_unknown_type_is_kept_and_shown(session: Session, inspector: Inspector) -> None:
    node = session.document.add("population.alien", name="visitor", legs=7)
    session.select([node])
    assert isinstance(inspector.page, UnknownPage)
    assert "population.alien is not installed" in inspector.page.about.text()
    assert '"legs": 7' in inspector.page.params.toPlainText()
    assert inspector.page.params.isReadOnly()


def test_deleting_what_is_shown_leads_to_the_document(session: Session, inspector: Inspector) -> None:
    from engine.document.ops import delete_nodes

    choose(session, "cells")
    session.edit("Delete", delete_nodes(session.document, [id_of(session, "cells")]))
    assert isinstance(inspector.page, DocumentPage)
    session.undo()
    choose(session, "cells")
    assert isinstance(inspector.page, NodePage)


def test_another_document_another_theme_and_none(
    qtbot: QtBot, workspace: Workspace, session: Session, inspector: Inspector
) -> None:
    from studio.theme import theme

    choose(session, "cells")
    first = inspector.page
    theme.use("light")
    try:
        assert inspector.page is not first
        second = Session(Document.new("Empty"))
        workspace.add(second)
        assert isinstance(inspector.page, DocumentPage)
        workspace.close(second)
        assert isinstance(inspector.page, NodePage)
    finally:
        theme.use("dark")
    workspace.close(session)
    assert inspector.page is None


def test_pages_are_made_ahead_and_bound_later(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    qtbot.waitUntil(lambda: ("node", "population.lif") in inspector._pages)
    ahead = inspector._pages["node", "population.lif"]
    session.edit("Title", [set_op(["meta", "title"], "Other")])
    choose(session, "cells")
    assert inspector.page is ahead
    assert row(inspector, "tau_mem").editor.line.text() == "20"


def test_a_node_outside_the_network_says_so(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    lone = session.document.add("dataset.shd", name="lone")
    qtbot.waitUntil(lambda: session.checker.settled)
    session.select([lone])
    assert isinstance(inspector.page, NodePage)
    assert inspector.page.facts.text() == "It is no part of the network that runs."
    assert row(inspector, "path").editor.line.placeholderText() == "its own"
    session.edit("Bad", [set_op(["nodes", id_of(session, "cells"), "params", "tau_mem"], -5.0)])
    qtbot.waitUntil(lambda: session.checker.settled)
    assert inspector.page.facts.text() == "Known once the drawing has no errors."


def test_a_muted_node_is_taken_in_again(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    cells, weights = id_of(session, "cells"), id_of(session, "weights")
    choose(session, "cells")
    page = inspector.page
    assert isinstance(page, NodePage)
    assert not page.mode.isVisible()
    session.edit("Mute", [set_op(["nodes", cells, "mode"], "mute")])
    assert page.mode.isVisible()
    assert page.mode.text.text() == "Muted: left out of the network"
    session.edit("Bypass", [set_op(["nodes", weights, "mode"], "bypass")])
    choose(session, "cells", "weights")
    page = inspector.page
    assert isinstance(page, NodePage)
    assert page.mode.text.text() == "1 muted and 1 bypassed of 2 nodes"
    qtbot.mouseClick(page.mode.button, Qt.MouseButton.LeftButton)
    assert not page.mode.isVisible()
    assert [session.document.nodes[id].extra for id in (cells, weights)] == [{}, {}]
    assert session.history.done[-1].label == "Take in again"


def test_training_is_folded_until_there_is_something_to_train(
    qtbot: QtBot, session: Session, inspector: Inspector
) -> None:
    page = inspector.page
    assert isinstance(page, DocumentPage)
    assert not page.training.opened
    assert page.why.isVisible()
    assert page.running.opened
    session.document.add("loss.cross_entropy", name="loss")
    assert page.training.opened
    assert not page.why.isVisible()
    qtbot.mouseClick(page.training.heading, Qt.MouseButton.LeftButton)
    session.document.add("population.lif", name="more")
    assert not page.training.opened  # as it was left


def test_long_times_are_written_out(qtbot: QtBot, session: Session, inspector: Inspector) -> None:
    choose(session, "cells")
    write(qtbot, row(inspector, "tau_mem").editor.line, "1000000")
    assert "= 1,000,000 steps" in row(inspector, "tau_mem")._info.text()
