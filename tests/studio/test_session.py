"""A session: edits, merging, refusals, selection, scope and live checking."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from engine.document import Document, dumps
from engine.document.ops import delete_nodes, set_op
from studio.session import Session
from studio.workspace import Workspace

Open = Callable[[Document], Session]


def drawn() -> Document:
    document = Document.new("Two", dt_ms=1.0)
    a = document.add("population.poisson", name="noise", size=[4], at=[0, 0])
    w = document.add("projection.dense", name="weights", at=[200, 0])
    b = document.add("population.lif", name="cells", size=[3], at=[400, 0])
    document.connect(a, "spikes", w, "input")
    document.connect(w, "output", b, "input")
    return document


def test_a_scrub_is_one_step_and_undo_gives_the_same_bytes(open_session: Open, qtbot: QtBot) -> None:
    session = open_session(drawn())
    before, cells = dumps(session.document), session.document.find("cells")
    for value in (1.1, 1.2, 1.3):
        assert session.edit("Threshold", [set_op(["nodes", cells, "params", "v_th"], value)], merge="v_th")
    session.end_merge()
    session.edit("Threshold", [set_op(["nodes", cells, "params", "v_th"], 2.0)], merge="v_th")
    assert len(session.history.done) == 2
    assert session.dirty
    session.undo()
    assert session.document.nodes[cells].params["v_th"] == 1.3
    session.undo()
    assert dumps(session.document) == before
    assert not session.dirty
    session.go_to(2)
    assert session.document.nodes[cells].params["v_th"] == 2.0


def test_an_edit_that_cannot_be_made_is_one_sentence_and_changes_nothing(
    open_session: Open, qtbot: QtBot
) -> None:
    session = open_session(drawn())
    before = dumps(session.document)
    with qtbot.waitSignal(session.refused) as told:
        assert not session.edit("Delete", [{"op": "del_node", "id": session.document.find("cells")}])
    assert "still has the wire" in told.args[0]
    assert dumps(session.document) == before


def test_what_is_deleted_is_no_longer_selected(open_session: Open) -> None:
    session = open_session(drawn())
    cells, noise = session.document.find("cells"), session.document.find("noise")
    session.select([cells, noise])
    session.edit("Delete", delete_nodes(session.document, [cells]))
    assert session.selection == {noise}


def test_a_group_that_goes_is_left(open_session: Open) -> None:
    session = open_session(drawn())
    group = {"name": "all", "nodes": [session.document.find("cells")], "ports": {}, "parent": None}
    session.edit("Group", [set_op(["groups", "gggggggg"], group)])
    session.enter("gggggggg")
    session.undo()
    assert session.scope is None


def test_problems_follow_the_drawing(open_session: Open, qtbot: QtBot) -> None:
    session = open_session(drawn())
    qtbot.waitUntil(lambda: session.checker.settled)
    assert session.problems.program is not None
    cells = session.document.find("cells")
    session.edit("Threshold", [set_op(["nodes", cells, "params", "v_th"], -1.0)])
    qtbot.waitUntil(lambda: session.checker.settled)
    assert session.problems.program is None
    assert [d.at for d in session.problems.by_node[cells]] == ["v_th"]
    session.undo()
    qtbot.waitUntil(lambda: session.checker.settled)
    assert session.problems.program is not None


def test_closing_the_session_in_front_brings_another(workspace: Workspace, qtbot: QtBot) -> None:
    first, second = Session(drawn()), Session(drawn())
    workspace.add(first)
    workspace.add(second)
    assert workspace.current is second
    workspace.close(second)
    assert workspace.current is first
    workspace.close(first)
    assert workspace.current is None


def test_what_is_revealed_is_selected_where_it_can_be_seen(open_session: Open, qtbot: QtBot) -> None:
    session = open_session(drawn())
    cells = session.document.find("cells")
    group = {"name": "all", "nodes": [cells], "ports": {"in": {}, "out": {}}, "parent": None}
    session.edit("Group", [set_op(["groups", "gggggggg"], group)])
    with qtbot.waitSignal(session.revealed) as told:
        session.reveal(cells)
    assert told.args == [cells]
    assert session.scope is None
    session.edit("Collapse", [set_op(["layout", "gggggggg"], {"at": [0, 0], "collapsed": True})])
    session.reveal(cells)
    assert session.scope == "gggggggg"
    assert session.selection == {cells}
    session.reveal(session.document.find("noise"))
    assert session.scope is None
