"""Starts the studio: ``myelin-studio [FILES]``."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from studio import selfcheck

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from studio.window import MainWindow

SWITCH = 0.0005
"""Seconds for which another thread of Python may hold the window's thread up at a time (Python's own: 0.005).

A repaint of many items asks for Python some hundred times, and the checker has it meanwhile.
"""

WARM_MS = 400
"""After the window is up, so that a worker's start does not slow the first picture."""


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window, with the files named in ``argv``; returns the exit status."""
    files = list(sys.argv[1:] if argv is None else argv)
    reason = selfcheck.problem()
    if reason:
        print(f"myelin: {reason}", file=sys.stderr)
        return 1
    application = make_application()
    window = open_window([Path(name) for name in files])
    status = application.exec()
    window.deleteLater()
    return status


def make_application() -> QApplication:
    """The Qt application with name, icon and theme."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QIcon
    from PySide6.QtWidgets import QApplication

    from studio.settings import Settings
    from studio.theme import ICONS, system_theme, theme

    sys.setswitchinterval(SWITCH)
    gc.disable()  # Nothing made at the start is garbage, and looking for it takes a tenth of the time.
    policy = Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(policy)
    settings = Settings()
    scale = settings.text("scale")
    if scale:
        os.environ.setdefault("QT_SCALE_FACTOR", scale)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("myelin-studio")
    application.setApplicationDisplayName("Myelin Studio")
    application.setDesktopFileName("myelin-studio")
    application.setWindowIcon(QIcon(str(ICONS / "app.svg")))
    chosen = settings.text("theme", "system")
    theme.use(chosen if chosen in ("dark", "light") else system_theme())
    return application


def open_window(files: Sequence[Path]) -> MainWindow:
    """Show the window, then open files, offer what a crash left behind, and warm a worker."""
    from PySide6.QtCore import QTimer

    from studio.garbage import GarbageCollector
    from studio.window import MainWindow

    window = MainWindow()
    sys.excepthook = _Hook(window)
    window.show()
    gc.freeze()
    GarbageCollector(window)
    QTimer.singleShot(0, window, lambda: _begin(window, files))
    return window


def _begin(window: MainWindow, files: Sequence[Path]) -> None:
    from PySide6.QtCore import QTimer

    def warm() -> None:
        if window.workspace.current is not None:
            window.workspace.current.runner.warm()

    soon = QTimer(window, singleShot=True, interval=WARM_MS)
    soon.timeout.connect(warm)
    window.workspace.current_changed.connect(lambda _: soon.start())
    window.files.recover_left()
    for path in files:
        window.files.open(path)


class _Hook:
    """What nobody caught is a sentence in the window and a traceback on standard error; work goes on."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Tell of one exception."""
        if issubclass(kind, KeyboardInterrupt):
            self.window.close()
            return
        traceback.print_exception(kind, error, trace)
        said = " ".join(str(error).split()) or kind.__name__
        text = f"Something unexpected went wrong ({kind.__name__}: {said}); your work is safe in the journal"
        self.window.workspace.message.emit(text)


if __name__ == "__main__":
    sys.exit(main())
