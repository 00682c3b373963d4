"""Window or worker killed at any point of a sequence of edits and runs: only the edit in flight is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture
def studios(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """What makes one studio after the other."""
    with (tmp_path / "errors").open("w") as errors:
        made = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/studio/victim.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        )
        with made:
            yield made
            made.kill()


def life(studios: subprocess.Popen[str], file: Path, seed: int) -> int:
    """Let a studio live for a while, kill its worker and then itself; the steps it told."""
    rng = random.Random(f"life {seed}")
    last = rng.randint(2, 400 if seed % 5 == 0 else 100)  # the long ones see a worker that runs
    first_kill = rng.randint(1, last)
    assert studios.stdin is not None
    assert studios.stdout is not None
    print(seed, file, file=studios.stdin, flush=True)
    told, worker, window = -1, 0, 0
    for line in studios.stdout:
        kind, number = line.split()
        if kind == "dead":
            break
        told += 1
        window = int(number) if kind == "born" else window
        worker = int(number) or worker if kind != "born" else 0
        if worker and told >= first_kill:
            os.kill(worker, signal.SIGKILL)
            worker, first_kill = 0, 10_000
        if told == last:
            os.kill(window, signal.SIGKILL)
    assert told >= last, f"it died by itself: {(file.parent / 'errors').read_text()}"
    return told


def states(document: Document, seed: int, count: int) -> list[str]:
    """The document after ``count`` steps, and after one more."""
    document.mint = mint(seed)
    history = History(document)
    made = steps(document, history, seed)
    for _ in range(count):
        next(made)
    before = dumps(document)
    next(made)
    return [before, dumps(document)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifty_kills_lose_at_most_the_edit_in_flight(tmp_path: Path, studios: subprocess.Popen[str]) -> None:
    file = tmp_path / "victim.myelin"
    for seed in range(LIVES):
        journal_path(file).unlink(missing_ok=True)
        save(first(), file)
        told = life(studios, file, seed)
        journal = journal_path(file)
        left = recover(journal) if journal.exists() else None
        found = dumps(left if left is not None else load(file))
        assert found in states(first(), seed, told), f"life {seed} lost more than its last edit"
