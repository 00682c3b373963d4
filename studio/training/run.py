"""One training run as its folder tells it, half-written files included, or as a worker is telling it."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engine import runs
from engine.document import Document, DocumentError, load
from engine.errors import MyelinError
from nodes import registry

Row = dict[str, Any]
METRICS = "metrics.csv"
PINNED = "pinned"
FILES = (runs.RECORD, METRICS, runs.EPOCHS, runs.LOCK, PINNED, runs.WEIGHTS)


@dataclass
class Run:
    """``rows``: the scalars of every epoch; ``seen``: what was watched and judged in it, where that is known.

    ``steps``: (epochs done, loss of a batch), only of a training in this window.  ``status``: ``running``,
    ``done``, ``stopped``, ``interrupted``, ``failed``.
    """

    folder: Path
    record: Row = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    seen: list[Row] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    drawn: Document | None = None
    status: str = "running"
    pinned: bool = False
    resumable: bool = False
    bytes: int = 0

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def word(self) -> str:
        """What to call it."""
        return self.id.rpartition("-")[2]

    @property
    def recipe(self) -> Row:
        """The settings it was trained with."""
        found: Row = self.record.get("recipe", {})
        return found

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return int(self.rows[-1]["epoch"]) if self.rows else 0

    @property
    def planned(self) -> int:
        """Epochs it was to have."""
        return int(self.recipe.get("epochs", self.epochs))

    @property
    def accuracy(self) -> float | None:
        """On the held-out split with rounded delays; of a run without a result, the newest judgement."""
        result = self.record.get("result")
        found: float | None = result["accuracy"] if result else self.latest("test_accuracy")
        return found

    @property
    def chance(self) -> float | None:
        """The held-out accuracy of guessing."""
        result = self.record.get("result") or self.judged() or {}
        return result.get("chance", self.record.get("chance"))

    @property
    def weights(self) -> Path:
        """The file with what it learned."""
        return self.folder / str(self.record.get("weights", runs.WEIGHTS))

    def latest(self, name: str) -> Any:
        """The newest value of a metric."""
        return next((row[name] for row in reversed(self.rows) if name in row), None)

    def judged(self, split: str = "test") -> Row | None:
        """The newest judgement on a split, with its confusion matrix."""
        result = self.record.get("result")
        if result and result.get("split") == split:
            return dict(result)
        found = (line.get("judged", {}).get(split) for line in reversed(self.seen))
        return next((one for one in found if one), None)

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """A metric over epochs."""
        found = [(row["epoch"], row[name]) for row in self.rows if name in row]
        return [float(x) for x, _ in found], [float(y) for _, y in found]

    def watched(self, kind: str) -> list[Row]:
        """The newest ``rates``, ``gradients``, ``delays`` or ``weights``."""
        return list(self.seen[-1].get("watched", {}).get(kind, [])) if self.seen else []

    def history(self, kind: str, value: str) -> dict[str, tuple[list[float], list[float]]]:
        """What was watched over epochs: (epochs, values) by name."""
        found: dict[str, tuple[list[float], list[float]]] = {}
        for line in self.seen:
            for one in line.get("watched", {}).get(kind, []):
                name = f"{one['name']} {one['tensor']}" if kind == "gradients" else one["name"]
                x, y = found.setdefault(name, ([], []))
                x.append(float(line["epoch"]))
                y.append(float(one[value]))
        return found


def read(folder: Path) -> Run:
    """What a folder tells of its run; a file that is missing or half-written tells less."""
    record = _record(folder / runs.RECORD)
    run = Run(folder, record, _rows(folder / METRICS), _lines(folder / runs.EPOCHS))
    run.drawn = _drawn(folder / runs.DRAWN)
    run.status = record.get("status", "interrupted")
    if run.status == "running" and not _busy(folder):
        run.status = "interrupted"
    run.pinned = (folder / PINNED).exists()
    run.resumable = run.status != "running" and (folder / runs.WEIGHTS).exists()
    with suppress(OSError):
        run.bytes = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return run


def mark_stopped(folder: Path) -> None:
    """Write down that a run was ended by the user, where its worker was killed before it could."""
    record = _record(folder / runs.RECORD)
    if record.get("status") == "running":
        with suppress(MyelinError):
            runs.write_record(folder, {**record, "status": "stopped", "stopped": True})


def stamp(folder: Path) -> tuple[int, ...]:
    """Another one after the files of a run have changed."""
    found = []
    for name in FILES:
        with suppress(OSError):
            status = (folder / name).stat()
            found += [status.st_mtime_ns, status.st_size]
    return tuple(found)


def _record(file: Path) -> Row:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _rows(file: Path) -> list[Row]:
    """The whole lines: the last one may still be being written."""
    found: list[Row] = []
    for line in csv.DictReader(_whole_lines(file)):
        with suppress(ValueError):
            row = {name: float(value) for name, value in line.items() if value and name}
            if row.get("epoch") == len(found) + 1 and "train_loss" in row:
                found.append({**row, "epoch": int(row["epoch"])})
    return found


def _whole_lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError:
        return []
    return [line for line in lines if line.endswith("\n")]


def _lines(file: Path) -> list[Row]:
    found = []
    for line in _whole_lines(file):
        with suppress(ValueError):
            found.append(json.loads(line))
    return [one for one in found if isinstance(one, dict) and "epoch" in one]


def _drawn(file: Path) -> Document | None:
    try:
        return load(file)
    except DocumentError:
        return None


def _busy(folder: Path) -> bool:
    """Whether a process is writing to the folder."""
    if not (folder / runs.LOCK).exists():
        return False
    lock = FileLock(folder / runs.LOCK, blocking=False)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def same_network(one: Document, other: Document) -> bool:
    """Whether two documents compute the same: names, places, plots and recipes aside."""
    alike = ("dt_ms", "seed")
    return (
        _plain(one) == _plain(other)
        and {(w.source, w.target) for w in one.wires.values()}
        == {(w.source, w.target) for w in other.wires.values()}
        and all(one.meta.get(key) == other.meta.get(key) for key in alike)
    )


def _plain(document: Document) -> dict[str, Any]:
    return {
        key: (node.type, node.v, node.params, node.extra.get("mode")) for key, node in document.nodes.items()
    }


def data_set(document: Document | None) -> str:
    """What the recordings of a document are called."""
    for node in document.nodes.values() if document else ():
        spec = registry.get(node.type)
        if spec is not None and spec.role == "dataset":
            return spec.label
    return "its data set"
