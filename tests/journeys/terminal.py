"""A person with only a terminal: every command is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def myelin(*arguments: str | Path, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command, ``variables`` added to the environment; it must end with ``status``."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == status, f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def answer(*arguments: str | Path, **variables: str) -> dict[str, Any]:
    """What the command prints with --json."""
    found: dict[str, Any] = json.loads(myelin(*arguments, "--json", **variables).stdout)
    return found


def probes(folder: Path) -> dict[str, np.ndarray]:
    """The records of a run by the name of their probe."""
    with np.load(folder / "probes.npz") as kept:
        return {name: kept[name] for name in kept.files}
