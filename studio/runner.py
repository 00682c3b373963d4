"""The worker process of one session, over QProcess: play, pause, step, stop, train, and what comes back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from engine.document import Edit, dumps
from engine.run import protocol
from engine.run.protocol import Decoder, FrameError, Malformed, Message

if TYPE_CHECKING:
    from studio.session import Session

GRACE_MS = 2000
"""How long a worker has for a stop or a farewell before it is killed."""

Then = Callable[[Message], None]


class Runner(QObject):
    """One worker at a time, started when first needed or by ``warm``; after its death the next use starts one.

    ``state``: ``off``, ``starting``, ``ready``, ``loading``, ``running``, ``paused``, ``training``.
    """

    state_changed = Signal(str)
    meter = Signal(object)
    """The worker's newest ``state`` message: step, time (ms), real_time, spikes_per_s, memory, sample."""
    records = Signal(object)
    """A frame of records (see engine.run.worker.live)."""
    progress = Signal(object)
    metrics = Signal(object)
    """Training: a message for each epoch."""
    started = Signal()
    """A run begins at step 0: what was recorded before is over."""
    ended = Signal(object)
    """A run or training is over: its ``done`` message."""
    failed = Signal(str, str)
    """A sentence, and the id of the node it is about (or "")."""
    stale_changed = Signal(bool)
    """Whether the drawing has changed in a way that the network in progress cannot take up."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self.argv: list[str] = [sys.executable, "-P", "-m", "engine.run.worker"]
        self.state = "off"
        self.stale = False
        self.speed: dict[str, Any] = {}
        """``factor`` (simulated seconds a second) or ``fps``; empty for as fast as possible."""
        self._streams: dict[object, list[list[Any]]] = {}
        self._process: QProcess | None = None
        self._decoder = Decoder()
        self._number = 0
        self._waiting: dict[int, Then] = {}
        self._last_words = ""
        self._ending = False
        self._impatience = QTimer(self, singleShot=True, interval=GRACE_MS)
        self._impatience.timeout.connect(self._kill)
        session.edited.connect(self._on_edit)

    # --- what a window asks for

    def warm(self) -> None:
        """Start the worker, so that the first run need not wait for it."""
        if self._process is None:
            self._start()

    def play(self) -> None:
        """Run from the beginning, or on from a pause."""
        if self.state == "paused" and not self.stale:
            self._run()
        elif self.state != "training":
            self._load(self._run_from_start)

    def pause(self) -> None:
        """Hold the run."""
        if self.state == "running":
            self._send("pause")

    def step(self, steps: int = 1) -> None:
        """Run some steps and hold; from the beginning if nothing runs."""
        if self.state in ("running", "paused"):
            self._send("step", steps=steps)
        elif self.state != "training":
            self._load(lambda: self._step_from_start(steps))

    def stop(self) -> None:
        """End the run or training; a worker that has not done so in two seconds is killed."""
        if self.state in ("loading", "running", "paused", "training"):
            self._impatience.start()
            self._send("stop", self._stopped)

    def train(self, out: Path, **options: Any) -> None:
        """Train into the folder ``out`` (see ``engine.run.client.Client.train``)."""
        self._load(lambda: self._train(out, options))

    def stimulate(
        self, node: str, amplitude: float, steps: int, neurons: Iterable[int] | None = None
    ) -> None:
        """Add a current to neurons (None: all) of a population of the run in progress."""
        if self.state in ("running", "paused"):
            chosen = None if neurons is None else list(neurons)
            self._send("stimulate", node=node, amplitude=amplitude, steps=steps, neurons=chosen)

    def set_speed(self, **speed: float) -> None:
        """``factor``: simulated seconds a second; ``fps``: steps a second; nothing: as fast as possible."""
        self.speed = speed
        if self.state == "running":
            self._run()

    def want(self, who: object, streams: list[list[Any]]) -> None:
        """``who`` (a plot) wants these ``[node, port, indices or None]`` sent, [] for none; a run goes on."""
        if streams != self._streams.get(who, []):
            self._streams[who] = streams
            if not streams:
                del self._streams[who]
            if self.state == "running":
                self._run()

    def close(self) -> None:
        """Let the worker end; kill it if it does not."""
        process, self._process = self._process, None
        self._impatience.stop()
        if process is None:
            return
        process.disconnect(self)
        process.write(protocol.encode({"type": "quit", "request": 0}))
        process.closeWriteChannel()
        if not process.waitForFinished(GRACE_MS):
            process.kill()
            process.waitForFinished(GRACE_MS)
        process.deleteLater()
        self._go("off")

    # --- the process

    def _start(self) -> None:
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        root = str(Path(__file__).resolve().parents[1])
        before = environment.value("PYTHONPATH")
        environment.insert("PYTHONPATH", root + (os.pathsep + before if before else ""))
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._listen)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process, self._decoder, self._waiting, self._last_words = process, Decoder(), {}, ""
        self._go("starting")
        process.start(self.argv[0], self.argv[1:])
        self._send("hello", lambda message: self._go("ready") if self.state == "starting" else None)

    def _send(self, kind: str, then: Then | None = None, **fields: Any) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None
        self._number += 1
        if then:
            self._waiting[self._number] = then
        try:
            frame = protocol.encode({"type": kind, "request": self._number, **fields})
        except FrameError as error:
            self.failed.emit(str(error), "")
            return
        self._process.write(frame)

    def _read(self) -> None:
        if self._process is None:
            return
        try:
            for message in self._decoder.feed(bytes(self._process.readAllStandardOutput().data())):
                self._take(message)
        except FrameError as error:
            self._last_words = str(error)
            self._kill()

    def _take(self, message: Message | Malformed) -> None:
        if isinstance(message, Malformed):
            self.failed.emit(message.reason, "")
            return
        kind = message["type"]
        if kind == "state":
            self.meter.emit(message)
            if message["state"] in ("running", "paused", "training"):
                self._go(message["state"])
            elif self.state in ("running", "paused", "training"):
                self._go("ready")
        elif kind in ("records", "progress", "metrics"):
            getattr(self, kind).emit(message)
        elif kind == "error":
            self._on_refusal(message)
        elif kind == "done":
            self._on_done(message)

    def _on_done(self, message: Message) -> None:
        then = self._waiting.pop(message.get("request") or 0, None)
        if then:
            then(message)
        if message["of"] in ("run", "step", "train") and message.get("reason") != "replaced":
            self.ended.emit(message)

    def _on_refusal(self, message: Message) -> None:
        self._waiting.pop(message.get("request") or 0, None)
        if self.state == "loading" or message.get("of") in ("load", "train"):
            self._go("ready")
        self.failed.emit(message["text"], str(message.get("node", "")).partition("~")[0])

    def _listen(self) -> None:
        if self._process:
            lines = (
                bytes(self._process.readAllStandardError().data())
                .decode(errors="replace")
                .strip()
                .splitlines()
            )
            self._last_words = lines[-1] if lines else self._last_words

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._last_words = f"{self.argv[0]} cannot be started"
            self._on_finished()

    def _on_finished(self) -> None:
        """The worker has died or was killed; the document is untouched and the next use starts another."""
        process, self._process = self._process, None
        self._impatience.stop()
        busy, was_asked = self.state in ("loading", "running", "paused", "training"), self._ending
        self._ending = False
        if process:
            process.deleteLater()
        self._go("off")
        if was_asked:
            self.ended.emit({"type": "done", "of": "stop", "reason": "killed"})
        elif busy or self._last_words:
            last = f": {self._last_words}" if self._last_words else ""
            self.failed.emit(f"the worker has ended{last}; Play starts a new one", "")

    def _kill(self) -> None:
        if self._process:
            self._ending = True
            self._process.kill()

    # --- loading and running

    def _load(self, then: Callable[[], None]) -> None:
        self.warm()
        self._go("loading")
        self._set_stale(False)
        name = str(self.session.path or self.session.folder / f"{self.session.title}.myelin")
        self._send("load", lambda message: then(), document=dumps(self.session.document), name=name)

    def _run_from_start(self) -> None:
        self.started.emit()
        self._run()

    def _step_from_start(self, steps: int) -> None:
        self.started.emit()
        self._send("run", steps=steps, stream=self._wanted())

    def _run(self) -> None:
        self._send("run", None, stream=self._wanted(), **self.speed)

    def _train(self, out: Path, options: dict[str, Any]) -> None:
        self._send("train", out=str(out), **options)

    def _stopped(self, message: Message) -> None:
        self._impatience.stop()
        self._go("ready")

    def _wanted(self) -> list[list[Any]]:
        """One entry a signal: all neurons as soon as one asks for all."""
        found: dict[tuple[str, str], set[int] | None] = {}
        for node, port, *chosen in (entry for streams in self._streams.values() for entry in streams):
            neurons = chosen[0] if chosen else None
            before = found.get((node, port), set())
            found[node, port] = None if neurons is None or before is None else before | set(neurons)
        return [
            [node, port, None if neurons is None else sorted(neurons)]
            for (node, port), neurons in sorted(found.items())
        ]

    def _on_edit(self, edit: Edit) -> None:
        if self.state not in ("running", "paused"):
            return
        for op in edit.ops:
            match op:
                case {"op": "set", "path": ["nodes", str(node), "params", str(name)], "value": value}:
                    self._send("set_param", node=node, name=name, value=value)
                case {"path": ["layout" | "views" | "recipes" | "groups", *_]}:
                    pass
                case {"path": ["nodes", _, "name"]} | {"path": ["meta", "title"]}:
                    pass
                case _:
                    self._set_stale(True)

    def _set_stale(self, stale: bool) -> None:
        if stale != self.stale:
            self.stale = stale
            self.stale_changed.emit(stale)

    def _go(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
