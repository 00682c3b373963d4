"""Parameters and checks that data sets of address events share."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from nodes.datasets._files import LONGEST, FileData, class_indices, read_npz, require_keys, steps_of
from nodes.samples import DataError, Events, to_frames
from nodes.spec import Param, Shape, Values

MILLISECONDS = {"t_ms": 1.0, "t_100us": 0.1, "t_us": 1e-3}
PER_EVENT = ("unit", "x", "y", "p")


class EventData(FileData):
    """Events become frames of counts per step; channels or pixels may be pooled."""

    pool = Param(
        1, low=1, high=100_000, doc="sum channels in groups of this many; pixels: squares of that side"
    )
    align = Param(False, doc="shift every sample so that its first event is at t = 0")
    counts = Param("count", choices=("count", "binary"), doc="events per step, or 1 where there is any")
    duration = Param(0.0, "ms", low=0.0, high=1e6, doc="length of every sample; 0 takes each sample's own")

    @classmethod
    def frames(cls, events: Events, shape: Shape, p: Values, dt: float, source: str) -> np.ndarray:
        """Float32 ``[time, *shape]``; ``source`` names the sample in the sentence of an error."""
        check_events(events, math.prod(shape), dt, source)
        steps = steps_of(p.duration, dt) if p.duration else 0
        return to_frames(events, shape, dt, align=p.align, binary=p.counts == "binary", steps=steps)


class ChannelData(EventData):
    """Events of numbered channels as in SHD; pooled 5 by 5 and aligned, as the published recipes do."""

    pool = Param(5, low=1, high=100_000, doc="sum channels in groups of this many: 700 become 140")
    align = Param(True, doc="shift every sample so that its first event is at t = 0")

    @classmethod
    def pooled(
        cls, t_ms: np.ndarray, unit: np.ndarray, channels: int, p: Values, dt: float, source: str
    ) -> np.ndarray:
        """Frames ``[time, ceil(channels / pool)]`` of one sample."""
        flat = np.asarray(unit, np.int64)
        if flat.size and not 0 <= flat.min() <= flat.max() < channels:
            raise DataError(
                f"{source} has an event in channel {flat.max()}, outside the {channels} channels."
            )
        return cls.frames(Events(t_ms, flat // p.pool), (math.ceil(channels / p.pool),), p, dt, source)


def check_events(events: Events, units: int, dt: float, source: str) -> None:
    """Refuse times and units that cannot be placed in frames."""
    t = np.asarray(events.t_ms)
    if t.shape != np.shape(events.unit):
        raise DataError(f"{source} has {t.size} times for {np.size(events.unit)} units.")
    if not t.size:
        return
    if not np.isfinite(t).all() or t.min() < 0:
        raise DataError(f"{source} has a time that is negative or not a number.")
    if t.max() / dt > LONGEST:
        raise DataError(
            f"{source} lasts {t.max():.4g} ms, over {LONGEST:,} steps of {dt:g} ms: check its unit."
        )
    if np.min(events.unit) < 0 or np.max(events.unit) >= units:
        raise DataError(
            f"{source} has an event in channel {np.max(events.unit)}, outside the {units} declared."
        )


class EventFile:
    """The columns of an ``.npz`` file of many recordings laid end to end.

    Keys: a time ``t_ms | t_100us | t_us``, its other columns, ``offsets`` [n + 1] (without it the file is one
    recording) and per-recording columns such as ``label``, ``speaker``, ``test``.
    """

    def __init__(self, path: Path, classes: int) -> None:
        arrays = read_npz(path)
        unit = next((name for name in MILLISECONDS if name in arrays), None)
        if unit is None:
            raise DataError(f"{path} has no array of times: it needs one of {', '.join(MILLISECONDS)}.")
        self.path, self.scale, self.time = path, MILLISECONDS[unit], arrays.pop(unit)
        self.columns = {name: arrays.pop(name) for name in PER_EVENT if name in arrays}
        uneven = [name for name, column in self.columns.items() if column.shape != self.time.shape]
        if uneven or self.time.ndim != 1:
            raise DataError(f"{path}: {uneven[0] if uneven else 'the times'} must be one number per event.")
        self.offsets = _offsets(path, arrays.pop("offsets", np.array([0, len(self.time)])), len(self.time))
        self.count = len(self.offsets) - 1
        self.labels = class_indices(path, arrays.get("label", np.zeros(self.count, np.int64)), classes)
        self.meta = {name: column for name, column in arrays.items() if column.shape == (self.count,)}
        self.other = {name: array for name, array in arrays.items() if name not in self.meta}
        if len(self.labels) != self.count:
            raise DataError(f"{path} has {len(self.labels)} labels for {self.count} recordings.")

    def require(self, *names: str) -> None:
        """Refuse a file without these per-event columns."""
        require_keys(self.path, self.columns, names)

    def times(self, i: int) -> np.ndarray:
        """Times of recording ``i`` in ms, float64."""
        return self.column_of(self.time, i).astype(np.float64) * self.scale

    def column(self, name: str, i: int) -> np.ndarray:
        """One column of recording ``i``, int64."""
        return self.column_of(self.columns[name], i).astype(np.int64)

    def column_of(self, values: np.ndarray, i: int) -> np.ndarray:
        """The part of a flat column that belongs to recording ``i``."""
        return values[self.offsets[i] : self.offsets[i + 1]]


def _offsets(path: Path, offsets: np.ndarray, events: int) -> np.ndarray:
    whole = offsets.ravel().astype(np.int64) if offsets.dtype.kind in "iu" else np.zeros(0, np.int64)
    if len(whole) < 2 or whole[0] != 0 or whole[-1] != events or (np.diff(whole) < 0).any():
        raise DataError(f"{path}: `offsets` must rise from 0 to the number of events ({events}).")
    return whole
