"""Address events of any sensor in one .npz file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._events import EventData, EventFile
from nodes.datasets._files import not_empty
from nodes.datasets._split import SEED, TEST_FRACTION, held_out
from nodes.roles import DataInfo
from nodes.samples import DataError, Events, Samples
from nodes.spec import Param, Values, node


@node("dataset.npz_events", label="Events (.npz)", keywords=("npz", "dvs", "event camera", "aer", "address"))
class NPZEvents(EventData):
    """Events of an event camera (x, y [, p]) or of numbered channels (unit), timed by t_ms, t_us or t_100us.

    `offsets` [n + 1] separates recordings, `label` and `split` (0/1 or train/test) have one entry each;
    without `offsets` the file is one recording, without `label` all labels are 0, without `split` a part is
    held out.  Frames are [polarity, y, x] or [channels].
    """

    info: ClassVar[DataInfo] = DataInfo("Address events in an .npz file", "the file's own", "your own files")
    size = Param(
        [2, 34, 34], kind="shape", doc="shape of the sensor: [polarities, height, width] or [channels]"
    )
    classes = Param(10, low=1, high=100_000, doc="number of classes")
    test_fraction = TEST_FRACTION
    seed = SEED

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if len(p.size) not in (1, 3):
            return [("size", "must be [channels] or [polarities, height, width]")]
        return []

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return pooled_shape(tuple(p.size), p.pool), p.classes

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require_file(cls.place(p, root))
        file = EventFile(path, p.classes)
        file.require(*(("x", "y") if len(p.size) == 3 else ("unit",)))

        def item(i: int) -> np.ndarray:
            source = f"recording {i} of {path}"
            unit = _units(file, i, tuple(p.size), p.pool, source)
            return cls.frames(Events(file.times(i), unit), cls.shapes(p)[0], p, dt, source)

        classes = tuple(str(n) for n in range(p.classes))
        samples = Samples(item, file.labels, cls.shapes(p)[0], classes, file.meta)
        return not_empty(samples.select(np.flatnonzero(_test(file, p) == (split == "test"))), path, split)


def pooled_shape(size: tuple[int, ...], pool: int) -> tuple[int, ...]:
    """[channels] or [polarities, height, width] after pooling; polarities are not pooled."""
    return (*size[:-2], *(math.ceil(n / pool) for n in size[-2:]))


def pixel_units(
    p: np.ndarray, y: np.ndarray, x: np.ndarray, size: tuple[int, ...], pool: int, source: str
) -> np.ndarray:
    """Flat indices into [polarities, height / pool, width / pool] of events at (x, y) of polarity p."""
    for name, column, limit in (("p", p, size[0]), ("y", y, size[1]), ("x", x, size[2])):
        if column.size and not 0 <= column.min() <= column.max() < limit:
            raise DataError(
                f"{source} has an event at {name} = {column.max()}, outside the sensor {list(size)}."
            )
    _, height, width = pooled_shape(size, pool)
    return np.asarray((p * height + y // pool) * width + x // pool)


def _units(file: EventFile, i: int, size: tuple[int, ...], pool: int, source: str) -> np.ndarray:
    if len(size) == 1:
        return np.asarray(file.column("unit", i) // pool)
    x, y = file.column("x", i), file.column("y", i)
    polarity = file.column("p", i) if "p" in file.columns and size[0] > 1 else np.zeros_like(x)
    return pixel_units(polarity, y, x, size, pool, source)


def _test(file: EventFile, p: Values) -> np.ndarray:
    column = file.meta.get("split", file.meta.get("test"))
    if column is None:
        return held_out(file.labels, p.test_fraction, p.seed) if file.count > 1 else np.zeros(1, bool)
    return np.asarray(column == ("test" if column.dtype.kind == "U" else 1))
