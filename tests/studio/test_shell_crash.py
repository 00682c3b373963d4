"""After a crash: edits are offered, another window's journals are left alone, damage costs only itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.document import Document, History, Journal, dumps, journal_path, load, save
from studio import keeper
from studio.dialogs import ask
from studio.dialogs.recovery import Recovery
from studio.window import MainWindow

CRASH = """
import os, signal, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication, QWidget
from studio.files import Files
from studio.settings import Settings
from studio.workspace import Workspace
application = QApplication([])
window = QWidget()
files = Files(Workspace(window), Settings(), window)
for name in sys.argv[1:]:
    files.open(Path(name))
if not sys.argv[1:]:
    files.new()
for name in ("one", "two", "three"):
    files.workspace.current.document.add("population.lif", name=name)
print("edited", flush=True)
if os.environ.get("STAY"):
    sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(Document.new("Two"), tmp_path / "two.myelin")
    return tmp_path / "two.myelin"


def crash(*files: Path) -> None:
    """Another window edits and is killed."""
    done = subprocess.run([sys.executable, "-c", CRASH, *map(str, files)], capture_output=True, text=True)
    assert done.stdout == "edited\n", done.stderr


def in_recovery(qtbot: QtBot, press: str, untick: int | None = None) -> list[list[str]]:
    """Press a button of the recovery dialog that is about to open; its rows."""
    rows: list[list[str]] = []

    def act() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, Recovery)
        for number in range(dialog.tree.topLevelItemCount()):
            row = dialog.tree.topLevelItem(number)
            assert row is not None
            rows.append([row.text(column) for column in range(4)])
            if number == untick:
                row.setCheckState(0, Qt.CheckState.Unchecked)
        qtbot.mouseClick(getattr(dialog, press), Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, act)
    return rows


def names(window: MainWindow) -> set[str]:
    session = window.workspace.current
    return session.document.names() if session else set()


def test_edits_of_saved_and_unsaved_documents_come_back(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    crash(file)
    crash()
    rows = in_recovery(qtbot, "recover")
    window.files.recover_left()
    assert sorted((row[0], row[2]) for row in rows) == [("Untitled", "3"), ("two", "3")]
    assert {row[3] for row in rows} == {"never saved", str(file)}
    assert len(window.workspace.sessions) == 2
    for session in window.workspace.sessions:
        assert session.document.names() == {"one", "two", "three"}
        assert session.dirty
    recovered = window.files.session_of(file)
    assert recovered is not None
    assert load(file).names() == set()
    assert window.files.save(recovered)
    assert load(file).names() == {"one", "two", "three"}
    for session in list(window.workspace.sessions):
        window.workspace.close(session)
    assert keeper.left_behind() == []


def test_later_asks_again_and_discard_does_not(window: MainWindow, qtbot: QtBot) -> None:
    crash()
    in_recovery(qtbot, "later")
    window.files.recover_left()
    assert len(keeper.left_behind()) == 1
    in_recovery(qtbot, "discard")
    window.files.recover_left()
    assert keeper.left_behind() == []
    assert window.workspace.sessions == []


def test_only_what_is_ticked_is_recovered(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    crash(file)
    crash()
    in_recovery(qtbot, "recover", untick=0)
    window.files.recover_left()
    assert len(window.workspace.sessions) == 1
    assert len(keeper.left_behind()) == 1


def test_opening_the_file_itself_asks_too(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    crash(file)
    in_recovery(qtbot, "later")
    assert window.files.open(file) is None
    in_recovery(qtbot, "recover")
    window.files.open(file)
    assert names(window) == {"one", "two", "three"}


def test_a_damaged_journal_gives_its_readable_part(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    crash(file)
    journal = journal_path(file)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:-1], b"{damaged\n", lines[-1]]))
    rows = in_recovery(qtbot, "recover")
    window.files.recover_left()
    assert "damaged" in rows[0][2]
    assert names(window) == {"one", "two"}
    session = window.workspace.current
    assert session is not None
    session.document.add("population.lif", name="after")
    assert keeper.look_at(keeper.Note(str(journal), str(file), "")) is not None


def test_a_file_changed_meanwhile_is_never_overwritten(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    crash(file)
    other = Document.new("Other")
    save(other, file)
    in_recovery(qtbot, "recover")
    lines: list[str] = []
    window.workspace.message.connect(lines.append)
    window.files.recover_left()
    assert window.workspace.sessions == []
    assert "changed by something else" in lines[0]
    assert dumps(load(file)) == dumps(other)
    assert journal_path(file).exists()


def test_a_running_window_keeps_its_journals(
    window: MainWindow, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAY", "1")
    command = [sys.executable, "-c", CRASH, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "edited\n"
        lines: list[str] = []
        window.workspace.message.connect(lines.append)
        assert keeper.left_behind() == []
        assert window.files.open(file) is None
        assert "open in another window" in lines[0]
        other.kill()
        other.wait()
    assert [lost.title for lost in keeper.left_behind()] == ["two"]


def test_a_change_from_outside_does_not_cost_the_edits(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    session = window.files.open(file)
    assert session is not None
    session.document.add("population.lif", name="mine")
    with qtbot.waitSignal(window.files.watch.changed):
        save(Document.new("Other"), file)
    assert session.journal is not None
    assert session.journal.path is not None
    lost = keeper.look_at(keeper.Note(str(session.journal.path), str(file), ""))
    session.document.add("population.lif", name="later")
    lost = keeper.look_at(keeper.Note(str(session.journal.path), str(file), ""))
    assert lost is not None
    document = lost.document()
    assert document is not None
    assert document.names() == {"mine", "later"}


def test_a_document_that_was_not_edited_leaves_nothing(window: MainWindow, file: Path) -> None:
    code = CRASH.replace('"one", "two", "three"', "")
    subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert keeper.left_behind() == []
    assert window.files.open(file) is not None


def test_the_recovery_question_says_when_it_is_answered_by_escape(window: MainWindow, qtbot: QtBot) -> None:
    crash()
    found = keeper.left_behind()
    dialog = Recovery(found, window)
    dialog.show()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert set(dialog.answers.values()) == {ask.LATER}
    dialog.deleteLater()


def test_edits_that_were_all_taken_back_ask_nothing(file: Path) -> None:
    document = load(file)
    history, journal = History(document), Journal.start(document, file, lambda text: None)
    note = keeper.Note(str(journal.path), str(file), str(file.parent))
    document.add("population.lif", name="one")
    lost = keeper.look_at(note)
    assert lost is not None
    assert lost.edits == 1
    history.undo()
    assert keeper.look_at(note) is None
    assert not journal_path(file).exists()
    journal.close()
    history.close()
