"""What a network is fed from outside: silence, or recorded frames in one file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._files import FileData, class_indices, damaged, read_npz, readable, steps_of
from nodes.roles import DataInfo
from nodes.samples import DataError, Samples
from nodes.spec import Param, Shape, Shapes, Values, node


@node(
    "dataset.frames", label="External input", keywords=("outside", "recorded", "npy", "nir", "silent", "port")
)
class Frames(FileData):
    """The place where a network's input comes in: frames from a file, one per step; without a file, silence.

    `.npy`: frames [time, *size], or [samples, time, *size]; `.npz`: such an array `x`, and perhaps `label`
    [samples].  Every split is the whole file.  Any number may stand in a frame; spikes are 0, 1 or counts.
    """

    info: ClassVar[DataInfo] = DataInfo("Frames in an .npy or .npz file", "the file's own", "your own files")
    size = Param([100], kind="shape", doc="shape of a frame")
    duration = Param(1000.0, "ms", low=0.001, high=1e9, doc="how long the silence without a file lasts")
    classes = Param(1, low=1, high=100_000, doc="number of classes, where the file has labels")

    @classmethod
    def shapes(cls, p: Values) -> tuple[Shape, int]:
        return tuple(p.size), p.classes

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return {"data": tuple(p.size) or shapes.get("data"), "label": (p.classes,)}

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        size, classes = tuple(p.size), tuple(str(n) for n in range(p.classes))
        if not p.path:
            silence = np.zeros((steps_of(p.duration, dt), *size), np.float32)
            return Samples(lambda i: silence, np.zeros(1, np.int64), size, classes)
        path = cls.require_file(cls.place(p, root))
        arrays = _arrays(path)
        frames = _samples(path, arrays["x"], size)
        labels = class_indices(path, arrays.get("label", np.zeros(len(frames), np.int64)), p.classes)
        if len(labels) != len(frames):
            raise DataError(f"{path} holds {len(frames)} samples, but {len(labels)} labels.")
        return Samples(lambda i: frames[i].astype(np.float32), labels, size, classes)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if path.suffix.lower() == ".npy":
        return {"x": readable(path, "an .npy file", lambda: np.load(path, allow_pickle=False))}
    return read_npz(path, ("x",))


def _samples(path: Path, x: np.ndarray, size: Shape) -> np.ndarray:
    """``[samples, time, *size]``."""
    rank = len(size)
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fiub":
        raise damaged(path, "frames")
    if x.ndim not in (rank + 1, rank + 2) or x.shape[x.ndim - rank :] != size or not x.size:
        raise DataError(
            f"{path} holds an array of shape {list(x.shape)}, not frames [time, *{list(size)}], "
            f"with or without an axis of samples before them."
        )
    if not np.isfinite(x).all():
        raise DataError(f"{path} holds numbers that are not finite.")
    return x[None] if x.ndim == rank + 1 else x
