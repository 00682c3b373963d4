"""What loaders share: where files lie, how they are opened, and the sentence when they cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from nodes.roles import DataSet
from nodes.samples import DataError, Samples
from nodes.spec import Param, Shape, Shapes, Values
from nodes.words import number

LONGEST = 1_000_000  # steps of one sample; more is a file in the wrong unit
T = TypeVar("T")


class FileData(DataSet):
    """A data set that lies in files, by default in a folder of its own name in the data folder."""

    splits: ClassVar[tuple[str, ...]] = ("train", "test")
    path = Param("", kind="path", doc="file or folder, absolute or within the data folder; empty: its own")

    @classmethod
    def shapes(cls, p: Values) -> tuple[Shape, int]:
        """Shape of one frame, and the number of classes."""
        raise TypeError(f"{cls.__name__} must say its shapes")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        shape, classes = cls.shapes(p)
        return {"data": shape, "label": (classes,)}

    @classmethod
    def short(cls) -> str:
        """The name that `myelin data get` takes: ``dataset.shd`` is ``shd``."""
        return cls.type.rpartition(".")[2]

    @classmethod
    def place(cls, p: Values, root: Path) -> Path:
        """Where the files should lie.  An absolute ``path`` wins over ``root``."""
        return root / os.path.expanduser(p.path or cls.short())

    @classmethod
    def check_split(cls, split: str) -> None:
        """Refuse a split that this data set does not have."""
        if split not in cls.splits:
            known = ", ".join(cls.splits)
            raise DataError(f"the data set {cls.short()} has no split {split!r}, only {known}.")

    @classmethod
    def missing(cls, path: Path) -> DataError:
        """The sentence for a file or folder that is not there."""
        if cls.info.files:
            hint = f"run `myelin data get {cls.short()}`, or point MYELIN_DATA or the node's path to it"
        else:
            hint = "point the node's path to it"
        return DataError(f"{path} does not exist: {hint}.")

    @classmethod
    def require(cls, path: Path) -> Path:
        """``path`` if it exists."""
        if not os.path.exists(path):
            raise cls.missing(path)
        return path

    @classmethod
    def require_file(cls, path: Path) -> Path:
        """``path`` if it is a file."""
        if cls.require(path).is_dir():
            raise DataError(f"{path} is a folder: point the node's path to a file.")
        return path


def damaged(path: Path, what: str) -> DataError:
    """The sentence for a file that cannot be read."""
    return DataError(f"{path} cannot be read as {what}: it is damaged, cut short or of another format.")


def readable(path: Path, what: str, read: Callable[[], T]) -> T:
    """The result of ``read()``, or the one sentence that says which file is damaged."""
    try:
        return read()
    except DataError:
        raise
    except Exception as error:  # a parser of foreign bytes may raise anything; --debug shows what it was
        raise damaged(path, what) from error


def read_npz(path: Path, needed: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz`` file, without ever unpickling."""

    def read() -> dict[str, np.ndarray]:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    arrays = readable(path, "an .npz file", read)
    require_keys(path, arrays, needed)
    return arrays


def require_keys(path: Path, have: Mapping[str, Any], needed: Iterable[str]) -> None:
    """Refuse a file that lacks one of the arrays ``needed``."""
    lacking = [name for name in needed if name not in have]
    if lacking:
        held = ", ".join(sorted(have)) or "nothing"
        raise DataError(f"{path} has no array {lacking[0]!r}; it holds {held}.")


def class_indices(path: Path, labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels as int64, all within ``0 .. classes - 1``."""
    whole = np.asarray(labels)
    if whole.dtype.kind not in "iub" or whole.ndim != 1:
        found = f"labels of shape {whole.shape} and type {whole.dtype}"
        raise DataError(f"{path} holds {found}, not one whole number for each sample.")
    outside = whole[(whole < 0) | (whole >= classes)]
    if outside.size:
        raise DataError(
            f"{path} holds the label {outside[0]}, outside its {classes} classes 0 to {classes - 1}."
        )
    return whole.astype(np.int64)


def not_empty(samples: Samples, path: Path, split: str) -> Samples:
    """``samples``, unless there are none."""
    if not len(samples):
        raise DataError(f"{path} holds no samples for the split {split!r}: check the node's parameters.")
    return samples


def repeat(values: np.ndarray, duration: float, dt: float) -> np.ndarray:
    """A static sample held for ``duration`` ms: float32 ``[time, *shape]``, a read-only view."""
    return np.broadcast_to(values.astype(np.float32), (steps_of(duration, dt), *values.shape))


def steps_of(duration: float, dt: float) -> int:
    """A length in ms as steps, at least one; refuses one that no memory would hold."""
    if duration / dt > LONGEST:
        asked = number(duration, "ms")
        raise DataError(f"the duration {asked} is over {LONGEST:,} steps of {dt:g} ms: shorten it.")
    return max(1, round(duration / dt))
