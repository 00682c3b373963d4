"""Training in words: how it stands, what came of it and by which protocol."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from studio.training.run import Run


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def percent(part: float | None) -> str:
    """A proportion."""
    return "" if part is None else f"{100 * part:.1f}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def step(message: dict[str, Any]) -> str:
    """Where a training is."""
    return (
        f"epoch {message['epoch']} of {message['epochs']}, batch {message['batch']} of {message['batches']}"
    )


def speed(run: Run, message: dict[str, Any]) -> str:
    """How fast it goes, and how long it still takes."""
    rate = run.record.get("samples_per_s")
    parts = [f"{rate:,.0f} samples/s"] if rate else []
    left = message.get("left_s")
    return " · ".join([*parts, *([f"about {duration(left)} left"] if left is not None else [])])


def outcome(run: Run) -> str:
    """How a run ended."""
    of = f"epoch {run.epochs} of {run.planned}"
    kept = f"the weights of epoch {run.epochs} are kept, and Resume goes on from there"
    if run.status == "done":
        early = f" of {run.planned}: it stopped early" if run.epochs < run.planned else ""
        return f"finished after {run.epochs} epochs{early}"
    if run.status == "running":
        return f"another program trains this run: {of}"
    verb = {"stopped": "stopped", "failed": "failed"}.get(run.status, "interrupted")
    if run.rows and run.epochs >= run.planned:
        return f"{verb} after all {run.epochs} epochs, before the final judging; the weights are kept"
    if run.rows:
        return f"{verb} after {of}; {kept}"
    if run.resumable:
        return f"{verb} before the first epoch was done; Resume begins it again"
    return f"{verb} before the first epoch was done; nothing is kept"


def result(run: Run, data: str) -> tuple[str, str]:
    """(the result in bold, the protocol it belongs to); both empty where there is none."""
    found = run.record.get("result")
    seed = f"seed {run.record.get('seed', 0)}"
    chance = f"chance {percent(run.chance)}"
    if found:
        low, high = (percent(end) for end in found["interval"])
        protocol = f"{run.record['protocol']} ({run.epochs} of {run.planned})"
        recordings = f"{data}, {found['samples']:,} recordings of split '{found['split']}'"
        more = f"95 % interval {low} to {high}; {chance}; delays rounded"
        return f"Held-out {percent(found['accuracy'])}", f"{protocol}; {recordings}; {seed}; {more}"
    accuracy = run.accuracy
    if accuracy is None:
        return "", ""
    epoch = next(row["epoch"] for row in reversed(run.rows) if "test_accuracy" in row)
    protocol = f"{data}, split 'test', after epoch {epoch} of {run.planned}: not final; {seed}; {chance}"
    return f"Held-out so far {percent(accuracy)}", f"{protocol}; delays rounded"


def command(document: Path, out: Path) -> str:
    """The command line that trains a document."""
    return f"myelin train {shlex.quote(str(document))} --out {shlex.quote(str(out))}"
