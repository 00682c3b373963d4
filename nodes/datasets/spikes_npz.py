"""Spike trains of numbered channels in one .npz file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._events import ChannelData, EventFile
from nodes.datasets._files import not_empty, require_keys
from nodes.roles import DataInfo
from nodes.samples import DataError, Samples
from nodes.spec import Param, Values, node


@node("dataset.spikes_npz", label="Spikes (.npz)", keywords=("npz", "cochlea", "speech", "channels", "shd"))
class SpikesNPZ(ChannelData):
    """Spike trains of numbered channels: t_100us (or t_ms, t_us), unit, offsets, label, speaker, test.

    Splits: train and test by the file's `test` column, or by `held_out` speaker; where the file has an
    `unseen_speaker` column, `unseen` and `seen` are the test samples of voices new to the network or not.
    """

    splits: ClassVar[tuple[str, ...]] = ("train", "test", "seen", "unseen")
    info: ClassVar[DataInfo] = DataInfo("Spike trains in an .npz file", "the file's own", "your own files")
    channels = Param(700, low=1, high=10_000_000, doc="number of channels in the file")
    classes = Param(20, low=1, high=100_000, doc="number of classes")
    held_out = Param(
        "", doc="test on this speaker alone and train on the others; empty: the file's own split"
    )

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (math.ceil(p.channels / p.pool),), p.classes

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require_file(cls.place(p, root))
        file = EventFile(path, p.classes)
        file.require("unit")

        def item(i: int) -> np.ndarray:
            unit = file.column("unit", i)
            return cls.pooled(file.times(i), unit, p.channels, p, dt, f"recording {i} of {path}")

        classes = tuple(str(n) for n in range(p.classes))
        samples = Samples(item, file.labels, cls.shapes(p)[0], classes, file.meta)
        return not_empty(samples.select(_members(file, p.held_out, split)), path, split)


def _members(file: EventFile, speaker: str, split: str) -> np.ndarray:
    if split in ("seen", "unseen"):
        require_keys(file.path, file.meta, ("test", "unseen_speaker"))
        unseen = file.meta["unseen_speaker"] == (split == "unseen")
        return np.flatnonzero((file.meta["test"] == 1) & unseen)
    test = _speaker(file, speaker) if speaker else _test(file)
    return np.flatnonzero(test == (split == "test"))


def _test(file: EventFile) -> np.ndarray:
    require_keys(file.path, file.meta, ("test",))
    return np.asarray(file.meta["test"] == 1)


def _speaker(file: EventFile, speaker: str) -> np.ndarray:
    require_keys(file.path, file.meta, ("speaker",))
    codes = file.meta["speaker"]
    names = dict(enumerate(file.other.get("speaker_names", np.zeros(0, str)).astype(str)))
    who = np.array([str(names.get(code, code)) for code in codes.tolist()])
    if speaker not in who:
        raise DataError(
            f"{file.path} has no speaker {speaker!r}, only {', '.join(sorted(set(who.tolist())))}."
        )
    return np.asarray(who == speaker)
