"""Changing values and names where they are painted on a node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from engine.document import Document, dumps
from nodes import registry
from studio.canvas.face import face_of
from studio.canvas.node import NodeItem
from studio.canvas.overlay import NAME, Overlay, spots, value_at
from studio.canvas.view import CanvasView
from studio.session import Session


@pytest.fixture
def session(open_session) -> Session:  # type: ignore[no-untyped-def]
    document = Document.new("One", dt_ms=1.0)
    document.add("population.lif", name="cells", at=[0, 0], size=[3])
    document.add("projection.dense", name="weights", at=[0, 200])
    return open_session(document)


@pytest.fixture
def view(qtbot: QtBot, session: Session) -> Iterator[CanvasView]:
    view = CanvasView(session)
    qtbot.addWidget(view)
    view.resize(700, 500)
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    view.setFocus()
    yield view
    view.close()


def place(view: CanvasView, node: str, name: str) -> QPoint:
    """Where a value is painted, in the viewport."""
    key = view.session.document.find(node)
    item, record = view.canvas.items_by_id[key], view.session.document.nodes[key]
    assert isinstance(item, NodeItem)
    area = dict(spots(item.face, record.type, record.params))[name]
    return view.mapFromScene(item.pos() + area.center())


def opened(view: CanvasView) -> list[Overlay]:
    return [found for found in view.viewport().findChildren(Overlay) if found.isVisible()]


def line_of(view: CanvasView) -> QLineEdit:
    (overlay,) = opened(view)
    line = overlay.findChild(QLineEdit)
    assert isinstance(line, QLineEdit)
    return line


def test_a_double_click_on_a_value_edits_that_value(qtbot: QtBot, session: Session, view: CanvasView) -> None:
    cells = session.document.find("cells")
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", "tau_mem"))
    line = line_of(view)
    assert line.text() == "20"
    qtbot.keyClicks(line, "35m")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert session.document.nodes[cells].params["tau_mem"] == 35.0
    assert opened(view) == []
    assert len(session.history.done) == 1
    assert view.hasFocus()


def test_a_double_click_on_the_name_renames(qtbot: QtBot, session: Session, view: CanvasView) -> None:
    cells = session.document.find("cells")
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", NAME))
    qtbot.keyClicks(line_of(view), "output")
    qtbot.keyClick(line_of(view), Qt.Key.Key_Return)
    assert session.document.nodes[cells].name == "output"


@pytest.mark.parametrize("key", [Qt.Key.Key_F2, Qt.Key.Key_Return])
def test_a_key_renames_the_selected_node(
    qtbot: QtBot, session: Session, view: CanvasView, key: Qt.Key
) -> None:
    session.select([session.document.find("weights")])
    qtbot.keyClick(view, key)
    assert line_of(view).text() == "weights"
    qtbot.keyClick(line_of(view), Qt.Key.Key_Escape)
    assert opened(view) == []


def test_esc_gives_up_what_is_typed(qtbot: QtBot, session: Session, view: CanvasView) -> None:
    before = dumps(session.document)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", "v_th"))
    qtbot.keyClicks(line_of(view), "9")
    qtbot.keyClick(line_of(view), Qt.Key.Key_Escape)
    assert dumps(session.document) == before
    assert opened(view) == []
    assert view.hasFocus()


def test_leaving_takes_what_is_typed(qtbot: QtBot, session: Session, view: CanvasView) -> None:
    cells = session.document.find("cells")
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", "v_th"))
    qtbot.keyClicks(line_of(view), "1.5")
    view.setFocus()
    assert session.document.nodes[cells].params["v_th"] == 1.5
    assert opened(view) == []


def test_what_cannot_stand_is_told_and_the_editor_stays(
    qtbot: QtBot, session: Session, view: CanvasView
) -> None:
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", "tau_mem"))
    qtbot.keyClicks(line_of(view), "0")
    qtbot.keyClick(line_of(view), Qt.Key.Key_Return)
    (overlay,) = opened(view)
    assert "at least 0.01 ms" in overlay.problem.text()
    assert session.history.done == []
    qtbot.keyClicks(line_of(view), ".5")
    qtbot.keyClick(line_of(view), Qt.Key.Key_Return)
    assert opened(view) == []
    assert len(session.history.done) == 1


def test_the_editor_goes_with_its_node(qtbot: QtBot, session: Session, view: CanvasView) -> None:
    from engine.document.ops import delete_nodes

    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", "v_th"))
    qtbot.keyClicks(line_of(view), "3")
    session.edit("Delete", delete_nodes(session.document, [session.document.find("cells")]))
    assert opened(view) == []


def test_the_editor_follows_the_view(qtbot: QtBot, session: Session, view: CanvasView) -> None:
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place(view, "cells", "v_th"))
    (overlay,) = opened(view)
    before = overlay.pos()
    view.pan_by(QPoint(0, 40))
    assert overlay.pos() == before + QPoint(0, 40)


def test_every_value_that_is_painted_can_be_found() -> None:
    """The numbers on the face of a node are spots, and their text is that of the parameter."""
    document = Document.new("All")
    for type, spec in registry.all().items():
        id = document.add(type, name="x")
        record, face = document.nodes[id], face_of(document, id)
        found = spots(face, type, record.params)
        assert found[0][0] == NAME
        assert all(name == NAME or name in spec.params for name, _ in found)
        for name, area in found:
            assert value_at(face, type, record.params, area.center()) == name
    lif = document.add("population.lif", name="cells", size=[3])
    names = [name for name, _ in spots(face_of(document, lif), "population.lif", document.nodes[lif].params)]
    assert {"tau_mem", "v_th", "size"} <= set(names)
    assert value_at(face_of(document, lif), "population.lif", {}, QPointF(-50, -50)) is None
