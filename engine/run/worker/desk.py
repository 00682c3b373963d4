"""The worker's desk: takes one request after the other, and between them lets the run go on.

torch is loaded by a thread behind the first answers; whatever needs it waits for that.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.run import protocol
from engine.run.protocol import Malformed, Message
from engine.run.worker.inbox import QUIT, Inbox
from engine.run.worker.meter import memory
from engine.run.worker.outbox import Outbox

if TYPE_CHECKING:
    from engine.run.worker.live import Live
    from engine.run.worker.session import Session

Reply = dict[str, Any] | None


class Desk:
    """State of the worker: nothing loaded, a session, a run of it (``live``), or a training."""

    def __init__(self, inbox: Inbox, outbox: Outbox) -> None:
        self.inbox, self.outbox = inbox, outbox
        self.session: Session | None = None
        self.live: Live | None = None
        self.training = self.quitting = False
        self.ready = threading.Thread(target=_load_torch, name="load torch", daemon=True)
        self.ready.start()

    def serve(self) -> int:
        """Until ``quit``; the exit status."""
        while not self.quitting:
            message = self.inbox.get(self._patience())
            if message is not None:
                self._take(message)
            elif self.live and not self.live.paused:
                self._advance(self.live)
        if self.live:
            self._end("stopped")
        return 0

    def _patience(self) -> float | None:
        """Seconds to wait for a request; for ever when nothing runs."""
        return self.live.wait() if self.live and not self.live.paused else None

    def _take(self, message: Message | Malformed) -> None:
        if isinstance(message, Malformed):
            self.outbox.put({"type": "error", "of": "", "request": None, "node": "", "text": message.reason})
            return
        sentence = protocol.problem(message)
        if sentence:
            self._error(message, sentence)
            return
        try:
            reply = getattr(self, f"_{message['type']}")(message)
        except Exception as error:  # whatever a request leads to, the worker stays there for the next one
            self._failed(message, error)
        else:
            if reply is not None:
                self._done(message, reply)

    def _hello(self, message: Message) -> Reply:
        return {
            "protocol": protocol.VERSION,
            "pid": os.getpid(),
            "host": platform.node(),
            "python": platform.python_version(),
            "ready": not self.ready.is_alive(),
        }

    def _devices(self, message: Message) -> Reply:
        """Torch knows them, so it must be loaded first."""
        self._await_torch()
        from engine.run.worker.devices import devices

        return {"devices": devices()}

    def _files(self, message: Message) -> Reply:
        from engine.run.worker.results import listing

        return {"files": listing(message["folder"])}

    def _fetch(self, message: Message) -> Reply:
        from engine.run.worker.results import piece

        return piece(message["folder"], message["file"], message.get("offset") or 0)

    def _load(self, message: Message) -> Reply:
        self._await_torch()
        from engine.document import loads
        from engine.run.worker import streams
        from engine.run.worker.errors import described
        from engine.run.worker.session import Session

        self._end("replaced")
        name = message.get("name") or "the document"
        document = loads(message["document"], name)
        session = Session(document, message.get("device") or "cpu", Path(name).parent)
        session.load_tensors(message.get("checkpoint") or None)
        self.session = session
        self._tell()
        program = session.program
        return {
            "title": program.title,
            "dt": program.dt,
            "seed": program.seed,
            "ops": len(program.ops),
            "records": [record.name for record in program.records],
            "signals": streams.available(session),
            "diagnostics": described(session.compiled.diagnostics),
        }

    def _run(self, message: Message) -> Reply:
        session = self._loaded()
        steps = message.get("steps")
        if steps is None and message.get("duration") is not None:
            steps = max(1, round(message["duration"] / session.program.dt))
        self._start(message, message.get("stream"), steps, message)
        return None

    def _step(self, message: Message) -> Reply:
        asked = message.get("stream") or (self.live.asked if self.live else None)
        self._start(message, asked, message.get("steps") or 1, {})
        return None

    def _start(self, message: Message, asked: list[Any] | None, steps: int | None, speed: Message) -> None:
        """Begin a run, or go on with the one there is, on behalf of a new request."""
        from engine.run.worker.feeds import open_feed
        from engine.run.worker.live import Live

        session, live = self._loaded(), self.live
        if live is None:
            feed = open_feed(session, message, self._reading, self.inbox.told_to_stop)
            live = Live(session, feed, self.outbox.put)
        live.choose(asked)
        self._close(live, "replaced")
        live.set_speed(speed)
        live.go(message, steps)
        self.live = live
        self._tell()

    def _reading(self, done: int, total: int) -> None:
        self.outbox.put({"type": "progress", "of": "data", "done": done, "total": total})

    def _watch(self, message: Message) -> Reply:
        """Other streams for the run in progress, which goes on, or stays paused, as it is."""
        self._loaded()
        if self.live:
            self.live.choose(message["stream"])
            self.live.flush()
        return {}

    def _pause(self, message: Message) -> Reply:
        if self.live:
            self.live.flush()
            self.live.paused = True
        self._tell()
        return {"step": self.live.clock if self.live else 0}

    def _set_param(self, message: Message) -> Reply:
        session = self._loaded()
        if self.inbox.superseded(message):
            return {"superseded": True}
        self._refuse_data(session, message["node"])
        changed = session.changed(message["node"], message["name"], message["value"])
        if self.live:
            self.live.adopt(changed)
        self.session = changed
        return {"step": self.live.clock if self.live else 0}

    def _refuse_data(self, session: Session, node: str) -> None:
        """What a run has already read cannot change under it."""
        from engine.run.worker.errors import RefusedError

        op = session.program.ops.get(node)
        if self.live and op is not None and op.role in ("dataset", "offline"):
            raise RefusedError(f"'{op.name}' cannot change while its recordings run: stop first", node)

    def _stimulate(self, message: Message) -> Reply:
        from engine.run.worker.errors import RefusedError

        self._loaded()
        if self.live is None:
            raise RefusedError("nothing runs that could be stimulated: send run first", message["node"])
        start = self.live.stimulate(
            message["node"],
            message.get("neurons"),
            float(message["amplitude"]),
            message.get("steps") or 1,
            message.get("at"),
        )
        return {"step": start}

    def _train(self, message: Message) -> Reply:
        session = self._loaded()
        from engine.run.worker.training import train

        self._end("replaced")
        self.training = True
        self._tell()
        try:
            self.session, record = train(session, message, self.outbox.put, self._told_to_stop)
        finally:
            self.training = False
            self._tell()
        reason = "stopped" if record["stopped"] else "finished"
        return {"reason": reason, "result": record["metrics"], "record": record}

    def _deploy(self, message: Message) -> Reply:
        session = self._loaded()
        from engine.run.worker.deploy import deploy

        return deploy(session, message, self.outbox.put, self.inbox.told_to_stop)

    def _checkpoint(self, message: Message) -> Reply:
        from engine.backend import checkpoint

        session = self._loaded()
        metadata = {"title": session.program.title, "step": self.live.clock if self.live else 0}
        checkpoint.write(session.network, Path(message["path"]), metadata)
        return {"path": message["path"]}

    def _stop(self, message: Message) -> Reply:
        self._end("stopped")
        self._tell()
        return {}

    def _quit(self, message: Message) -> Reply:
        self.quitting = True
        return {}

    def _told_to_stop(self) -> bool:
        """Whether training has to stop; a stop is left waiting, anything else is turned away."""
        if self.inbox.told_to_stop():
            return True
        while (message := self.inbox.get(0)) is not None:
            if isinstance(message, Malformed) or message["type"] == "hello":
                self._take(message)
            else:
                self._error(message, "the worker is training: stop that first")
        return False

    def _await_torch(self) -> None:
        from engine.run.worker.errors import StoppedError

        while self.ready.is_alive():
            self.ready.join(0.05)
            if self.inbox.told_to_stop():
                raise StoppedError("the loading was stopped")

    def _loaded(self) -> Session:
        self._await_torch()
        from engine.run.worker.errors import RefusedError

        if self.session is None:
            raise RefusedError("no document is loaded: send load first")
        return self.session

    def _advance(self, live: Live) -> None:
        try:
            live.advance()
        except Exception as error:  # a network that cannot go on must not take the worker with it
            live.flush()
            self.live = None
            self._failed(live.request, error)
            self._tell()
            return
        if live.over:
            self._end("finished")
            self._tell()
        elif live.paused:
            self._target_met(live)
        elif live.meter.due():
            self._tell()

    def _target_met(self, live: Live) -> None:
        if live.request["type"] == "run":
            self._end("finished")
        else:
            self._close(live, "finished")
        self._tell()

    def _end(self, reason: str) -> None:
        """The run is over."""
        if self.live:
            self.live.flush()
            self._close(self.live, reason)
            self.live = None

    def _close(self, live: Live, reason: str) -> None:
        """Answer the request a run works for."""
        if live.request:
            self._done(live.request, {"reason": reason, "step": live.clock})
            live.request = {}

    def _tell(self) -> None:
        """The state, and how far and fast the run goes."""
        live = self.live
        message: Message = {"type": "state", "state": self._name(), "step": 0, "time": 0.0}
        message["memory"] = memory()
        if live:
            message |= {
                "step": live.clock,
                "time": live.clock * live.session.program.dt,
                "sample": live.feed.sample,
                **live.meter.read(),
            }
            self._progress(live)
        self.outbox.put(message)

    def _name(self) -> str:
        if self.live:
            return "paused" if self.live.paused else "running"
        return "training" if self.training else "idle"

    def _progress(self, live: Live) -> None:
        if live.target is not None:
            self.outbox.put({"type": "progress", "of": "run", "done": live.clock, "total": live.target})
        elif live.feed.sample:
            sample = live.feed.sample
            self.outbox.put({"type": "progress", "of": "run", "done": sample["index"], "total": sample["of"]})

    def _done(self, message: Message, reply: dict[str, Any]) -> None:
        if message is not QUIT:
            request = message.get("request")
            self.outbox.put({"type": "done", "of": message["type"], "request": request, **reply})

    def _failed(self, message: Message, error: Exception) -> None:
        from engine.run.worker.errors import StoppedError, described, sentence

        if isinstance(error, StoppedError):
            self._done(message, {"reason": "stopped"})
            return
        diagnostics = described(getattr(error, "diagnostics", ()))
        self._error(message, sentence(error), getattr(error, "node", ""), diagnostics)

    def _error(self, message: Message, text: str, node: str = "", found: list[Any] | None = None) -> None:
        self.outbox.put(
            {
                "type": "error",
                "of": message["type"],
                "request": message.get("request"),
                "node": node,
                "text": text,
                "diagnostics": found or [],
            }
        )


def _load_torch() -> None:
    """So that the first ``load`` need not wait; an import that fails says so there again."""
    try:
        import engine.run.worker.live
        import engine.run.worker.session  # noqa: F401
    except Exception as error:
        print(f"the backend cannot be loaded: {error}", file=sys.stderr)
