"""The library: categories, search, favourites, recently used, adding and dragging."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDrag
from pytestqt.qtbot import QtBot

from engine.document import Document
from nodes import registry
from studio.canvas.view import CanvasView
from studio.library.tree import MIME, TYPE
from studio.panels.library import FAVOURITES, RECENT, Library
from studio.session import Session
from studio.workspace import Workspace


@pytest.fixture
def session(workspace: Workspace) -> Session:
    session = Session(Document.new("Empty"))
    workspace.add(session)
    return session


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYELIN_HOME", str(tmp_path))


@pytest.fixture
def library(qtbot: QtBot, workspace: Workspace, session: Session) -> Iterator[Library]:
    panel = Library(workspace)
    qtbot.addWidget(panel)
    panel.resize(250, 1500)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    yield panel
    panel.close()


def shown(library: Library) -> dict[str, list[str]]:
    tree = library.tree
    heads = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {
        head.text(0): [head.child(i).data(0, TYPE) for i in range(head.childCount())]
        for head in heads
        if head
    }


def centre_of(library: Library, type: str) -> QPoint:
    tree = library.tree
    heads = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    items = [head.child(i) for head in heads if head for i in range(head.childCount())]
    item = next(item for item in items if item.data(0, TYPE) == type)
    return tree.visualItemRect(item).center()


def test_everything_is_there_once_by_category(library: Library) -> None:
    found = shown(library)
    assert list(found)[:3] == ["Populations", "Projections", "Delays"]
    assert sorted(type for types in found.values() for type in types) == sorted(registry.all())
    for type in registry.all():
        assert type in found[registry.all()[type].category]


def test_search_ranks_and_enter_adds_the_first(qtbot: QtBot, session: Session, library: Library) -> None:
    library.search.setFocus()
    qtbot.keyClicks(library.search, "lif")
    assert shown(library)["Found"][0] == "population.lif"
    with qtbot.waitSignal(session.node_wanted) as told:
        qtbot.keyClick(library.search, Qt.Key.Key_Return)
    assert told.args == ["population.lif"]
    qtbot.keyClick(library.search, Qt.Key.Key_Escape)
    assert "Populations" in shown(library)
    qtbot.keyClicks(library.search, "no such node")
    assert library.empty.isVisible()


def test_down_leads_into_the_list(qtbot: QtBot, session: Session, library: Library) -> None:
    library.search.setFocus()
    qtbot.keyClicks(library.search, "delays")
    qtbot.keyClick(library.search, Qt.Key.Key_Down)
    assert library.tree.hasFocus()
    qtbot.keyClick(library.tree, Qt.Key.Key_Down)
    with qtbot.waitSignal(session.node_wanted) as told:
        qtbot.keyClick(library.tree, Qt.Key.Key_Return)
    assert told.args == [shown(library)["Found"][1]]


def test_a_double_click_adds_in_the_middle_of_the_canvas(
    qtbot: QtBot, session: Session, library: Library
) -> None:
    view = CanvasView(session)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    for _ in range(2):
        at = centre_of(library, "population.lif")
        qtbot.mouseClick(library.tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseDClick(library.tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert [node.type for node in session.document.nodes.values()] == ["population.lif"] * 2
    first, second = (session.document.layout[id]["at"] for id in session.document.nodes)
    assert first != second
    assert len(session.history.done) == 2
    (chosen,) = session.selection
    assert view.visible_area().contains(view.canvas.node_rect(chosen).center())
    view.close()


def test_favourites_and_recent_nodes_are_remembered(
    qtbot: QtBot, workspace: Workspace, session: Session, library: Library
) -> None:
    menu = library.menu_for(registry.all()["population.alif"], QPoint())
    next(action for action in menu.actions() if "favourites" in action.text()).trigger()
    session.document.add("encoder.poisson")
    assert shown(library)[FAVOURITES] == ["population.alif"]
    assert shown(library)[RECENT] == ["encoder.poisson"]
    session.undo()
    session.redo()
    session.document.add("population.lif")
    assert shown(library)[RECENT] == ["population.lif", "encoder.poisson"]
    again = Library(workspace)
    qtbot.addWidget(again)
    assert shown(again)[FAVOURITES] == ["population.alif"]
    assert shown(again)[RECENT] == ["population.lif", "encoder.poisson"]
    library.shelf.toggle("population.alif")
    assert FAVOURITES not in shown(library)


def test_what_is_folded_stays_folded(qtbot: QtBot, library: Library) -> None:
    head = library.tree.topLevelItem(0)
    assert head is not None
    head.setExpanded(False)
    library.search.setText("lif")
    found = library.tree.topLevelItem(0)
    assert found is not None
    assert found.isExpanded()
    library.search.clear()
    head = library.tree.topLevelItem(0)
    assert head is not None
    assert (head.text(0), head.isExpanded()) == ("Populations", False)


def test_a_drag_carries_the_type(qtbot: QtBot, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    dragged: list[tuple[bytes, str, bool]] = []

    def run(drag: QDrag, *given: object) -> Qt.DropAction:
        data = drag.mimeData()
        dragged.append((data.data(MIME).data(), data.text(), drag.pixmap().isNull()))
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", run)
    at, port = centre_of(library, "projection.dense"), library.tree.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=at)
    for x in (10, 30, 60):
        qtbot.mouseMove(port, at + QPoint(x, 0))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at + QPoint(60, 0))
    assert dragged
    assert dragged[0] == (b"projection.dense", "projection.dense", False)


def test_without_a_document_the_reason_is_told(
    qtbot: QtBot, workspace: Workspace, session: Session, library: Library
) -> None:
    workspace.close(session)
    with qtbot.waitSignal(workspace.message) as told:
        library.add("population.lif")
    assert "needs a canvas" in told.args[0]


def test_packages_that_cannot_be_loaded_are_one_line(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtWidgets import QLabel

    broken = (registry.Problem("myelin.nodes x", "myelin-x", "ImportError: y"),)
    monkeypatch.setattr(registry, "problems", lambda: broken)
    library = Library(workspace)
    qtbot.addWidget(library)
    texts = {label.text(): label.toolTip() for label in library.findChildren(QLabel)}
    assert (
        texts["Nodes of myelin-x are missing: the package cannot be loaded."]
        == "myelin.nodes x: ImportError: y"
    )
