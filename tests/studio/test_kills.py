"""Window or worker killed at any point of a sequence of edits and runs: only the edit in flight is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.document import Document, History, dumps, journal_path, load, recover, save
from tests.studio.victim import mint, steps

ROOT = Path(__file__).resolve().parents[2]
LIVES = 25
"""Each ends by two kills: first of the worker, then of the window."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals")


def first() -> Document:
    document = Document.new("Victim", mint=mint(1))
    noise = document.add("population.poisson", name="noise", size=[5], at=[0, 0])
    weights = document.add("projection.dense", name="weights", at=[200, 0])
    cells = document.add("population.lif", name="cells", size=[4], at=[400, 0])
    document.connect(noise, "spikes", weights, "input")
    document.connect(weights, "output", cells, "input")
    return document


def life(file: Path, seed: int) -> int:
    """Let a studio live for a while, kill its worker and then itself; the steps it told."""
    rng = random.Random(f"life {seed}")
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/studio/victim.py"), str(file), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
    )
    end = threading.Timer(60, child.kill)
    end.start()
    told, worker, last, first_kill = -1, 0, rng.randint(2, 400), rng.randint(1, 200)
    assert child.stdout is not None
    for line in child.stdout:
        told += 1
        worker = int(line.split()[1]) or worker
        if worker and told >= first_kill:
            os.kill(worker, signal.SIGKILL)
            worker, first_kill = 0, 10_000
        if told >= last:
            break
    child.kill()
    rest = child.communicate()
    end.cancel()
    told += rest[0].count("\n")
    assert told >= last, f"it died by itself: {rest[1]}"
    return told


def states(document: Document, seed: int, count: int) -> list[str]:
    """The document after 0, 1, ... ``count`` steps."""
    document.mint = mint(seed)
    history, found = History(document), [dumps(document)]
    made = steps(document, history, seed)
    for _ in range(count):
        next(made)
        found.append(dumps(document))
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifty_kills_lose_at_most_the_edit_in_flight(tmp_path: Path) -> None:
    file = tmp_path / "victim.myelin"
    for seed in range(LIVES):
        journal_path(file).unlink(missing_ok=True)
        save(first(), file)
        told = life(file, seed)
        journal = journal_path(file)
        left = recover(journal) if journal.exists() else None
        found = dumps(left if left is not None else load(file))
        possible = states(first(), seed, told + 1)
        assert found in possible[told:], f"life {seed} lost more than its last edit"
