"""Garbage is collected on the window's thread, by the collector's own thresholds."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from studio.garbage import GarbageCollector


class Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_knots_are_freed_on_the_windows_thread(qtbot: QtBot) -> None:
    freed_in: list[threading.Thread] = []
    owner = QObject()
    GarbageCollector(owner)
    try:
        knot = Knot()
        weakref.finalize(knot, lambda: freed_in.append(threading.current_thread()))
        del knot
        made: list[list[int]] = []
        busy = threading.Thread(target=lambda: made.extend([n] for n in range(5 * gc.get_threshold()[0])))
        busy.start()
        busy.join()
        assert not freed_in
        qtbot.waitUntil(lambda: bool(freed_in))
        assert freed_in == [threading.main_thread()]
    finally:
        owner.deleteLater()
