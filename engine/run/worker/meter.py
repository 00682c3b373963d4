"""How fast a run goes and how much memory the worker holds."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

EVERY = 0.5


class Meter:
    """Steps and spikes counted, per second of the clock on the wall."""

    def __init__(self, dt: float) -> None:
        self.dt = dt
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self.steps, self.spikes, self.since = 0, 0.0, time.perf_counter()

    def due(self) -> bool:
        """Whether it is time for another reading."""
        return time.perf_counter() - self.since >= EVERY

    def count(self, steps: int, spikes: float) -> None:
        """Add a window."""
        self.steps, self.spikes = self.steps + steps, self.spikes + spikes

    def read(self) -> dict[str, Any]:
        """Rates since the last reading; ``real_time``: simulated seconds per second."""
        seconds = max(time.perf_counter() - self.since, 1e-9)
        rate = self.steps / seconds
        found = {
            "steps_per_s": rate,
            "spikes_per_s": self.spikes / seconds,
            "real_time": rate * self.dt / 1000,
        }
        self.restart()
        return found


def memory() -> int | None:
    """Bytes of memory this process holds (on macOS: has held at most); None where the system is mute."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None
