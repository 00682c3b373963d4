"""Training one document as the command line asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cli._documents import program_of
from engine.cli._live import Live
from engine.cli._runs import about, read_record
from engine.cli._settings import Settings
from engine.data.store import data_root
from engine.document import load, weights
from engine.recipe import recipe


@dataclass(frozen=True)
class Job:
    """One training run.  ``settings`` have not been applied to ``file`` yet; ``out`` is its folder."""

    name: str
    file: Path
    out: Path
    settings: Settings
    device: str
    resume: bool
    processes: int = 1


def fit(job: Job, live: Live, should_stop: Callable[[], bool]) -> dict[str, Any]:
    """Train and judge; the record, which is also in ``run.json``.  ``stopped``: the user ended it."""
    document = load(job.file)
    job.settings.apply(document, "train")
    program = program_of(document, job.file)

    from engine.backend import checkpoint, recorded
    from engine.backend.network import Network
    from engine.backend.training import Options

    options = Options(
        job.out,
        program.seed,
        job.device,
        processes=job.processes,
        resume=job.resume,
        on_event=live.training(job.name, recipe("train", document.recipes).epochs),
        should_stop=should_stop,
    )
    network = Network(program)
    if not job.resume:
        checkpoint.begin(network, weights.place(document, job.file.parent))
    return recorded.train(
        network,
        document,
        data_root(),
        options,
        about(document, job.file, job.settings, job.device),
        lambda what: live.counting(f"{job.name}: {what}"),
        job.file.parent,
    )


def epochs_done(out: Path) -> int:
    """Epochs that a run has measured."""
    try:
        lines = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return max(0, len(lines) - 1)


def earlier_settings(out: Path) -> Settings:
    """The settings of a run that is to be resumed."""
    return Settings.of(read_record(out).get("settings", {}))
