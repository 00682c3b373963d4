"""Samples: what data sets yield, and how events become frames.  numpy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class DataError(ValueError):
    """A data set cannot be read; ``str(error)`` is one sentence for the user: what, where, what to do."""


class Events(NamedTuple):
    """Address events: times in ms (float, ascending or not) and flat unit indices (int)."""

    t_ms: np.ndarray
    unit: np.ndarray


class Wave(NamedTuple):
    """A mono recording: samples in [-1, 1] (float32) and sampling rate in Hz."""

    samples: np.ndarray
    rate: float


Item = Events | Wave | np.ndarray  # an ndarray is frames [time, *shape] at the program's dt


@dataclass(frozen=True)
class Samples:
    """A split of a data set, read lazily: ``item(i)`` gives the i-th recording.

    ``shape``: of one frame.  ``labels``: ``[n]`` class indices, or ``[n, time]`` where every step has one
    (-1 where a step has none).  ``meta``: per-sample columns such as ``speaker``.
    """

    item: Callable[[int], Item]
    labels: np.ndarray
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    meta: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, index: np.ndarray) -> Samples:
        """The samples at ``index``, in that order."""
        chosen = np.asarray(index)
        meta = {name: column[chosen] for name, column in self.meta.items()}
        return Samples(
            lambda i: self.item(int(chosen[i])), self.labels[chosen], self.shape, self.classes, meta
        )


def to_frames(
    events: Events,
    shape: tuple[int, ...],
    dt: float,
    *,
    align: bool = False,
    binary: bool = False,
    steps: int = 0,
) -> np.ndarray:
    """Count events per step of ``dt`` ms: float32 ``[time, *shape]``.

    ``align`` shifts the first event to t = 0; ``binary`` caps counts at 1; ``steps`` fixes the length (later
    events are left out), 0 takes ceil(last / dt), at least one step.
    """
    t = np.asarray(events.t_ms, np.float64)
    if align and t.size:
        t = t - t.min()
    length = steps or max(1, int(np.ceil(t.max() / dt - 1e-9)) if t.size else 1)
    step = np.minimum(t / dt + 1e-9, length if steps else length - 1).astype(np.int64)
    inside = (step < length) & (step >= 0)
    size = int(np.prod(shape))
    flat = step[inside] * size + np.asarray(events.unit, np.int64)[inside]
    counts = np.bincount(flat, minlength=length * size).astype(np.float32)
    frames = np.minimum(counts, 1) if binary else counts
    return frames.reshape(length, *shape)
