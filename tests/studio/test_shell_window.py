"""The window: documents in tabs, titles, menus, palette and shortcuts from the table of actions, docks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from engine.document.ops import set_op
from studio import actions, fuzzy
from studio.app import _Hook
from studio.dialogs.about import About
from studio.dialogs.palette import Palette, ranked
from studio.dialogs.preferences import Preferences
from studio.dialogs.shortcuts import Shortcuts
from studio.menus import keys_of
from studio.panels.history import History
from studio.panels.log import Log
from studio.session import Session
from studio.theme import theme
from studio.window import MainWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def retitle(session: Session, title: str) -> None:
    assert session.edit(f"Call it {title}", [set_op(["meta", "title"], title)])


def test_it_begins_on_the_welcome_page(window: MainWindow) -> None:
    assert window.canvas is None
    assert window.workspace.current is None
    assert window.tabs.currentWidget() is window.tabs.welcome
    assert window.windowTitle() == "Myelin Studio"
    assert not any(dock.isVisible() for dock in window.docks.docks.values())
    titles = [card.project.title for card in window.tabs.welcome.cards]
    assert titles[0] == "Coincidence detector"
    assert len(titles) >= 6
    assert all(card.project.words for card in window.tabs.welcome.cards)


def test_the_welcome_page_is_reached_by_keys(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    window.tabs.welcome.new.setFocus()
    reached = set()
    for _ in range(40):
        focused = window.focusWidget()
        reached.add(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert {window.tabs.welcome.open, *window.tabs.welcome.cards} <= reached
    qtbot.keyClick(window.tabs.welcome.cards[1], Qt.Key.Key_Return)
    assert window.workspace.current is not None
    assert window.workspace.current.title == window.tabs.welcome.cards[1].project.title


def test_a_narrow_welcome_page_stands_in_one_column(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(520, 560)
    welcome = window.tabs.welcome
    qtbot.waitUntil(lambda: welcome.width() < 560)
    page = welcome.widget()
    assert page is not None
    qtbot.waitUntil(lambda: page.width() <= welcome.viewport().width())
    bottom = welcome.new.mapTo(page, QPoint(0, welcome.new.height()))
    assert welcome.cards[0].mapTo(page, QPoint(0, 0)).y() > bottom.y()


def test_a_shortcut_opens_a_document_and_the_title_tells_of_changes(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    qtbot.keyClick(window, Qt.Key.Key_N, CTRL)
    session = window.workspace.current
    assert session is not None
    assert window.canvas is not None
    assert "[*]" in window.windowTitle()
    assert not window.isWindowModified()
    session.document.add("population.lif")
    assert window.isWindowModified()
    assert window.files.save_at(session, tmp_path / "two.myelin")
    assert not window.isWindowModified()
    assert window.windowTitle().startswith("two[*]")


def test_tabs_and_sessions_stay_in_step(window: MainWindow, qtbot: QtBot) -> None:
    first, second = window.files.new(), window.files.new()
    page = window.tabs.page(first)
    assert page is not None
    bar = window.tabs.tabBar()
    place = bar.tabRect(window.tabs.indexOf(page)).center()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
    assert window.workspace.current is first
    window.workspace.bring_to_front(second)
    assert window.tabs.page(second) is window.tabs.currentWidget()
    window.run("window.welcome")
    assert window.workspace.current is None
    assert not window.docks.docks["inspector"].isVisible()
    qtbot.keyClick(window, Qt.Key.Key_PageDown, CTRL)
    assert window.workspace.current is first
    assert window.docks.docks["inspector"].isVisible()


def test_no_two_actions_share_a_key_or_lack_words(window: MainWindow) -> None:
    taken: dict[tuple[str, str], str] = {}
    for id, declared in actions.table().items():
        assert declared.help.endswith("."), id
        for key in keys_of(declared):
            assert not key.isEmpty(), id
            assert taken.setdefault((declared.scope, key.toString()), id) == id
    assert {"File", "Edit", "View", "Window", "Help"} <= window.menus.menus.keys()


def test_menus_are_enabled_as_things_stand(window: MainWindow) -> None:
    save = window.menus.actions["file.save"]
    assert not save.isEnabled()
    session = window.files.new()
    assert save.isEnabled()
    undo = window.menus.actions["edit.undo"]
    assert not undo.isEnabled()
    retitle(session, "Other")
    assert undo.isEnabled()
    undo.trigger()
    assert session.document.meta["title"] == "Untitled"
    window.workspace.close(session)
    assert not save.isEnabled()


def open_palette(window: MainWindow, qtbot: QtBot) -> Palette:
    qtbot.keyClick(window, Qt.Key.Key_P, CTRL | SHIFT)
    palette = window.findChild(Palette)
    assert palette is not None
    return palette


def test_the_palette_finds_and_runs_what_is_possible(window: MainWindow, qtbot: QtBot) -> None:
    palette = open_palette(window, qtbot)
    qtbot.keyClicks(palette.line, "save as")
    first = palette.list.topLevelItem(0)
    assert first is not None
    assert first.text(0) == "File: Save as"
    assert "Not possible now" in palette.help.text()
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert palette.isVisible()
    palette.line.clear()
    qtbot.keyClicks(palette.line, "nw")
    titles = [item.text(0) for item in palette.list.findItems("", Qt.MatchFlag.MatchContains)]
    qtbot.keyClick(palette.line, Qt.Key.Key_Down)
    qtbot.keyClick(palette.line, Qt.Key.Key_Up)
    assert "File: New" in titles
    palette.line.clear()
    qtbot.keyClicks(palette.line, "file: new")
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert len(window.workspace.sessions) == 1


def test_escape_leaves_the_palette_and_nonsense_finds_nothing(window: MainWindow, qtbot: QtBot) -> None:
    palette = open_palette(window, qtbot)
    qtbot.keyClicks(palette.line, "qqxyzzy")
    assert palette.list.topLevelItemCount() == 0
    assert "Nothing fits" in palette.help.text()
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    qtbot.keyClick(palette.line, Qt.Key.Key_Escape)
    assert window.workspace.sessions == []


def test_fuzzy_prefers_words_to_beginnings_to_scattered_letters() -> None:
    scores = [fuzzy.score("save", text) for text in ("Save", "Save as", "Autosave", "Select all valves ever")]
    assert all(score is not None for score in scores)
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
    assert fuzzy.score("xyz", "Save") is None
    assert next(declared.id for declared in ranked("Undo")) == "edit.undo"


def test_the_shortcuts_page_lists_and_searches_every_action(window: MainWindow, qtbot: QtBot) -> None:
    page = Shortcuts(window)
    page.show()
    rows = {row.text(0): row for group in page._children(page.tree.invisibleRootItem())
            for row in page._children(group)}  # fmt: skip
    assert len(rows) >= len({declared.title for declared in actions.table().values()})
    qtbot.keyClicks(page.line, "ctrl+s")
    assert not rows["Save"].isHidden()
    assert rows["New"].isHidden()
    page.close()


def test_the_theme_is_switched_and_remembered(window: MainWindow, qtbot: QtBot) -> None:
    before = theme.name
    page = Preferences(window)
    page.show()
    try:
        page.theme.setFocus()
        qtbot.keyClicks(page.theme, "L")
        assert theme.name == "light"
        assert window.settings.text("theme") == "light"
        assert window.menus.actions["window.theme.light"].isChecked()
        window.run("window.theme.dark")
        assert theme.name == "dark"
    finally:
        page.close()
        theme.use(before)


def test_about_copies_versions(window: MainWindow) -> None:
    page = About(window)
    next(one for one in page.findChildren(QLabel) if "PySide6" in one.text())
    page.deleteLater()


def test_panels_are_shown_toggled_and_put_back(window: MainWindow) -> None:
    window.files.new()
    assert isinstance(window.panel("history"), History)
    assert window.docks.is_open("history")
    assert window.menus.actions["window.panel.history"].isChecked()
    window.run("window.panel.history")
    assert not window.docks.is_open("history")
    window.docks.docks["inspector"].setFloating(True)
    window.run("window.reset")
    assert not window.docks.docks["inspector"].isFloating()


def test_history_marks_the_present_and_goes_where_one_clicks(window: MainWindow, qtbot: QtBot) -> None:
    session = window.files.new()
    panel = window.panel("history")
    assert isinstance(panel, History)
    for title in ("A", "B", "C"):
        retitle(session, title)
    labels = [panel.steps.label(row) for row in range(panel.steps.rowCount())]
    assert labels == ["Opened", "Call it A", "Call it B", "Call it C"]
    place = panel.view.visualRect(panel.steps.index(1)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.document.meta["title"] == "A"
    assert panel.steps.current == 1
    grey = panel.steps.data(panel.steps.index(3), Qt.ItemDataRole.ForegroundRole)
    assert grey == theme.colour("disabled")
    session.go_to(2)
    retitle(session, "D")
    assert [panel.steps.label(row) for row in range(panel.steps.rowCount())][-1] == "Call it D"
    assert panel.steps.rowCount() == 4


def test_history_of_thousands_of_steps_inserts_one_row_a_step(window: MainWindow, qtbot: QtBot) -> None:
    session = window.files.new()
    panel = window.panel("history")
    assert isinstance(panel, History)
    for number in range(1000):
        session.document.edit("Step", [set_op(["meta", "title"], str(number))])
    inserted: list[int] = []
    panel.steps.rowsInserted.connect(lambda parent, first, last: inserted.append(last - first + 1))
    with qtbot.assertNotEmitted(panel.steps.modelReset):
        retitle(session, "last")
    assert inserted == [1]


def test_the_log_keeps_messages_and_copies_them(window: MainWindow, qtbot: QtBot) -> None:
    window.workspace.message.emit("something happened")
    panel = window.panel("log")
    assert isinstance(panel, Log)
    assert panel.text.toPlainText().endswith("something happened")
    qtbot.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == panel.text.toPlainText()
    qtbot.mouseClick(panel.clear, Qt.MouseButton.LeftButton)
    assert panel.text.toPlainText() == ""


def test_an_unexpected_exception_is_a_sentence_and_work_goes_on(
    window: MainWindow, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = _Hook(window)
    try:
        raise KeyError("colour\nof nothing")
    except KeyError:
        hook(*sys.exc_info())  # type: ignore[arg-type]
    said = window.statusBar().currentMessage()
    assert "unexpected" in said
    assert "\n" not in said
    assert "Traceback" in capsys.readouterr().err
    assert QApplication.instance() is not None


def test_the_status_bar_tells_speed_and_progress(window: MainWindow) -> None:
    session = window.files.new()
    session.runner.meter.emit({"real_time": 2.125, "spikes_per_s": 12400.0, "memory": 300 * 2**20})
    assert (
        window.status.meter.text()
        == "2.12 × real time  ·  12\N{NARROW NO-BREAK SPACE}400 spikes/s  ·  300 MiB"
    )
    session.runner.progress.emit({"of": "run", "done": 30, "total": 120})
    assert window.status.progress.value() == 30
    assert window.status.progress.isVisible()
