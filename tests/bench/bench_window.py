"""Time from the start of Python to the first picture of the studio's window, beside a bare QMainWindow.

``python tests/bench/bench_window.py [--runs 5]``; both are started in turns in processes of their own, and
the smallest time of each counts: on a shared machine the rest is other people's work.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BARE = """
import sys
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication(sys.argv)
window = QMainWindow()
"""
STUDIO = """
from studio.app import make_application
application = make_application()
from studio.window import MainWindow
window = MainWindow()
"""
PAINT = """
from PySide6.QtCore import QEvent, QObject
class First(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and watched is shown:
            application.postEvent(application, QEvent(QEvent.Type.Quit))
        return False
shown = getattr(window, "tabs", window)
first = First()
shown.installEventFilter(first)
window.show()
application.exec()
import os, sys
heavy = [name for name in ("torch", "lightning", "scipy", "h5py") if name in sys.modules]
print(len(sys.modules), heavy, flush=True)
os._exit(0)
"""


def seconds(code: str) -> tuple[float, str]:
    """How long a process takes until its window is painted, and what it says."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MYELIN_HOME": home}
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code + PAINT],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return time.perf_counter() - began, done.stdout.strip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    found = [(seconds(BARE), seconds(STUDIO)) for _ in range(runs)]
    bare, studio = (min(pair[side][0] for pair in found) for side in (0, 1))
    print(f"bare QMainWindow {bare:.2f} s, the studio {studio:.2f} s ({studio / bare:.1f} times as long)")
    print(f"modules imported, and which of them are heavy: {found[0][1][1]}")


if __name__ == "__main__":
    main()
