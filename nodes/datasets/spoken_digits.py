"""The embedded spoken digits."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

import nodes
from nodes.datasets._files import FileData, class_indices, not_empty, read_npz
from nodes.roles import DataInfo
from nodes.samples import DataError, Samples
from nodes.spec import Values, node

EMBEDDED = Path(nodes.__file__).parent.parent / "resources" / "data" / "spoken_digits" / "spoken_digits.npz"
STEP_MS = 10.0
CHANNELS, CLASSES = 140, 20
COLUMNS = ("label", "speaker", "test", "unseen_speaker")


@node(
    "dataset.spoken_digits", label="Spoken digits", keywords=("speech", "embedded", "first", "shd", "voices")
)
class SpokenDigits(FileData):
    """Synthetic spoken digits, English and German, as spike counts of our cochlea: 140 channels, 10 ms steps.

    20 classes.  Comes with Myelin: nothing to download.  Splits: train, test, and of the test samples those
    of voices that the network has heard (`seen`) and has not (`unseen`).  The file holds `counts` uint8
    [all steps, 140], `steps` of each sample, `label`, `speaker`, `test`, `unseen_speaker`, and may name its
    classes in `words`.
    """

    splits: ClassVar[tuple[str, ...]] = ("train", "test", "seen", "unseen")
    info: ClassVar[DataInfo] = DataInfo(
        title="Spoken digits (embedded, synthetic voices)",
        licence="free to use: synthetic voices, made for this project",
        source="comes with Myelin, in resources/data/spoken_digits",
    )

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (CHANNELS,), CLASSES

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        if abs(dt - STEP_MS) > 1e-9:
            raise DataError(
                f"the embedded spoken digits have steps of {STEP_MS:g} ms: set dt to that, not {dt:g} ms."
            )
        path = cls.require_file(cls.place(p, root) if p.path else EMBEDDED)
        arrays = read_npz(path, ("counts", "steps", *COLUMNS))
        counts, ends = _checked(path, arrays["counts"], arrays["steps"])
        labels = class_indices(path, arrays["label"], CLASSES)
        columns = {name: arrays[name] for name in COLUMNS}
        if any(column.shape != (len(ends) - 1,) for column in columns.values()):
            raise DataError(f"{path} has columns of different lengths.")

        def item(i: int) -> np.ndarray:
            return counts[ends[i] : ends[i + 1]].astype(np.float32)

        words = arrays.get("words", np.arange(CLASSES)).astype(str)
        samples = Samples(item, labels, (CHANNELS,), tuple(words.tolist()), columns)
        return not_empty(samples.select(_members(columns, split)), path, split)


def _checked(path: Path, counts: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts [all steps, 140] and where each sample begins and ends in them."""
    ends = np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])
    if (
        counts.ndim != 2
        or counts.shape[1] != CHANNELS
        or ends[-1] != len(counts)
        or (np.diff(ends) < 1).any()
    ):
        raise DataError(f"{path} holds counts of shape {counts.shape}, not [{ends[-1]}, {CHANNELS}].")
    return counts, ends


def _members(columns: dict[str, np.ndarray], split: str) -> np.ndarray:
    test = columns["test"] == 1
    if split in ("seen", "unseen"):
        return np.flatnonzero(test & (columns["unseen_speaker"] == (split == "unseen")))
    return np.flatnonzero(test == (split == "test"))
