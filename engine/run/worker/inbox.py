"""What comes in: a thread that reads requests into a queue."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque

from engine.run.protocol import Decoder, FrameError, Malformed, Message

PIECE = 1 << 16
GRACE = 10.0
"""Seconds in which a worker without a client must end by itself."""

QUIT: Message = {"type": "quit"}


class Inbox:
    """Requests in the order they came.  The end of the stream reads as ``quit``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: deque[Message | Malformed] = deque()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="inbox", daemon=True).start()

    def get(self, timeout: float | None = None) -> Message | Malformed | None:
        """The next request; None when none comes within ``timeout`` seconds (None waits for ever)."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout)
            return self._waiting.popleft() if self._waiting else None

    def superseded(self, message: Message) -> bool:
        """Whether a later request waiting here sets the same parameter (a slider being dragged)."""
        key = [message[field] for field in ("type", "node", "name")]
        with self._changed:
            later = [m for m in self._waiting if isinstance(m, dict)]
        return any([m.get(field) for field in ("type", "node", "name")] == key for m in later)

    def told_to_stop(self) -> bool:
        """Whether a stop or quit waits here."""
        with self._changed:
            return any(isinstance(m, dict) and m["type"] in ("stop", "quit") for m in self._waiting)

    def _put(self, message: Message | Malformed) -> None:
        with self._changed:
            self._waiting.append(message)
            self._changed.notify()

    def _work(self) -> None:
        decoder = Decoder()
        try:
            while data := os.read(self._descriptor, PIECE):
                for message in decoder.feed(data):
                    self._put(message)
            if decoder.inside:
                print("the stream of requests ended inside a frame", file=sys.stderr)
        except FrameError as error:
            self._put(Malformed(f"{error}; the worker ends"))
        except OSError as error:
            print(f"requests can no longer be read: {error}", file=sys.stderr)
        self._put(QUIT)
        # a computation that hears of nothing must not outlive its client
        watchdog = threading.Timer(GRACE, os._exit, (1,))
        watchdog.daemon = True
        watchdog.start()
