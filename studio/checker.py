"""Checks a document while it is drawn: a moment after the last edit, and never on the window's thread."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from engine.compile import Compiled, Diagnostic, compile_document
from engine.compile.diagnostics import Code
from engine.document import Document

PAUSE_MS = 120
"""Edits closer together than this are checked once."""

FAULT = Code("MYL000", "error", "the checker itself failed: a fault of the program, please report it")


@dataclass(frozen=True)
class Checked:
    """What ``myelin check`` would say, and the program if there is one."""

    diagnostics: tuple[Diagnostic, ...] = ()
    program: object = None
    by_node: dict[str, list[Diagnostic]] = field(default_factory=dict)

    @staticmethod
    def of(compiled: Compiled) -> Checked:
        """Sorted by node, as a canvas wants it."""
        by_node: dict[str, list[Diagnostic]] = {}
        for diagnostic in compiled.diagnostics:
            for node in diagnostic.nodes:
                by_node.setdefault(node.partition("~")[0], []).append(diagnostic)
        return Checked(compiled.diagnostics, compiled.program, by_node)


class Checker(QObject):
    """Keeps ``latest`` up to date with a document; ``ask`` after every edit."""

    checked = Signal(object)
    _arrived = Signal(object)

    def __init__(self, document: Document, folder: Callable[[], Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.latest = Checked()
        self._document, self._folder = document, folder
        self._pool = ThreadPoolExecutor(1, "checker")
        self._busy = self._again = self._closed = False
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._start)
        self._arrived.connect(self._take)
        self._timer.start(0)

    @property
    def settled(self) -> bool:
        """Whether ``latest`` is about the document as it is now."""
        return not (self._timer.isActive() or self._busy or self._again)

    def ask(self) -> None:
        """The document has changed."""
        self._timer.start(PAUSE_MS)

    def close(self) -> None:
        """Check no more."""
        self._closed = True
        self._timer.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        # one at a time: what is drawn meanwhile is checked next, once
        if self._busy:
            self._again = True
            return
        self._busy = True
        future = self._pool.submit(_check, self._document.copy(), self._folder())
        future.add_done_callback(self._finished)

    def _finished(self, future: Future[Checked]) -> None:
        if not self._closed and not future.cancelled():
            self._arrived.emit(future.result())

    def _take(self, checked: Checked) -> None:
        self._busy = False
        if self._again:
            self._again = False
            self._start()
        elif not self._timer.isActive():
            self.latest = checked
            self.checked.emit(checked)


def _check(document: Document, folder: Path) -> Checked:
    try:
        return Checked.of(compile_document(document, folder=folder))
    except Exception as error:  # a fault of a pass must neither end the checking nor go unseen
        traceback.print_exc()
        return Checked((FAULT((), f"checking failed: {type(error).__name__}: {error}"),))
