"""The equivalence report: the same stimulus through our engine and through the artefact, signal by signal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Conversion
from engine.export.writing import publish, staged
from engine.program import Source

VERIFIED = "verified"  # the artefact ran and did, exactly, what our reference of it does
DIFFERS = "differs"  # it ran and did something else
READ = "read"  # its consumer's reader takes it: not verified by execution
UNVERIFIED = "unverified"  # nothing here can run or read it
FILE, RASTERS = "report.json", "signals.npz"


@dataclass(frozen=True)
class Comparison:
    """One signal twice.  ``differing``: values that are not equal (spikes) or too far apart (others).

    ``first``: (step, neuron) of the first of them.  ``largest``: largest absolute difference.
    """

    signal: str
    spikes: bool
    values: int
    ours: float
    theirs: float
    differing: int
    first: tuple[int, int] | None
    largest: float

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.differing == 0

    def __str__(self) -> str:
        if self.equal:
            what = f"{self.ours:.0f} spikes" if self.spikes else f"largest difference {self.largest:.2g}"
            return f"{self.signal}: equal in all {self.values:,} values ({what})"
        step, neuron = self.first or (0, 0)
        where = f"first at step {step}, neuron {neuron}; largest difference {self.largest:.3g}"
        counts = f"; {self.ours:.0f} and {self.theirs:.0f} spikes" if self.spikes else ""
        return f"{self.signal}: {self.differing:,} of {self.values:,} values differ, {where}{counts}"


@dataclass(frozen=True)
class Report:
    """``artefact``: artefact against our reference of it.  ``cost``: that against the engine's original."""

    target: str
    label: str
    status: str
    software: str
    message: str
    steps: int
    samples: int
    conversions: tuple[Conversion, ...]
    artefact: tuple[Comparison, ...] = ()
    cost: tuple[Comparison, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether the artefact does exactly what was drawn."""
        return self.status == VERIFIED and all(comparison.equal for comparison in self.cost)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "figures": dict(self.figures), "exact": self.exact}


def save(report: Report, signals: Mapping[str, Signals], frozen: Frozen, folder: Path) -> None:
    """``report.json``, and in ``signals.npz`` every signal as ``<ours|reference|artefact>/<name>``."""
    arrays = {
        f"{who}/{frozen.name(source)}": array
        for who, found in signals.items()
        for source, array in found.items()
    }
    with staged(folder / FILE) as made:
        np.savez_compressed(made / RASTERS, **arrays)  # type: ignore[arg-type]
        (made / FILE).write_text(json.dumps(report.as_json(), indent=2) + "\n", "utf-8")
        for name in (RASTERS, FILE):
            publish(made / name, folder / name)


def compare(frozen: Frozen, ours: Signals, theirs: Signals, tolerance: float) -> tuple[Comparison, ...]:
    """Every signal that both have; spikes must be equal, others within ``tolerance`` of their largest."""
    shared = [source for source in frozen.outputs if source in ours and source in theirs]
    return tuple(compare_one(frozen.name(s), s, ours[s], theirs[s], tolerance) for s in shared)


def compare_one(
    name: str, source: Source, ours: np.ndarray, theirs: np.ndarray, tolerance: float
) -> Comparison:
    """Two recordings ``[time, *shape]`` of one signal."""
    spikes = source.port == "spikes"
    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (ours, theirs))
    apart = np.abs(a - b)
    most = 0.0 if spikes else tolerance * max(1.0, float(np.abs(a).max(initial=0)))
    wrong = ~(apart <= most)  # NaN is wrong, too
    places = np.argwhere(wrong)
    first = (int(places[0][0]), int(places[0][1])) if len(places) else None
    largest = float(apart.max(initial=0))
    return Comparison(name, spikes, a.size, float(a.sum()), float(b.sum()), int(wrong.sum()), first, largest)
