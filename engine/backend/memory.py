"""How much memory there is, asked before something large is begun."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from engine.errors import MyelinError

MOST = 0.9  # part of the free memory that one thing may take


def free() -> float | None:
    """Bytes that can still be had; where the system does not say, all that it has; None where it is mute."""
    with suppress(OSError):
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        if found:
            return 1024.0 * int(found[1])
    with suppress(AttributeError, OSError, ValueError):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return None


def require(needed: float, what: str, advice: str) -> None:
    """MyelinError unless ``needed`` bytes can be had for ``what``."""
    there = free()
    if there is not None and needed > MOST * there:
        raise MyelinError(f"{what} needs {needed / 1e9:,.1f} GB, but {there / 1e9:.1f} GB are free: {advice}")
