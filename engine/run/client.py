"""The client: starts a worker process and speaks with it.  No torch and no Qt.

with Client() as worker:
    worker.result(worker.load(document))
    worker.on("records", show)
    worker.run(frame=10)
    ...
    worker.stop()
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from engine.document import Document, dumps
from engine.errors import MyelinError
from engine.run import protocol
from engine.run.fetch import Fetching
from engine.run.hosts import Host
from engine.run.protocol import Decoder, FrameError, Malformed, Message

T = TypeVar("T")

PIECE = 1 << 16
GRACE = 2.0
"""Seconds a worker has for a stop or a farewell before it is killed."""

UNREAD = {"records": 16}
UNREAD_OF_OTHERS = 1000


class WorkerError(MyelinError):
    """A request was refused, or the worker has ended; ``node``: what it is about; ``message``: all of it."""

    def __init__(self, text: str, message: Message | None = None) -> None:
        super().__init__(text)
        self.message = message or {}
        self.node: str = self.message.get("node", "")


class Client:
    """One worker at a time, started by ``argv``: any command that joins stdin and stdout to one, such as ssh.

    ``host``: instead of ``argv``, another machine, whose failures it then explains.

    Methods named like a request send it and return its number for ``result``.  Callbacks run in the reader's
    thread and must not wait for the worker themselves.  When the worker ends by itself, an ``error`` event
    says how; ``start`` gives a new one.
    """

    def __init__(self, argv: Sequence[str] | None = None, host: Host | None = None) -> None:
        self.host = host
        argv = host.argv if host else argv
        self.argv = list(argv) if argv else [sys.executable, "-P", "-m", "engine.run.worker"]
        self._environment = None if argv else _with_our_code()
        self._callbacks: dict[str, list[Callable[[Message], None]]] = {}
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._number = 0
        self._forget()

    def _forget(self) -> None:
        self._unread: dict[str, deque[Message]] = {}
        self._answers: dict[int, Message] = {}
        self._open: set[int] = set()
        self._last_words: deque[str] = deque(maxlen=50)
        self._ending = self._met = False
        self._ended: Message | None = None

    def __enter__(self) -> Client:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether a worker is there."""
        return self._process is not None and self._ended is None

    @property
    def pid(self) -> int | None:
        """Process id of what ``argv`` started."""
        return self._process.pid if self._process else None

    def start(self) -> Client:
        """Start a worker, unless one is alive."""
        if self.alive:
            return self
        self._reap()
        self._forget()
        try:
            # a session of its own: Ctrl-C stays here, and a shell around the worker can be killed with it
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            reason = error.strerror or error
            raise WorkerError(f"the worker cannot be started: {self.argv[0]}: {reason}") from None
        errors = threading.Thread(target=self._listen, args=(self._process,), name="worker errors")
        reader = threading.Thread(target=self._read, args=(self._process, errors), name="worker reader")
        self._threads = [errors, reader]
        for thread in self._threads:
            thread.daemon = True
            thread.start()
        return self

    def on(self, event: str, callback: Callable[[Message], None]) -> None:
        """Call ``callback`` with every message of type ``event`` (``records``, ``state``, ``error``, ...)."""
        self._callbacks.setdefault(event, []).append(callback)

    def hello(self) -> int:
        """Ask who is there."""
        return self.send("hello")

    def devices(self) -> int:
        """Ask what the worker can compute on; answered when it has loaded torch."""
        return self.send("devices")

    def fetch(self, folder: str, into: Path) -> None:
        """Bring the folder of a run home from the machine of the worker; waits until all of it is here."""
        fetching = Fetching(folder, into)
        while (request := fetching.next()) is not None:
            fetching.take(self.result(self.send(request[0], **request[1])))

    def load(self, document: Document | str, **options: Any) -> int:
        """Load a document (or its text).  Options: ``name``, ``checkpoint`` (path), ``device``."""
        text = document if isinstance(document, str) else dumps(document)
        return self.send("load", document=text, **options)

    def run(self, **options: Any) -> int:
        """Run from the beginning, or on from a pause; answered when it ends.

        ``steps`` or ``duration`` (ms): how far; ``frame`` (steps per frame of records) and ``fps``, or
        ``factor`` (simulated seconds per second): how fast; ``stream``: which signals, as a list of
        ``[node, port, indices or None]``; ``split``, ``samples``, ``data_root``: which recordings.
        """
        return self.send("run", **options)

    def pause(self) -> int:
        """Hold the run; ``run`` or ``step`` goes on."""
        return self.send("pause")

    def step(self, steps: int = 1) -> int:
        """Run ``steps`` steps and hold."""
        return self.send("step", steps=steps)

    def set_param(self, node: str, name: str, value: Any) -> int:
        """Change a parameter, also of a run in progress, which keeps its state."""
        return self.send("set_param", node=node, name=name, value=value)

    def stimulate(
        self,
        node: str,
        amplitude: float,
        steps: int = 1,
        neurons: Sequence[int] | None = None,
        at: int | None = None,
    ) -> int:
        """Add a current to neurons (None: all) of a population for ``steps`` steps, from ``at`` or now on."""
        chosen = None if neurons is None else list(neurons)
        return self.send("stimulate", node=node, amplitude=amplitude, steps=steps, neurons=chosen, at=at)

    def train(self, out: str | Path, **options: Any) -> int:
        """Train into the folder ``out``.  Options: ``seed``, ``device``, ``data_root``, ``resume``."""
        return self.send("train", out=str(out), **options)

    def deploy(self, target: str, **options: Any) -> int:
        """Export what is loaded (see ``engine.run.worker.deploy``).

        Options: ``options`` of the target, ``path``, ``verify``, ``samples``, ``steps``, ``data_root``.
        """
        return self.send("deploy", target=target, **options)

    def checkpoint(self, path: str | Path) -> int:
        """Save the network's tensors."""
        return self.send("checkpoint", path=str(path))

    def send(self, kind: str, **fields: Any) -> int:
        """Send any request; its number."""
        process = self._process
        if process is None or process.stdin is None or self._ended is not None:
            raise self._gone()
        with self._writing:
            self._number += 1
            number = self._number
            try:
                frame = protocol.encode({"type": kind, "request": number, **fields})
                self._open.add(number)
                _write_all(process.stdin.fileno(), frame)
            except FrameError as error:
                raise WorkerError(str(error)) from None
            except (OSError, ValueError):
                self._open.discard(number)
                with self._changed:  # the reader knows in a moment how it ended
                    self._changed.wait_for(lambda: self._ended is not None, GRACE)
                raise self._gone() from None
        return number

    def result(self, request: int, timeout: float = 60.0) -> Message:
        """The ``done`` that answers a request; WorkerError when it was refused or the worker ended."""
        answer = self._wait(lambda: self._answers.pop(request, None), timeout, f"answer to request {request}")
        if answer["type"] == "error":
            raise WorkerError(answer["text"], answer)
        return answer

    def wait(self, event: str, timeout: float = 60.0) -> Message:
        """The oldest message of type ``event`` that no ``wait`` has returned yet; the newest are kept."""
        return self._wait(lambda: self._oldest(event), timeout, event)

    def stop(self, timeout: float = GRACE) -> bool:
        """End the run or training; a worker that has not done so in time is killed (False)."""
        try:
            self.result(self.send("stop"), timeout)
        except (TimeoutError, WorkerError):
            if self.alive:
                self._kill()
            return False
        return True

    def close(self) -> None:
        """Let the worker end, kill it if it does not, and leave nothing behind."""
        process = self._process
        if process is None:
            return
        self._ending = True
        with suppress(WorkerError):  # it may have ended already
            self.send("quit")
        if process.stdin:
            with self._writing:
                process.stdin.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._kill()
        self._reap()

    def _oldest(self, event: str) -> Message | None:
        queue = self._unread.get(event)
        return queue.popleft() if queue else None

    def _wait(self, take: Callable[[], T | None], timeout: float, what: str) -> T:
        until = time.monotonic() + timeout
        with self._changed:
            while (found := take()) is None:
                if self._process is None or self._ended is not None:
                    raise self._gone()
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"the worker sent no {what} within {timeout:g} s")
                self._changed.wait(left)
            return found

    def _gone(self) -> WorkerError:
        if self._ended is not None:
            return WorkerError(self._ended["text"], self._ended)
        return WorkerError("no worker has been started")

    def _read(self, process: subprocess.Popen[bytes], errors: threading.Thread) -> None:
        decoder = Decoder()
        assert process.stdout is not None
        try:
            while data := os.read(process.stdout.fileno(), PIECE):
                for message in decoder.feed(data):
                    self._receive(_understood(message))
        except FrameError as error:
            self._last_words.append(str(error))
            self._kill()
        status = process.wait()
        errors.join(GRACE)  # its last words; a stray child may hold stderr open
        self._end(status)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if text := line.decode(errors="replace").strip():
                self._last_words.append(text)

    def _receive(self, message: Message) -> None:
        self._met = True
        kind, number = message["type"], message.get("request")
        with self._changed:
            if kind in ("done", "error") and number in self._open:
                self._open.discard(number)
                self._answers[number] = message
            most = UNREAD.get(kind, UNREAD_OF_OTHERS)
            self._unread.setdefault(kind, deque(maxlen=most)).append(message)
            self._changed.notify_all()
        for callback in self._callbacks.get(kind, ()):
            try:
                callback(message)
            except Exception:  # a listener's fault must not end the reading
                traceback.print_exc()

    def _end(self, status: int) -> None:
        last = f": {self._last_words[-1]}" if self._last_words else ""
        text = f"the worker has ended ({_how(status)}){'' if self._ending else last}"
        if self.host and not self._ending:
            text = self.host.failure(status, self._last_words[-1] if self._last_words else "", self._met)
        message = {"type": "error", "of": "", "request": None, "node": "", "text": text, "exit": status}
        with self._changed:
            self._ended = message
            self._changed.notify_all()
        if not self._ending:
            self._receive(message)

    def _kill(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        if sys.platform == "win32":
            process.kill()
            return
        with suppress(ProcessLookupError):  # it may end in this moment
            os.killpg(process.pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Join the threads and close the pipes of a worker that has ended."""
        for thread in self._threads:
            thread.join(2 * GRACE)
        process, self._process, self._threads = self._process, None, []
        if process is not None:
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


def _understood(message: Message | Malformed) -> Message:
    if isinstance(message, Malformed):
        return {"type": "error", "of": "", "request": None, "node": "", "text": message.reason}
    return message


def _with_our_code() -> dict[str, str]:
    """The environment in which ``python -P`` (never code from the current folder) finds this very engine."""
    root = str(Path(__file__).resolve().parents[2])
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": root + (os.pathsep + before if before else "")}


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _how(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
