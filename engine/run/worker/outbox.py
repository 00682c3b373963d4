"""What goes out: a bounded queue and a thread that writes it, so that a slow reader never stops the run."""

from __future__ import annotations

import os
import threading
from collections import Counter, deque

from engine.run import protocol
from engine.run.protocol import FrameError, Message

MOST = {"records": 8, "state": 1, "progress": 1}
MOST_OF_OTHERS = 1000


class Outbox:
    """Messages waiting for the reader; when too many of a type wait, its oldest is dropped.

    Dropped records are counted: the next ones carry ``skipped`` steps and ``one_in`` (of so many frames).
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: deque[Message] = deque()
        self._count: Counter[str] = Counter()
        self._skipped_steps = self._skipped_frames = 0
        self._closing = self.broken = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Queue a message; returns at once."""
        kind = message["type"]
        with self._changed:
            if self._count[kind] >= MOST.get(kind, MOST_OF_OTHERS):
                self._drop(kind)
            self._waiting.append(message)
            self._count[kind] += 1
            self._changed.notify()

    def close(self, timeout: float = 1.0) -> None:
        """Write what waits, for at most ``timeout`` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)

    def _drop(self, kind: str) -> None:
        place = next(i for i, message in enumerate(self._waiting) if message["type"] == kind)
        oldest = self._waiting[place]
        del self._waiting[place]
        self._count[kind] -= 1
        if kind == "records":
            self._skipped_steps += oldest["steps"]
            self._skipped_frames += 1

    def _work(self) -> None:
        while (message := self._next()) is not None:
            try:
                self._write(_frame(message))
            except OSError:  # the reader is gone; Inbox sees the end of stdin and ends the worker
                self.broken = True
                return

    def _next(self) -> Message | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            self._count[message["type"]] -= 1
            if message["type"] == "records":
                message = {**message, "skipped": self._skipped_steps, "one_in": 1 + self._skipped_frames}
                self._skipped_steps = self._skipped_frames = 0
            return message

    def _write(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _frame(message: Message) -> bytes:
    try:
        return protocol.encode(message)
    except FrameError as error:
        request = message.get("request")
        return protocol.encode(
            {"type": "error", "of": message["type"], "request": request, "node": "", "text": str(error)}
        )
