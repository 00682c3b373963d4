"""What this machine can compute on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch


def devices() -> list[dict[str, Any]]:
    """``id`` as torch calls it, a ``name`` for people, and ``memory`` in bytes (None: not known)."""
    found = [{"id": "cpu", "name": f"CPU, {_processor()}", "memory": _memory()}]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append({"id": f"cuda:{index}", "name": properties.name, "memory": properties.total_memory})
    if torch.backends.mps.is_available():
        found.append({"id": "mps", "name": "Apple GPU", "memory": _memory()})
    return found


def _processor() -> str:
    cores = os.cpu_count() or 1
    return f"{cores} {platform.machine()} core{'s' if cores > 1 else ''}"


def _memory() -> int | None:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        total = next(line for line in meminfo.read_text().splitlines() if line.startswith("MemTotal"))
        return int(total.split()[1]) * 1024
    if sys.platform == "darwin":
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return None
