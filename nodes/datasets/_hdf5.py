"""The Heidelberg HDF5 layout: ``/spikes/times`` (s), ``/spikes/units``, both variable-length, ``/labels``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nodes.datasets._events import ChannelData
from nodes.datasets._files import class_indices, not_empty, readable
from nodes.samples import DataError, Samples
from nodes.spec import Values

WHAT = "a Heidelberg spike file (HDF5 with /spikes/times, /spikes/units, /labels)"


class Heidelberg(ChannelData):
    """Spikes of 700 cochlea channels; samples are read from the file when asked for."""

    channels = 700
    classes: int
    prefix: str

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (-(-cls.channels // p.pool),), cls.classes

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require_file(cls.place(p, root) / f"{cls.prefix}_{split}.h5")
        times, units, labels, meta, names = readable(path, WHAT, lambda: _open(path))
        labels = class_indices(path, labels, cls.classes)
        if not len(times) == len(units) == len(labels):
            counts = f"{len(times)} times, {len(units)} units and {len(labels)} labels"
            raise DataError(f"{path} has {counts}: they must be as many.")

        def item(i: int) -> np.ndarray:
            seconds, unit = readable(path, WHAT, lambda: (times[i], units[i]))
            t = np.asarray(seconds, np.float64) * 1e3
            return cls.pooled(t, unit, cls.channels, p, dt, f"sample {i} of {path}")

        classes = names if len(names) == cls.classes else tuple(str(n) for n in range(cls.classes))
        return not_empty(Samples(item, labels, cls.shapes(p)[0], classes, meta), path, split)


def _open(path: Path) -> tuple[Any, Any, np.ndarray, dict[str, np.ndarray], tuple[str, ...]]:
    import h5py  # here and not above: the palette lists this node without loading HDF5

    file = h5py.File(path, "r")
    extra = file.get("extra", {})
    labels = file["labels"][:]
    meta = {"speaker": extra["speaker"][:]} if "speaker" in extra else {}
    names = tuple(bytes(key).decode() for key in extra["keys"][:]) if "keys" in extra else ()
    if any(len(column) != len(labels) for column in meta.values()):
        raise ValueError("columns of different lengths")
    return file["spikes/times"], file["spikes/units"], labels, meta, names
