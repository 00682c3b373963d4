"""Actions of drawing, by their keys, in the real window."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QCursor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from engine.document import Document, End, dumps
from studio.canvas.face import GRID
from studio.canvas.find import Find
from studio.canvas.search import Search
from studio.canvas.view import CanvasView
from studio.canvas.writer import Writer
from studio.edits import wiring
from studio.session import Session
from studio.settings import Settings
from studio.window import MainWindow

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
A, B = "n000", "n001"


def document() -> Document:
    numbers = count()
    d = Document.new("drawing", mint=lambda: f"n{next(numbers):03d}")
    a, b = d.add("population.poisson", "a", (0, 0), size=[2]), d.add("population.lif", "b", (600, 0))
    d.edit("wire", wiring.connect(d, End(a, "spikes"), End(b, "input")))
    return d


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> MainWindow:
    made = MainWindow(Settings(tmp_path))
    qtbot.addWidget(made, before_close_func=forget)
    made.workspace.add(Session(document()))
    made.show()
    qtbot.waitExposed(made)
    canvas(made).setFocus()
    canvas(made).set_zoom(1.0)
    return made


def forget(window: MainWindow) -> None:
    """Close all documents without asking about changes."""
    for session in list(window.workspace.sessions):
        window.workspace.close(session)


def canvas(window: MainWindow) -> CanvasView:
    assert window.canvas is not None
    return window.canvas


def drawing(window: MainWindow) -> Document:
    return canvas(window).session.document


def press(
    window: MainWindow, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Press a key on the canvas, as one who looks there."""
    window.activateWindow()
    canvas(window).setFocus()
    QTest.keyClick(canvas(window), key, keys)
    QApplication.processEvents()


def chosen(window: MainWindow) -> set[str]:
    session = canvas(window).session
    return {session.document.nodes[key].name for key in session.selection & session.document.nodes.keys()}


def test_copy_paste_duplicate_and_delete(window: MainWindow) -> None:
    d, session = drawing(window), canvas(window).session
    before = dumps(d)
    press(window, Qt.Key.Key_A, CTRL)
    assert chosen(window) == {"a", "b", "dense"}
    press(window, Qt.Key.Key_C, CTRL)
    assert '"format": "myelin"' in QGuiApplication.clipboard().text()
    press(window, Qt.Key.Key_V, CTRL)
    assert chosen(window) == {"a_2", "b_2", "dense_2"}
    press(window, Qt.Key.Key_D, CTRL)
    assert chosen(window) == {"a_3", "b_3", "dense_3"}
    assert len(d.wires) == 6
    press(window, Qt.Key.Key_Delete)
    assert len(d.nodes) == 6
    for _ in range(3):
        press(window, Qt.Key.Key_Z, CTRL)
    assert dumps(d) == before
    press(window, Qt.Key.Key_Z, CTRL | SHIFT)
    assert len(d.nodes) == 6
    assert session.history.undone


def test_cut_and_paste_into_another_document(window: MainWindow) -> None:
    canvas(window).session.select([B])
    press(window, Qt.Key.Key_X, CTRL)
    assert drawing(window).names() == {"a", "dense"}
    window.workspace.add(Session(Document.new("other")))
    press(window, Qt.Key.Key_V, CTRL)
    assert drawing(window).names() == {"b"}


