"""The window: documents in tabs, titles, menus and shortcuts from the table of actions, docks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.window import MainWindow


def test_it_begins_on_the_welcome_page(window: MainWindow) -> None:
    assert window.canvas is None
    assert window.workspace.current is None
    assert window.tabs.currentWidget() is window.tabs.welcome
    assert window.windowTitle() == "Myelin Studio"


def test_a_shortcut_opens_a_document_and_the_title_tells_of_changes(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    qtbot.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
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
