"""Asks a machine, without waiting, whether a worker can be had there and what it computes on."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from engine.run import protocol
from engine.run.hosts import Host, version_problem
from engine.run.protocol import Decoder, FrameError, Malformed

PATIENCE_MS = 60_000


class Handshake(QObject):
    """One attempt; ``met`` or ``failed`` says how it went, and nothing is left running."""

    met = Signal(object)
    """The worker's devices: ``[{"id", "name", "memory"}]``."""
    failed = Signal(str)
    """The sentence why there is no worker."""

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.host = host
        self._decoder, self._words, self._up, self._over = Decoder(), "", False, False
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._listen)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._timer = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._timer.timeout.connect(lambda: self._fail(f"{host.address} does not answer"))

    def start(self) -> None:
        """Begin."""
        problem = self.host.problem()
        if problem:
            self._fail(problem)
            return
        self._timer.start()
        self._process.start(self.host.argv[0], self.host.argv[1:])
        for number, kind in enumerate(("hello", "devices")):
            self._process.write(protocol.encode({"type": kind, "request": number}))

    def stop(self) -> None:
        """Give up, silently, and leave nothing running."""
        self._let_go()
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.waitForFinished(2000)

    def _let_go(self) -> None:
        """No waiting here: the process may be in the middle of telling us something."""
        self._timer.stop()
        if not self._over:
            self._over = True
            self._process.kill()

    def _read(self) -> None:
        try:
            for message in self._decoder.feed(bytes(self._process.readAllStandardOutput().data())):
                if not self._over and not isinstance(message, Malformed) and message["type"] == "done":
                    self._take(message)
        except FrameError as error:
            self._fail(f"what answers on {self.host.address} is no Myelin worker: {error}")

    def _take(self, message: dict[str, Any]) -> None:
        self._up = True
        if message["of"] == "devices":
            self._let_go()
            self.met.emit(message["devices"])
            return
        problem = version_problem(message, self.host.address)
        if problem:
            self._fail(problem)

    def _listen(self) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip()
        self._words = said.splitlines()[-1] if said else self._words

    def _on_finished(self, status: int) -> None:
        self._fail(self.host.failure(status, self._words, self._up))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._fail("there is no program called ssh on this machine: install OpenSSH")

    def _fail(self, sentence: str) -> None:
        if not self._over:
            self._let_go()
            self.failed.emit(sentence)
