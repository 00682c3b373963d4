"""One export after the other in a worker process of their own, so that a live run goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.document.codec import to_tree
from engine.run.protocol import Malformed, Message
from studio.session import Session
from studio.worker import GRACE_MS, Worker


class Job(QObject):
    """At most one at a time; ``busy`` until ``done`` or ``failed``."""

    progressed = Signal(str, int, int)
    """What goes on, how much of it is done, and of how much."""
    done = Signal(object)
    """The answer (see ``engine.run.worker.deploy``)."""
    failed = Signal(str)
    stopped = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.busy = self._stopping = False
        self.worker = Worker(self)
        self.worker.arrived.connect(self._take)
        self.worker.ended.connect(self._on_ended)
        self.worker.unsent.connect(self._fail)
        self._impatience = QTimer(self, singleShot=True, interval=GRACE_MS)
        self._impatience.timeout.connect(self.worker.kill)

    def start(
        self,
        target: str,
        options: Mapping[str, Any],
        weights: Path | None,
        *,
        path: Path | None = None,
        verify: bool = False,
    ) -> None:
        """Export the drawing as it is now to ``path``, or only to look at; ``weights``: None for its own."""
        if self.busy:
            return
        self.busy, self._stopping = True, False
        if not self.worker.alive:
            self.worker.start([sys.executable, "-P", "-m", "engine.run.worker"])
        self.progressed.emit("loading the network", 0, 0)
        asked = {
            "target": target,
            "options": dict(options),
            "path": str(path) if path else None,
            "verify": verify,
        }
        session = self.session
        self.worker.send(
            "load",
            lambda answer: self._on_loaded(answer, asked),
            document=json.dumps(to_tree(session.document)),
            name=str(session.path or session.folder / f"{session.title}.myelin"),
            checkpoint=str(weights) if weights else None,
        )

    def stop(self) -> None:
        """Give up; a worker that has not done so in two seconds is killed."""
        if self.busy and not self._stopping:
            self._stopping = True
            self._impatience.start()
            self.worker.send("stop")

    def close(self) -> None:
        """End the worker."""
        self._impatience.stop()
        self.busy = False
        if self.worker.alive:
            self.worker.close(farewell=False)

    def _take(self, message: Message | Malformed) -> None:
        if isinstance(message, Malformed):
            self._fail(message.reason)
        elif message["type"] == "progress" and message.get("of") == "deploy":
            self.progressed.emit(message["what"], message["done"], message["total"])
        elif message["type"] in ("done", "error"):
            then = self.worker.answer(message)
            if then and self.busy:
                then(message)

    def _on_loaded(self, answer: Message, asked: dict[str, Any]) -> None:
        if answer["type"] == "error":
            self._fail(answer["text"])
        elif self._stopping:
            self._fail("")
        else:
            self.worker.send("deploy", self._on_answer, **asked)

    def _on_answer(self, answer: Message) -> None:
        if answer["type"] == "error":
            self._fail(answer["text"])
        elif answer.get("reason") == "stopped":
            self._fail("")
        else:
            self._rest()
            self.done.emit(answer)

    def _fail(self, sentence: str) -> None:
        was_stopped = self._stopping
        self._rest()
        if was_stopped:
            self.stopped.emit()
        else:
            self.failed.emit(sentence)

    def _on_ended(self, status: int) -> None:
        if self.busy:
            last = f": {self.worker.last_words}" if self.worker.last_words else ""
            self._fail(f"the export has ended before it was done{last}")

    def _rest(self) -> None:
        self._impatience.stop()
        self.busy = self._stopping = False
