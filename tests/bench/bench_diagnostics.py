"""Time from a keystroke to live diagnostics at 1 000 nodes, and how long that holds the window's thread up.

    python -m tests.bench.bench_diagnostics [--nodes 1000] [--keys 20]

A key in a field of the inspector makes an edit; some time after the last one the document is checked on
another thread, and canvas, panels and plots take up what it found.  The peer is the plain
``compile_document`` of the same document, in the same run, with nothing else to do.  ``computed`` is
processor time of the window's thread, which other load on the machine does not change.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MYELIN_HOME", tempfile.mkdtemp())

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from engine.compile import compile_document
from studio.app import make_application
from studio.checker import PAUSE_MS
from studio.inspector.row import Row
from studio.session import Session
from tests.bench.bench_canvas import big_document
from tests.bench.bench_stall import Heartbeat, close, shown


def plain_seconds(session: Session, runs: int) -> float:
    """The median time of checking the document and of nothing else."""
    took = []
    for _ in range(runs):
        begin = time.perf_counter()
        compile_document(session.document.copy())
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def settle(session: Session) -> None:
    """Wait until the problems are those of the document as it is, and shown."""
    while not session.checker.settled:
        QApplication.processEvents()
        time.sleep(0.0005)
    QApplication.processEvents()


def field(window: QWidget, name: str) -> QLineEdit:
    """The line in which a parameter is written."""
    row = next(found for found in window.findChildren(Row) if found.name == name and found.isVisible())
    line = row.findChild(QLineEdit)
    assert isinstance(line, QLineEdit)
    return line


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--keys", type=int, default=20)
    arguments = parser.parse_args()
    application = make_application()
    session = Session(big_document(arguments.nodes))
    window = shown(session)
    settle(session)
    session.select(["p1"])
    application.processEvents()
    line, took = field(window, "tau_mem"), []
    line.setFocus()
    heart = Heartbeat()
    for _ in range(arguments.keys):
        begin = time.perf_counter()
        QTest.keyClick(line, Qt.Key.Key_Up)
        settle(session)
        took.append(time.perf_counter() - begin)
    print(f"{len(session.document.nodes)} nodes, {len(session.document.wires)} wires, {arguments.keys} keys")
    heart.report("from key to diagnostics")
    whole, peer = statistics.median(took), plain_seconds(session, 5)
    pause = PAUSE_MS / 1000
    print(f"median {whole:.3f} s, of which {pause:.3f} s wait for more keys; compile_document {peer:.3f} s")
    print(f"({whole:.3f} - {pause:.3f}) / {peer:.3f} = {(whole - pause) / peer:.2f} times as long")
    close(window)


if __name__ == "__main__":
    main()
