"""Documents and files: save, close, prompts, recent files, changes from outside, broken files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from engine.document import Document, dumps, journal_path, load, save
from studio.dialogs import ask
from studio.notice import Notice
from studio.session import Session
from studio.window import MainWindow

BROKEN = Path(__file__).parents[1] / "fixtures" / "broken"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    document = Document.new("Two")
    document.add("population.lif", name="cells")
    save(document, tmp_path / "two.myelin")
    return tmp_path / "two.myelin"


def opened(window: MainWindow, path: Path) -> Session:
    session = window.files.open(path)
    assert session is not None
    return session


def answer(qtbot: QtBot, title: str) -> Callable[[], list[str]]:
    """Press the button with this title in the dialog that is about to open."""
    asked: list[str] = []

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog)
        asked.append(dialog.text() if isinstance(dialog, QMessageBox) else dialog.windowTitle())
        button = next(one for one in dialog.findChildren(QPushButton) if one.text().replace("&", "") == title)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, press)
    return lambda: asked


def said(window: MainWindow) -> list[str]:
    lines: list[str] = []
    window.workspace.message.connect(lines.append)
    return lines


def test_saving_by_key_writes_the_file_and_ends_the_star(
    window: MainWindow, qtbot: QtBot, file: Path
) -> None:
    session = opened(window, file)
    session.document.add("population.lif", name="more")
    page = window.tabs.page(session)
    assert page is not None
    assert window.tabs.tabText(window.tabs.indexOf(page)) == "two *"
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.tabText(window.tabs.indexOf(page)) == "two"
    assert dumps(load(file)) == dumps(session.document)


def test_an_unsaved_document_asks_for_a_place(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = window.files.new()
    monkeypatch.setattr(ask, "save_path", lambda parent, start: tmp_path / "fresh.myelin")
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert session.path == tmp_path / "fresh.myelin"
    assert window.files.recent == [tmp_path / "fresh.myelin"]
    assert journal_path(tmp_path / "fresh.myelin").exists()
    window.files.close(session)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["fresh.myelin"]


def test_a_folder_that_cannot_be_written_costs_a_sentence_only(window: MainWindow, tmp_path: Path) -> None:
    session = window.files.new()
    session.document.add("population.lif")
    lines = said(window)
    assert not window.files.save_at(session, tmp_path / "missing" / "x.myelin")
    assert session.dirty
    assert session.path is None
    assert "x.myelin" in lines[-1]


@pytest.mark.parametrize(
    ("title", "closes", "kept"), [("Save", True, True), ("Discard", True, False), ("Cancel", False, False)]
)
def test_closing_a_changed_document_asks(
    window: MainWindow, qtbot: QtBot, file: Path, title: str, closes: bool, kept: bool
) -> None:
    session = opened(window, file)
    session.document.add("population.lif", name="more")
    asked = answer(qtbot, title)
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert asked() == ["Save the changes to two?"]
    assert (session not in window.workspace.sessions) == closes
    assert ("more" in load(file).names()) == kept


def test_cancel_in_the_second_question_keeps_every_document(
    window: MainWindow, qtbot: QtBot, file: Path
) -> None:
    for session in (opened(window, file), window.files.new()):
        session.document.add("population.lif")
    answers = iter([ask.DISCARD, ask.CANCEL])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ask, "close", lambda parent, session: next(answers))
        assert not window.close()
    assert len(window.workspace.sessions) == 2
    assert window.isVisible()


@pytest.mark.usefixtures("qtbot")
def test_an_unchanged_document_closes_without_a_question(window: MainWindow, file: Path) -> None:
    session = opened(window, file)
    assert window.files.close(session)
    assert not journal_path(file).exists()
    assert window.tabs.currentWidget() is window.tabs.welcome


def test_a_file_is_opened_once_and_two_tabs_never_save_to_one(window: MainWindow, file: Path) -> None:
    session = opened(window, file)
    other = window.files.new()
    assert window.workspace.current is other
    assert window.files.open(file.parent / "." / "two.myelin") is session
    assert window.workspace.current is session
    lines = said(window)
    assert not window.files.save_at(other, file)
    assert "another tab" in lines[-1]


def test_a_gallery_project_opens_as_a_copy(window: MainWindow, qtbot: QtBot) -> None:
    card = window.tabs.welcome.cards[0]
    assert card.project.title == "Coincidence detector"
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    session = window.workspace.current
    assert session is not None
    assert session.path is None
    assert session.folder == card.project.path.parent
    assert not session.dirty
    assert not journal_path(card.project.path).exists()


def test_revert_opens_what_was_saved(window: MainWindow, file: Path) -> None:
    session = opened(window, file)
    before = dumps(session.document)
    session.document.add("population.lif")
    window.run("file.revert")
    assert window.workspace.current is not session
    assert window.workspace.current is not None
    assert dumps(window.workspace.current.document) == before


def test_no_broken_file_gives_more_than_a_sentence(window: MainWindow, tmp_path: Path) -> None:
    lines = said(window)
    for path in sorted(BROKEN.glob("*.myelin")):
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        lines.clear()
        session = window.files.open(copy)
        if session is None:
            assert len(lines) == 1, path.name
            assert path.name in lines[0]
            assert "\n" not in lines[0]
            assert window.statusBar().currentMessage() == lines[0]
            assert not journal_path(copy).exists()
        else:
            window.files.close(session)
        assert copy.read_bytes() == path.read_bytes()


def test_a_file_that_is_gone_is_greyed_in_the_recent_list(window: MainWindow, file: Path) -> None:
    opened(window, file)
    file.unlink()
    window.run("window.welcome")
    window.recent.aboutToShow.emit()
    assert not window.recent.actions()[0].isEnabled()
    assert not window.tabs.welcome.recent_buttons()[0].isEnabled()


def test_documents_dropped_on_the_window_open(window: MainWindow, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)), QUrl.fromLocalFile("/etc/hosts")])
    keys = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, keys)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    button, action = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
    window.dropEvent(QDropEvent(QPointF(9, 9), action, data, button, keys))
    assert [session.path for session in window.workspace.sessions] == [file]


def change_outside(path: Path, title: str) -> None:
    tree = json.loads(path.read_text())
    tree["meta"]["title"] = title
    path.write_text(json.dumps(tree))


def test_a_change_from_outside_offers_to_reload(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    session = opened(window, file)
    with qtbot.waitSignal(window.files.watch.changed):
        change_outside(file, "changed")
    page = window.tabs.page(session)
    assert page is not None
    notice = page.findChild(Notice)
    assert notice is not None
    assert "two.myelin" in notice.label.text()
    reload = next(one for one in notice.findChildren(QPushButton) if one.text() == "Reload")
    qtbot.mouseClick(reload, Qt.MouseButton.LeftButton)
    assert window.workspace.current is not None
    assert window.workspace.current.document.meta["title"] == "changed"


def test_keeping_mine_leaves_it_to_save(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    session = opened(window, file)
    session.document.add("population.lif", name="mine")
    with qtbot.waitSignal(window.files.watch.changed):
        change_outside(file, "changed")
    page = window.tabs.page(session)
    assert page is not None
    notice = page.findChild(Notice)
    assert notice is not None
    keep = next(one for one in notice.findChildren(QPushButton) if one.text() == "Keep mine")
    qtbot.mouseClick(keep, Qt.MouseButton.LeftButton)
    assert session.dirty
    assert window.files.save(session)
    assert "mine" in load(file).names()
    assert load(file).meta["title"] == "Two"


def test_our_own_saves_are_no_change_from_outside(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    session = opened(window, file)
    with qtbot.assertNotEmitted(window.files.watch.changed, wait=400):
        for name in ("a", "b"):
            session.document.add("population.lif", name=name)
            assert window.files.save(session)


def test_corrupt_settings_are_survived(home: Path, qtbot: QtBot) -> None:
    (home / "studio.ini").write_bytes(
        b"\x00\xff[window]\ngeometry=@ByteArray(nonsense)\ndocks=7\n[%%\ntheme=\n"
    )
    made = MainWindow()
    qtbot.addWidget(made)
    made.show()
    assert made.files.recent == []
    assert made.close()
    assert made.settings.text("theme", "system") in ("", "system")


def test_panels_have_their_sizes_with_the_first_document(home: Path, qtbot: QtBot) -> None:
    for _ in range(2):
        made = MainWindow()
        qtbot.addWidget(made)
        made.resize(1300, 800)
        made.show()
        assert made.close()
    last = MainWindow()
    qtbot.addWidget(last)
    last.resize(1300, 800)
    last.show()
    session = last.files.new()
    qtbot.waitUntil(lambda: last.docks.docks["library"].width() >= 200)
    qtbot.waitUntil(lambda: last.docks.docks["inspector"].width() >= 300)
    last.workspace.close(session)
    last.close()


def test_layout_is_remembered(home: Path, qtbot: QtBot) -> None:
    first = MainWindow()
    qtbot.addWidget(first)
    first.show()
    first.files.new()
    first.resize(700, 500)
    first.docks.toggle("library")
    assert not first.docks.is_open("library")
    assert first.close()
    second = MainWindow()
    qtbot.addWidget(second)
    second.show()
    session = second.files.new()
    assert not second.docks.is_open("library")
    assert second.docks.is_open("inspector")
    assert second.size() == first.size()
    second.workspace.close(session)
    second.close()


def test_a_save_that_fails_stays_on_show_until_it_works(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = window.files.new()
    place = tmp_path / "full" / "mine.myelin"
    assert not window.files.save_at(session, place)
    page = window.tabs.page(session)
    assert page is not None
    (notice,) = page.findChildren(Notice)
    assert "cannot save" in notice.label.text().lower()
    assert session.dirty or session.path is None
    place.parent.mkdir()
    again = next(button for button in notice.findChildren(QPushButton) if button.text() == "Try again")
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    assert place.exists()
    assert not page.findChildren(Notice)
