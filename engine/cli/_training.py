"""Training one document and judging what came of it; the record of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli._documents import program_of
from engine.cli._live import Live
from engine.cli._runs import BEST, WEIGHTS, origin, read_record, write_record
from engine.cli._settings import Settings
from engine.data.store import data_root
from engine.document import Document, load, save
from engine.recipe import recipe
from nodes.spec import Values

if TYPE_CHECKING:
    from engine.backend.data import Split
    from engine.backend.network import Network

HELD_OUT = "test"


@dataclass(frozen=True)
class Job:
    """One training run.  ``settings`` have not been applied to ``file`` yet; ``out`` is its folder."""

    name: str
    file: Path
    out: Path
    settings: Settings
    device: str
    resume: bool


def fit(job: Job, live: Live, should_stop: Callable[[], bool]) -> dict[str, Any]:
    """Train and judge; the record, which is also in ``run.json``.  ``stopped``: the user ended it."""
    document = load(job.file)
    job.settings.apply(document, "train")
    program = program_of(document, job.file)
    chosen = recipe("train", document.recipes)
    record = {
        "kind": "train",
        "status": "running",
        **origin(document, job.file, job.settings, job.device),
        "recipe": dict(chosen),
        "protocol": protocol(dict(chosen)),
        "weights": WEIGHTS,
    }

    from engine.backend import training
    from engine.backend.data import Split
    from engine.backend.network import Network

    root = data_root()
    splits = {
        name: Split(program, name, root, progress=live.counting(f"{job.name}: reading {name}"))
        for name in ("train", HELD_OUT)
    }
    network, begun = Network(program), time.monotonic()
    listener = _Listener(live.training(job.name, chosen.epochs), lambda: _begin(job, document, record))
    options = training.Options(
        job.out, program.seed, job.device, resume=job.resume, on_event=listener, should_stop=should_stop
    )
    last = training.train(network, chosen, splits, options)
    record |= {"metrics": last, "seconds": round(time.monotonic() - begun, 3), "stopped": "stopped" in last}
    record |= {"status": "stopped"} if record["stopped"] else _judged(job, live, network, splits, chosen)
    write_record(job.out, record)
    return record


def _begin(job: Job, document: Document, record: dict[str, Any]) -> None:
    """What a run keeps from its first step on, so that it can be resumed after a crash."""
    write_record(job.out, record)
    save(document, job.out / "document.myelin")


class _Listener:
    """Passes events on; before the first one, when training is known to work, it calls ``begin``."""

    def __init__(self, listen: Callable[[dict[str, Any]], None], begin: Callable[[], None]) -> None:
        self.listen, self.begin, self.begun = listen, begin, False

    def __call__(self, event: dict[str, Any]) -> None:
        if not self.begun:
            self.begun = True
            self.begin()
        self.listen(event)


def _judged(
    job: Job, live: Live, network: Network, splits: dict[str, Split], chosen: Values
) -> dict[str, Any]:
    """What the weights that were reached do on the held-out split."""
    from engine.backend.evaluation import evaluate

    tick = live.counting(f"{job.name}: held-out accuracy")
    found = evaluate(network, splits[HELD_OUT], batch=chosen.batch, on_progress=tick)
    weights = BEST if chosen.validation and (job.out / BEST).exists() else WEIGHTS
    return {"status": "done", "weights": weights, "result": with_interval(found)}


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


def protocol(chosen: dict[str, Any]) -> str:
    """By which rule the epoch was chosen whose accuracy is reported."""
    if chosen["validation"]:
        part = f"{100 * chosen['validation']:.0f} % of the training split"
        return f"held-out split, epoch chosen on {part}"
    return "held-out split, last epoch"


def with_interval(found: dict[str, Any]) -> dict[str, Any]:
    """An evaluation with the 95 % confidence interval of its accuracy."""
    return {**found, "interval": wilson(found["accuracy"], found["samples"])}


def wilson(part: float, samples: int, z: float = 1.959963984540054) -> list[float]:
    """The 95 % confidence interval of a proportion (Wilson 1927)."""
    if not samples:
        return [0.0, 1.0]
    middle = part + z * z / (2 * samples)
    reach = z * math.sqrt(part * (1 - part) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    return [max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)]
