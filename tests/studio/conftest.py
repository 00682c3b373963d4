"""Fixtures of the window's tests: an off-screen application, and a check that nothing is left behind."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QEvent, QProcess, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.document import Document
from studio.session import Session
from studio.window import MainWindow
from studio.workspace import Workspace


@pytest.fixture(autouse=True)
def nothing_left(qapp: QApplication) -> Iterator[None]:
    """No window, running timer, process or thread outlives its test."""
    threads = set(threading.enumerate())
    gc.disable()  # as in the studio: what is Qt's is freed on the window's thread alone (studio/garbage.py)
    gc.freeze()  # and what was there before need not be searched
    yield
    for _ in range(3):
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        qapp.processEvents()
        gc.collect()
    gc.unfreeze()
    gc.enable()
    left = [widget for widget in qapp.topLevelWidgets() if widget.isVisible()]
    assert not left, f"windows are left open: {left}"
    running = [thread for thread in threading.enumerate() if thread not in threads and not thread.daemon]
    assert not running, f"threads are left running: {running}"
    owned = [found for kind in (QTimer, QProcess) for found in qapp.findChildren(kind)]
    assert not owned, f"timers or processes of the application are left: {owned}"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and crash journals of this test alone."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MYELIN_HOME", str(folder))
    return folder


@pytest.fixture
def window(home: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    """The studio's window on its welcome page; at the end it is closed and nothing is saved."""
    made = MainWindow()
    made.resize(1360, 860)  # The screen of the tests is smaller than anyone's.
    made.show()
    qtbot.waitExposed(made)
    yield made
    for session in list(made.workspace.sessions):
        made.workspace.close(session)
    made.close()
    made.deleteLater()


@pytest.fixture
def open_session(qtbot: QtBot) -> Iterator[Callable[[Document], Session]]:
    """Opens documents in sessions that the test's end closes."""
    opened: list[Session] = []

    def make(document: Document) -> Session:
        opened.append(Session(document))
        return opened[-1]

    yield make
    for session in opened:
        session.close()
        session.deleteLater()


@pytest.fixture
def workspace(qtbot: QtBot) -> Iterator[Workspace]:
    """An empty workspace; what is opened in it is closed."""
    made = Workspace()
    yield made
    for session in list(made.sessions):
        made.close(session)
    made.deleteLater()
