"""What one session computes: play, pause, step, stop, train, and what comes back from its worker."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.document import Edit
from engine.document.codec import to_tree
from engine.run.fetch import FetchError, Fetching
from engine.run.hosts import Host, version_problem
from engine.run.protocol import Malformed, Message
from studio.streams import structure, together
from studio.worker import GRACE_MS, Then, Worker

if TYPE_CHECKING:
    from studio.session import Session

BUSY = ("loading", "running", "paused", "training")


class Runner(QObject):
    """One worker at a time, started by ``warm`` or the first use; after its death the next use starts one.

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
    speed_changed = Signal()
    diagnosed = Signal(object)
    """What is wrong with the network that runs, with a fix (see ``engine.run.protocol``)."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self.argv: list[str] = [sys.executable, "-P", "-m", "engine.run.worker"]
        self.host: Host | None = None
        """The machine that computes; None for this one."""
        self.device = "cpu"
        self.state = "off"
        self.stale = False
        self.speed: dict[str, Any] = {"factor": 1.0}
        """``factor`` (simulated seconds a second) or ``fps``; empty for as fast as possible."""
        self.step_size = 1
        """Steps that one press of Step makes."""
        self.signals: dict[str, dict[str, list[int]]] = {}
        """What the network loaded last can send: ports with their shapes by node."""
        self._streams: dict[object, list[list[Any]]] = {}
        self.worker = Worker(self)
        self.worker.arrived.connect(self._take)
        self.worker.ended.connect(self._on_worker_ended)
        self.worker.unsent.connect(lambda sentence: self.failed.emit(sentence, ""))
        self._ending = self._met = False
        self._away: tuple[str, Path] | None = None
        """The folder on the host that a training writes, and the one here that it is for."""
        self._after_load: Callable[[], None] | None = None
        self._after_stop: Callable[[], None] | None = None
        self._drawn: object = None
        self._refused: set[tuple[str, str]] = set()
        self._impatience = QTimer(self, singleShot=True, interval=GRACE_MS)
        self._impatience.timeout.connect(self._kill)
        self._rewire = QTimer(self, singleShot=True, interval=0)
        self._rewire.timeout.connect(self._watch)
        session.edited.connect(self._on_edit)

    # --- what a window asks for

    def use(self, host: Host | None, device: str) -> None:
        """Compute there from the next run on; a worker elsewhere is let go."""
        if host != self.host:
            self.close()
        self.host, self.device = host, device

    def ask(self, kind: str, then: Then) -> None:
        """Send a request that needs no network, such as ``devices``; ``then`` gets its answer."""
        self._send(kind, then)

    def warm(self) -> None:
        """Start the worker, so that the first run need not wait for it."""
        if not self.worker.alive:
            self._start()

    def play(self) -> None:
        """Run from the beginning, or on from a pause; a run whose drawing has changed since begins anew."""
        if self._impatience.isActive():
            self._after_stop = self.play
        elif self.state == "paused" and not self.stale:
            self._run()
        elif self._free():
            self._load(self._run_from_start)

    def pause(self) -> None:
        """Hold the run."""
        if self.state == "running":
            self._send("pause")

    def step(self, steps: int = 1) -> None:
        """Run some steps and hold; from the beginning if nothing runs or the drawing has changed."""
        if self._free():
            self._load(lambda: self._step_from_start(steps))
        elif self.state in ("running", "paused"):
            self._step(steps)

    def stop(self) -> None:
        """End the run or training; a worker that has not done so in two seconds is killed."""
        self._after_load = self._after_stop = None
        if self.state in BUSY and not self._impatience.isActive():
            self._impatience.start()
            self._send("stop", self._stopped)

    def train(self, out: Path, **options: Any) -> None:
        """Train into the folder ``out`` (see ``engine.run.client.Client.train``)."""
        if self._impatience.isActive():
            self._after_stop = lambda: self.train(out, **options)
        elif self.state not in ("loading", "training"):
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
        if speed == self.speed:
            return
        self.speed = speed
        self.speed_changed.emit()
        if self.state == "running":
            self._run()

    def want(self, who: object, streams: list[list[Any]]) -> None:
        """``who`` (a plot) wants these ``[node, port, indices or None, form]``, [] for none; a run goes on.

        The last one or two of the four may be left out (see ``engine.run.worker.streams.chosen``).
        """
        if streams != self._streams.get(who, []):
            self._streams[who] = streams
            if not streams:
                del self._streams[who]
            self._rewire.start()

    def close(self) -> None:
        """End the worker: at once, but for a training, which may finish what it writes."""
        for timer in (self._impatience, self._rewire):
            timer.stop()
        if self.worker.alive:
            self.worker.close(farewell=self.state == "training")
            self._go("off")

    # --- the worker

    def _start(self) -> None:
        self._met = False
        self.worker.start(self.host.argv if self.host else self.argv)
        self._go("starting")
        self._send("hello", self._on_hello)

    def _on_hello(self, message: Message) -> None:
        self._met = True
        problem = version_problem(message, self.host.address if self.host else "this machine")
        if problem:
            self.close()
            self.failed.emit(problem, "")
        elif self.state == "starting":
            self._go("ready")

    def _send(self, kind: str, then: Then | None = None, **fields: Any) -> None:
        if not self.worker.alive:
            self._start()
        self.worker.send(kind, then, **fields)

    def _take(self, message: Message | Malformed) -> None:
        if isinstance(message, Malformed):
            self.failed.emit(message.reason, "")
            return
        kind = message["type"]
        if kind == "state":
            self._on_state(message)
        elif kind in ("records", "progress", "metrics"):
            getattr(self, kind).emit(message)
        elif kind == "diagnosis":
            self.diagnosed.emit(message)
        elif kind == "error":
            self._on_refusal(message)
        elif kind == "done":
            self._on_done(message)

    def _on_state(self, message: Message) -> None:
        if self._after_load:  # what it says is about the run before this load
            return
        self.meter.emit(message)
        if message["state"] in ("running", "paused", "training"):
            self._go(message["state"])
        elif self.state in ("running", "paused", "training"):
            self._go("ready")

    def _on_done(self, message: Message) -> None:
        then = self.worker.answer(message)
        if then:
            then(message)
        if message["of"] == "train" and self._away:
            fetching, self._away = Fetching(*self._away), None
            self._bring_home(fetching, message)
        elif message["of"] in ("run", "step", "train") and message.get("reason") != "replaced":
            self.ended.emit(message)

    def _on_refusal(self, message: Message) -> None:
        then = self.worker.answer(message)
        kind = message.get("of")
        if kind == "load":
            self._after_load = None
        if kind == "train":
            self._away = None
        if kind in ("set_param", "files", "fetch") and then:
            then(message)
        if kind in ("load", "run", "step", "train") and self.state != "starting":
            self._go("ready")
        self.failed.emit(message["text"], str(message.get("node", "")).partition("~")[0])

    def _on_worker_ended(self, status: int) -> None:
        """The worker has died or was killed; the document is untouched and the next use starts another."""
        busy, was_asked = self.state in BUSY, self._ending
        again, self._after_stop = self._after_stop, None
        self._impatience.stop()
        self._ending, self._after_load = False, None
        self._go("off")
        if was_asked:
            self.ended.emit({"type": "done", "of": "stop", "reason": "killed"})
        elif busy or self.worker.last_words:
            self.failed.emit(self._how_it_ended(status), "")
        if again:
            again()

    def _how_it_ended(self, status: int) -> str:
        if self.host:
            return self.host.failure(status, self.worker.last_words, self._met)
        last = f": {self.worker.last_words}" if self.worker.last_words else ""
        return f"the worker has ended{last}; Play starts a new one"

    def _kill(self) -> None:
        self._ending = self.worker.alive
        self.worker.kill()

    # --- loading and running

    def _free(self) -> bool:
        """Whether a run may begin: nothing goes on, or only one of a drawing that is no more."""
        return self.state in ("off", "starting", "ready") or (
            self.stale and self.state in ("running", "paused")
        )

    def _load(self, then: Callable[[], None]) -> None:
        self.warm()
        self._go("loading")
        document = self.session.document
        self._after_load, self._drawn, self._refused = then, structure(document), set()
        self._set_stale(False)
        name = str(self.session.path or self.session.folder / f"{self.session.title}.myelin")
        self._send(
            "load", self._on_loaded, document=json.dumps(to_tree(document)), name=name, device=self.device
        )

    def _on_loaded(self, message: Message) -> None:
        then, self._after_load = self._after_load, None
        if message.get("reason") == "stopped":
            return
        self.signals = message["signals"]
        if then and not self._impatience.isActive():
            then()

    def _run_from_start(self) -> None:
        self.started.emit()
        self._run()

    def _step_from_start(self, steps: int) -> None:
        self.started.emit()
        self._step(steps)

    def _step(self, steps: int) -> None:
        self._send("step", steps=steps, stream=self._wanted())

    def _run(self) -> None:
        self._send("run", None, stream=self._wanted(), **self.speed)

    def _watch(self) -> None:
        if self.state in ("running", "paused"):
            self._send("watch", stream=self._wanted())

    def _train(self, out: Path, options: dict[str, Any]) -> None:
        options = {"device": self.device, **options}
        if self.host is None:
            self._send("train", out=str(out), **options)
            return
        self._away = (self.host.folder(out), out)
        self._send("train", out=self._away[0], **options)

    def _bring_home(self, fetching: Fetching, ending: Message) -> None:
        """Ask for one piece of a run after the other; the training has ended when all of it is here."""
        request = fetching.next()
        if request is None:
            self.ended.emit(ending)
            return

        def arrived(message: Message) -> None:
            if message["type"] == "error":
                self.ended.emit(ending)
                return
            try:
                fetching.take(message)
            except (FetchError, OSError) as error:
                self.failed.emit(str(error), "")
                self.ended.emit(ending)
            else:
                self._bring_home(fetching, ending)

        self._send(request[0], arrived, **request[1])

    def _stopped(self, message: Message) -> None:
        again, self._after_stop = self._after_stop, None
        self._impatience.stop()
        self._go("ready")
        if again:
            again()

    def _wanted(self) -> list[list[Any]]:
        asked = [entry for streams in self._streams.values() for entry in streams]
        return together(asked, self.signals)

    def _on_edit(self, edit: Edit) -> None:
        if self.state not in ("loading", "running", "paused"):
            return
        for op in edit.ops:
            match op:
                case {"op": "set", "path": ["nodes", str(node), "params", str(name)], "value": value}:
                    self._set_param(node, name, value)
        self._set_stale(bool(self._refused) or structure(self.session.document) != self._drawn)

    def _set_param(self, node: str, name: str, value: Any) -> None:
        def answered(message: Message) -> None:
            self._on_param(node, name, message)

        self._send("set_param", answered, node=node, name=name, value=value)

    def _on_param(self, node: str, name: str, message: Message) -> None:
        """A value that was turned away makes the drawing another network than the one that runs."""
        if message["type"] == "error":
            self._refused.add((node, name))
        elif not message.get("superseded"):
            self._refused.discard((node, name))
        self._set_stale(bool(self._refused) or structure(self.session.document) != self._drawn)

    def _set_stale(self, stale: bool) -> None:
        if stale != self.stale:
            self.stale = stale
            self.stale_changed.emit(stale)

    def _go(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
