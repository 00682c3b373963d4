"""The table of actions: one key for one thing, a line of help for each, greyed out as it should be."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDockWidget, QStyleOptionDockWidget, QTabBar, QToolButton
from pytestqt.qtbot import QtBot

from engine.document import Document
from studio import actions
from studio.actions import Action
from studio.menus import keys_of
from studio.session import Session
from studio.theme import ICONS
from studio.window import MainWindow

TABLE = list(actions.table().values())
AT_REST = {"run.play": True, "run.pause": False, "run.step": True, "run.stop": False, "train.stop": False}


def test_no_key_means_two_things() -> None:
    """The canvas's own keys too: while it has the focus, those of the window count as well."""
    form = QKeySequence.SequenceFormat.PortableText
    keys = Counter(key.toString(form) for declared in TABLE for key in keys_of(declared))
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("declared", TABLE, ids=lambda declared: declared.id)
def test_every_action_says_what_it_does(declared: Action) -> None:
    assert declared.help.endswith((".", ")."))
    assert declared.help != declared.title
    assert not declared.icon or (ICONS / f"{declared.icon}.svg").is_file()
    assert not declared.toolbar or declared.icon
    assert declared.scope in ("window", "canvas")


@pytest.mark.parametrize("declared", TABLE, ids=lambda declared: declared.id)
def test_no_condition_fails_without_a_document(window: MainWindow, declared: Action) -> None:
    assert isinstance(declared.when(window), bool)
    assert declared.checked is None or isinstance(declared.checked(window), bool)


def buttons(window: MainWindow) -> dict[str, QToolButton]:
    found = {id: window.menus.toolbar.widgetForAction(entry) for id, entry in window.menus.actions.items()}
    return {id: button for id, button in found.items() if isinstance(button, QToolButton)}


def states(window: MainWindow) -> dict[str, bool]:
    return {id: button.isEnabled() for id, button in buttons(window).items()}


def test_what_can_be_done_while_it_runs(qtbot: QtBot, window: MainWindow) -> None:
    session = Session(Document.new("Two"))
    window.workspace.add(session)
    runner = session.runner
    assert {id: states(window)[id] for id in AT_REST} == AT_REST
    for state, wanted in {
        "running": {"run.play": False, "run.pause": True, "run.stop": True},
        "paused": {"run.play": True, "run.pause": False, "run.stop": True},
        "training": {"run.play": False, "run.pause": False, "run.stop": True, "train.start": False},
        "off": AT_REST,
    }.items():
        runner._go(state)
        assert {id: states(window)[id] for id in wanted} == wanted, state
    runner._go("running")
    runner._set_stale(True)
    assert states(window)["run.play"]  # from the beginning, with the drawing as it is now
    runner._set_stale(False)
    runner._go("off")


def test_a_title_that_a_tab_shows_is_not_shown_twice(qtbot: QtBot, window: MainWindow) -> None:
    window.workspace.add(Session(Document.new("Two")))
    problems, library = window.docks.docks["problems"], window.docks.docks["library"]
    qtbot.waitUntil(library.isVisible)

    def shown(dock: QDockWidget) -> str:
        option = QStyleOptionDockWidget()
        dock.initStyleOption(option)
        return option.title

    assert shown(library) == "Library"
    assert shown(problems) == ""
    problems.setFloating(True)
    assert shown(problems) == "Problems"
    problems.setFloating(False)
    window.docks.panels["problems"].setWindowTitle("Problems (3)")
    assert problems.windowTitle() == "Problems (3)"
    qtbot.waitUntil(lambda: any("Problems (3)" in texts(bar) for bar in window.findChildren(QTabBar)))


def texts(bar: QTabBar) -> list[str]:
    return [bar.tabText(index) for index in range(bar.count())]
