"""The worker process: reads requests on stdin, computes, and writes what comes of it on stdout.

``hello`` is answered at once; torch loads behind it.  Anything a library prints goes to stderr.
"""

from __future__ import annotations

import os
import signal
import sys

from engine.run.worker.inbox import Inbox
from engine.run.worker.outbox import Outbox


def main() -> int:
    """Serve until ``quit`` or the end of stdin; the exit status."""
    source, target = _take_stdio()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the client, who then says quit
    from engine.run.worker.desk import Desk

    outbox = Outbox(target)
    status = Desk(Inbox(source), outbox).serve()
    outbox.close()
    return status


def _take_stdio() -> tuple[int, int]:
    """Descriptors of our own for the protocol; for others stdin is empty, and stdout is stderr."""
    source, target = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (source, target):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return source, target