def test_a_foreign_clipboard_is_a_sentence(window: MainWindow, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("a shopping list")
    with qtbot.waitSignal(window.workspace.message) as said:
        press(window, Qt.Key.Key_V, CTRL)
    assert said.args[0].startswith("the clipboard holds no network")


def test_modes_by_keys(window: MainWindow) -> None:
    canvas(window).session.select([B])
    press(window, Qt.Key.Key_M, CTRL)
    assert drawing(window).nodes[B].extra == {"mode": "mute"}
    press(window, Qt.Key.Key_B, CTRL)
    assert drawing(window).nodes[B].extra == {"mode": "bypass"}
    press(window, Qt.Key.Key_B, CTRL)
    assert drawing(window).nodes[B].extra == {}


def test_grouping_by_keys(window: MainWindow) -> None:
    d, session = drawing(window), canvas(window).session
    session.select([A, B, d.find("dense")])
    press(window, Qt.Key.Key_G, CTRL)
    (group,) = d.groups
    assert session.selection == {group}
    press(window, Qt.Key.Key_E, CTRL)
    assert d.layout[group]["collapsed"] is True
    press(window, Qt.Key.Key_F2)
    (writer,) = canvas(window).findChildren(Writer)
    QTest.keyClicks(writer, "pair")
    QTest.keyClick(writer, Qt.Key.Key_Return)
    assert d.groups[group]["name"] == "pair"
    window.run("group.enter")
    assert session.scope == group
    window.run("group.leave")
    session.select([group])
    press(window, Qt.Key.Key_G, CTRL | SHIFT)
    assert not d.groups
    assert chosen(window) == {"a", "b", "dense"}


def test_delete_and_join(window: MainWindow) -> None:
    d, session = drawing(window), canvas(window).session
    norm = d.add("structure.batch_norm", "norm", (400, 0))
    (wire,) = [key for key, w in d.wires.items() if w.target.node == B]
    d.edit("insert", wiring.insert(d, norm, wire))
    session.select([norm])
    press(window, Qt.Key.Key_Delete, ALT)
    assert "norm" not in d.names()
    assert any(w.source.node == d.find("dense") and w.target.node == B for w in d.wires.values())


def test_tab_opens_the_search_and_enter_adds(window: MainWindow) -> None:
    press(window, Qt.Key.Key_Tab)
    found = QApplication.activePopupWidget()
    assert isinstance(found, Search)
    QTest.keyClicks(found.field, "cuba lif")
    QTest.keyClick(found.field, Qt.Key.Key_Return)
    assert "cuba lif" in drawing(window).names()
    press(window, Qt.Key.Key_Tab)
    again = QApplication.activePopupWidget()
    assert isinstance(again, Search)
    assert again.marked == "population.cuba"
    QTest.keyClick(again.field, Qt.Key.Key_Escape)


def test_finding_a_node(window: MainWindow, qtbot: QtBot) -> None:
    drawing(window).add("population.lif", "far away", (9000, 9000))
    qtbot.waitUntil(lambda: canvas(window).sceneRect().contains(QPointF(9050, 9050)))
    press(window, Qt.Key.Key_F, CTRL)
    found = QApplication.activePopupWidget()
    assert isinstance(found, Find)
    QTest.keyClicks(found.field, "far")
    QTest.keyClick(found.field, Qt.Key.Key_Return)
    assert chosen(window) == {"far away"}
    assert canvas(window).visible_area().contains(QPointF(9050, 9050))


def test_a_comment_is_written_where_it_stands(window: MainWindow) -> None:
    press(window, Qt.Key.Key_C, CTRL | SHIFT)
    (writer,) = canvas(window).findChildren(Writer)
    QTest.keyClicks(writer, "first line")
    QTest.keyClick(writer, Qt.Key.Key_Return)
    QTest.keyClicks(writer, "second")
    QTest.keyClick(writer, Qt.Key.Key_Return, CTRL)
    (note,) = [place for place in drawing(window).layout.values() if "comment" in place]
    assert note["comment"] == "first line\nsecond"


def test_a_frame_is_named_and_renamed(window: MainWindow) -> None:
    session = canvas(window).session
    session.select([A, B])
    press(window, Qt.Key.Key_F, CTRL | SHIFT)
    (writer,) = canvas(window).findChildren(Writer)
    QTest.keyClick(writer, Qt.Key.Key_Escape)
    (note,) = [key for key, place in session.document.layout.items() if "frame" in place]
    view = canvas(window)
    title = view.canvas.node_rect(note).topLeft() + QPointF(40, 10)
    view.centre_on(title)
    QTest.mouseDClick(
        view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, view.mapFromScene(title)
    )
    writer = next(found for found in view.findChildren(Writer) if found.isVisible())
    QTest.keyClicks(writer, "in")
    QTest.keyClick(writer, Qt.Key.Key_Return)
    assert session.document.layout[note]["frame"] == "in"


def test_aligning_and_distributing(window: MainWindow) -> None:
    drawing(window).add("population.lif", "c", (300, 333))
    window.run("edit.select_all")
    for edge in ("left", "right", "top", "bottom", "centre", "middle"):
        window.run(f"arrange.align_{edge}")
        assert canvas(window).session.history.done[-1].label == "Align"
        canvas(window).session.undo()
    window.run("arrange.distribute_across")
    window.run("arrange.distribute_down")
    assert canvas(window).session.history.done[-1].label == "Distribute"


def test_wires_are_straightened_and_deleted(window: MainWindow) -> None:
    d, session = drawing(window), canvas(window).session
    wire = sorted(d.wires)[0]
    d.edit("point", wiring.add_point(d, wire, (100, 100), 0))
    session.select([wire])
    window.run("wire.straighten")
    assert wiring.points(d, wire) == []
    press(window, Qt.Key.Key_Delete)
    assert wire not in d.wires


def test_swapping(window: MainWindow) -> None:
    d = drawing(window)
    c = d.add("population.cuba", "c", (900, 0))
    canvas(window).session.select([B, c])
    window.run("node.swap")
    assert d.layout[B]["at"] == [900, 0]
    assert any(w.target.node == c for w in d.wires.values())


def choose_at(window: MainWindow, at: QPointF, title: str) -> None:
    """Open the menu at a place of the scene, move to an entry far from it, and click that."""
    view = canvas(window)
    viewport, pixel = view.viewport(), view.mapFromScene(at)
    opening = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, pixel, viewport.mapToGlobal(pixel))
    QApplication.sendEvent(viewport, opening)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    entry = next(entry for entry in menu.actions() if entry.text().replace("&", "").startswith(title))
    place = menu.actionGeometry(entry).center()
    QCursor.setPos(menu.mapToGlobal(place))
    QTest.mouseMove(menu, place)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def test_what_the_menu_adds_lies_where_it_was_opened(window: MainWindow) -> None:
    view, d = canvas(window), drawing(window)
    view.session.select([B])
    press(window, Qt.Key.Key_C, CTRL)
    view.centre_on(QPointF(400, 500))
    choose_at(window, QPointF(160, 400), "Comment")
    (comment,) = [place for place in d.layout.values() if "comment" in place]
    assert comment["at"] == [160, 400]
    choose_at(window, QPointF(320, 640), "Paste")
    assert d.layout[d.find("b_2")]["at"] == [320, 640]
    choose_at(window, QPointF(480, 300), "Add node")
    found = QApplication.activePopupWidget()
    assert isinstance(found, Search)
    QTest.keyClicks(found.field, "lif")
    QTest.keyClick(found.field, Qt.Key.Key_Return)
    x, y = d.layout[d.find("lif")]["at"]
    assert x == 480
    assert abs(y - 300) <= 2 * GRID


def test_after_the_menu_the_pointer_counts_again(window: MainWindow) -> None:
    view = canvas(window)
    view.centre_on(QPointF(400, 500))
    choose_at(window, QPointF(160, 400), "Select all")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCursor.setPos(view.viewport().mapToGlobal(QPoint(40, 40)))
    assert view.pointer_place() == view.mapToScene(QPoint(40, 40))
