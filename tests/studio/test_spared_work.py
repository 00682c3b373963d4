"""What is not done again when nothing has changed for it, which a thousand nodes would make long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from engine.document import Document
from engine.document.ops import delete_nodes, set_op
from studio.canvas.scene import CanvasScene
from studio.panels.plots import Board
from studio.session import Session
from tests.studio.drawings import chain, grouped

Open = Callable[[Document], Session]


@pytest.mark.parametrize(
    ("path", "value", "arranged"),
    [
        (["nodes", "c", "params", "tau_mem"], 12.0, False),
        (["nodes", "c", "note"], "words", False),
        (["meta", "seed"], 3, False),
        (["layout", "c", "at"], [500, 80], True),
        (["layout", "nw"], {"points": [[100, 200]]}, True),
    ],
)
def test_the_map_is_drawn_anew_only_for_what_it_shows(
    qtbot: QtBot, open_session: Open, path: list[str], value: object, arranged: bool
) -> None:
    session = open_session(chain())
    scene, told = CanvasScene(session), list[None]()
    scene.arranged.connect(lambda: told.append(None))
    session.edit("Change", [set_op(path, value)])
    assert bool(told) == arranged
    scene.deleteLater()


def test_what_comes_and_goes_is_told(qtbot: QtBot, open_session: Open) -> None:
    session = open_session(grouped())
    scene, told = CanvasScene(session), list[None]()
    scene.arranged.connect(lambda: told.append(None))
    for change in (
        lambda: session.edit("Fold", [set_op(["layout", "g", "collapsed"], True)]),
        lambda: session.enter("g"),
        lambda: session.enter(None),
        lambda: session.edit("Delete", delete_nodes(session.document, ["n"])),
        lambda: session.undo(),
    ):
        told.clear()
        change()
        assert told
    scene.deleteLater()


def test_suggestions_stay_while_they_are_the_same(qtbot: QtBot, open_session: Open) -> None:
    session = open_session(chain())
    board = Board(session)
    qtbot.addWidget(board)

    def buttons() -> list[QPushButton]:
        return [button for button in board._empty.findChildren(QPushButton) if not button.isHidden()]

    before = buttons()
    assert [button.text() for button in before] == ["Spike raster of cells", "Spike raster of noise"]
    session.edit("Set", [set_op(["nodes", "c", "params", "tau_mem"], 12.0)])
    assert buttons() == before
    session.edit("Rename", [set_op(["nodes", "c", "name"], "others")])
    assert [button.text() for button in buttons()] == ["Spike raster of others", "Spike raster of noise"]
    board.release()
