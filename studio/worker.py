"""A worker process over QProcess: requests to it, its messages, and how it ended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from engine.run import protocol
from engine.run.protocol import Decoder, FrameError, Message

GRACE_MS = 2000
"""How long a worker has for a stop or a farewell before it is killed."""

TURN = 0.008
"""Seconds of the window's thread that reading messages may take before other events have their turn."""

Then = Callable[[Message], None]


class Worker(QObject):
    """One process at a time.  ``last_words``: the last line it wrote to standard error."""

    arrived = Signal(object)
    """A Message, or a Malformed where a frame held none."""
    ended = Signal(int)
    """The process has died or was killed: its exit status, 127 if it could not be started."""
    unsent = Signal(str)
    """A request that cannot be put into a frame: the sentence why."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.last_words = ""
        self._process: QProcess | None = None
        self._decoder = Decoder()
        self._number = 0
        self._waiting: dict[int, Then] = {}
        self._rest = QTimer(self, singleShot=True, interval=0)
        self._rest.timeout.connect(self._drain)

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The process id; 0 where there is none."""
        return self._process.processId() if self._process else 0

    def start(self, argv: Sequence[str]) -> None:
        """Start ``argv``: any command that joins its standard input and output to a worker's."""
        process = QProcess(self)
        process.setProcessEnvironment(_with_our_code())
        process.readyReadStandardOutput.connect(self._drain)
        process.readyReadStandardError.connect(self._listen)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(lambda error: self._on_error(error, argv[0]))
        self._process, self._decoder, self._waiting, self.last_words = process, Decoder(), {}, ""
        process.start(argv[0], list(argv[1:]))

    def send(self, kind: str, then: Then | None = None, **fields: Any) -> None:
        """Send a request; ``answer`` finds ``then`` again when its ``done`` or ``error`` comes."""
        assert self._process is not None
        self._number += 1
        if then:
            self._waiting[self._number] = then
        try:
            self._process.write(protocol.encode({"type": kind, "request": self._number, **fields}))
        except FrameError as error:
            self.unsent.emit(str(error))

    def answer(self, message: Message) -> Then | None:
        """Who waits for this answer, if anybody."""
        return self._waiting.pop(message.get("request") or 0, None)

    def kill(self) -> None:
        """End the process at once; ``ended`` follows."""
        if self._process:
            self._process.kill()

    def close(self, farewell: bool) -> None:
        """End the process without a signal; with ``farewell`` it may first finish what it writes."""
        process, self._process = self._process, None
        self._rest.stop()
        if process is None:
            return
        process.blockSignals(True)
        if farewell:
            process.write(protocol.encode({"type": "quit", "request": 0}))
            process.closeWriteChannel()
            process.waitForFinished(GRACE_MS)
        process.kill()
        process.waitForFinished(GRACE_MS)
        process.deleteLater()

    def _drain(self) -> None:
        """Take what has arrived, for as long as a turn may last; the rest in the next one."""
        process, enough = self._process, time.perf_counter() + TURN
        if process is None:
            return
        try:
            for message in self._decoder.feed(bytes(process.readAllStandardOutput().data())):
                self.arrived.emit(message)
                if self._process is not process:
                    return
                if time.perf_counter() > enough:
                    self._rest.start()
                    return
        except FrameError as error:
            self.last_words = str(error)
            process.kill()

    def _listen(self) -> None:
        if self._process:
            said = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            lines = said.strip().splitlines()
            self.last_words = lines[-1] if lines else self.last_words

    def _on_error(self, error: QProcess.ProcessError, program: str) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.last_words = f"{program} cannot be started"
            self._over(127)

    def _on_finished(self) -> None:
        self._over(self._process.exitCode() if self._process else 127)

    def _over(self, status: int) -> None:
        process, self._process = self._process, None
        self._rest.stop()
        self._waiting = {}
        if process:
            process.deleteLater()
        self.ended.emit(status)


def _with_our_code() -> QProcessEnvironment:
    """The environment in which ``python -P`` (never code from the current folder) finds this very engine."""
    environment = QProcessEnvironment.systemEnvironment()
    root = str(Path(__file__).resolve().parents[1])
    before = environment.value("PYTHONPATH")
    environment.insert("PYTHONPATH", root + (os.pathsep + before if before else ""))
    return environment
