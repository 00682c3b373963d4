"""F2, Enter and double clicks: nodes, frames, comments and groups are written in where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from engine.document import Document
from engine.document.ops import set_op
from studio.canvas.overlay import Overlay
from studio.canvas.view import CanvasView
from studio.canvas.writer import Writer
from studio.session import Session
from tests.studio.drawings import chain, grouped

KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter)
NOTE = {"at": [0, 300], "size": [220, 90], "comment": "old"}
FRAME = {"at": [-60, -80], "size": [900, 360], "frame": "old"}


@pytest.fixture
def make(
    qtbot: QtBot, open_session: Callable[[Document], Session]
) -> Iterator[Callable[[Document], CanvasView]]:
    views: list[CanvasView] = []

    def made(document: Document) -> CanvasView:
        document.edit("Notes", [set_op(["layout", "note"], NOTE), set_op(["layout", "frame"], FRAME)])
        view = CanvasView(open_session(document))
        qtbot.addWidget(view)
        view.resize(1200, 800)
        view.show()
        view.activateWindow()
        view.setFocus()
        view.set_zoom(1.0)
        view.centre_on(QPointF(300, 150))
        views.append(view)
        return view

    yield made
    for view in views:
        view.close()


def open_fields(view: CanvasView) -> list[QWidget]:
    return [found for kind in (Writer, Overlay) for found in view.findChildren(kind) if found.isVisible()]


def write(field: QWidget, text: str) -> None:
    """Replace what is there, and take it."""
    line = field.findChild(QLineEdit) or field if isinstance(field, Overlay) else field
    QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def named(document: Document, key: str) -> str:
    if key in document.nodes:
        return document.nodes[key].name
    if key in document.groups:
        return str(document.groups[key]["name"])
    return str(document.layout[key].get("comment", document.layout[key].get("frame")))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("what", ["n", "note", "frame", "g"])
def test_a_key_writes_in_what_is_selected(
    make: Callable[[Document], CanvasView], what: str, key: Qt.Key
) -> None:
    view = make(grouped())
    view.session.select([what])
    QTest.keyClick(view, key)
    (field,) = open_fields(view)
    assert isinstance(field, Overlay if what == "n" else Writer)
    write(field, "new")
    assert named(view.session.document, what) == "new"
    assert [
        other for other in ("n", "note", "frame", "g") if named(view.session.document, other) == "new"
    ] == [what]
    assert len(view.session.history.done) == 1


@pytest.mark.parametrize("chosen", [["n", "frame"], ["n", "note"], ["note", "frame"], ["n", "c"], ["g", "n"]])
def test_of_several_things_none_is_written_in(
    make: Callable[[Document], CanvasView], chosen: list[str]
) -> None:
    view = make(grouped())
    view.session.select(chosen)
    QTest.keyClick(view, Qt.Key.Key_F2)
    assert open_fields(view) == []


def test_a_wire_selected_along_is_no_hindrance(make: Callable[[Document], CanvasView]) -> None:
    view = make(chain())
    for what, kind in (("n", Overlay), ("note", Writer)):
        view.session.select([what, "nw"])
        QTest.keyClick(view, Qt.Key.Key_F2)
        (field,) = open_fields(view)
        assert isinstance(field, kind)
        QTest.keyClick(view.focusWidget() or field, Qt.Key.Key_Escape)


def double_click(view: CanvasView, at: QPointF) -> None:
    pixel = view.mapFromScene(at)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, pixel)


def test_a_double_click_writes_in_what_lies_on_top(make: Callable[[Document], CanvasView]) -> None:
    view = make(chain())
    rect = view.canvas.node_rect
    double_click(view, rect("n").topLeft() + QPointF(30, 14))  # the name of a node that lies in the frame
    (field,) = open_fields(view)
    assert isinstance(field, Overlay)
    write(field, "new")
    assert view.session.document.nodes["n"].name == "new"
    for what, at in (("frame", QPointF(30, 10)), ("note", QPointF(40, 40))):
        double_click(view, rect(what).topLeft() + at)
        (field,) = open_fields(view)
        assert isinstance(field, Writer)
        write(field, "new")
        assert named(view.session.document, what) == "new"


def test_a_double_click_on_a_group_enters_it(make: Callable[[Document], CanvasView]) -> None:
    view = make(grouped(collapsed=True))
    double_click(view, view.canvas.node_rect("g").center())
    assert open_fields(view) == []
    assert view.session.scope == "g"


def test_from_afar_a_double_click_names_the_node(make: Callable[[Document], CanvasView]) -> None:
    view = make(chain())
    view.set_zoom(0.6)
    double_click(view, view.canvas.node_rect("c").center())
    (field,) = open_fields(view)
    write(field, "new")
    assert view.session.document.nodes["c"].name == "new"
