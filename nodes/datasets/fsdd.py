"""Free Spoken Digit Dataset."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._audio import pcm, read_wave, wave_files
from nodes.datasets._files import FileData, class_indices, not_empty, readable
from nodes.roles import DataInfo, Remote
from nodes.samples import DataError, Item, Samples, Wave
from nodes.spec import Param, Port, Values, node, port

COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
TEST_TAKES = 5  # the official split: takes 0-4 of every speaker and digit are for testing


@node("dataset.fsdd", label="FSDD", keywords=("speech", "digits", "audio", "wav", "spoken"))
class FSDD(FileData):
    """Free Spoken Digit Dataset: 3 000 recordings of ten English digits by six speakers, 8 kHz.

    Reads the official files `{digit}_{speaker}_{take}.wav`, or all of them packed in fsdd.flac with fsdd.csv.
    The official test split has the speakers of the training split; `held_out` tests on a voice never heard.
    """

    info: ClassVar[DataInfo] = DataInfo(
        title="Free Spoken Digit Dataset",
        licence="CC BY-SA 4.0",
        source="https://github.com/Jakobovski/free-spoken-digit-dataset",
        files=(
            Remote(
                f"free-spoken-digit-dataset-{COMMIT}",
                f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{COMMIT}.zip",
                "",  # GitHub packs archives on demand and promises no checksum; the commit names the contents
                unpack="zip",
            ),
        ),
    )
    outputs: ClassVar[dict[str, Port]] = {
        "data": port("audio", doc="one recording after the other"),
        "label": port("label", doc="the digit"),
    }
    held_out = Param("", doc="test on this speaker alone and train on the others; empty: the official split")

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (), 10

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        folder = cls.require(cls.place(p, root))
        samples = _packed(folder) if (folder / "fsdd.flac").exists() else _folder(folder)
        if p.held_out:
            names = sorted(set(samples.meta["speaker"].tolist()))
            if p.held_out not in names:
                raise DataError(f"{folder} has no speaker {p.held_out!r}, only {', '.join(names)}.")
            test = samples.meta["speaker"] == p.held_out
        else:
            test = samples.meta["take"] < TEST_TAKES
        return not_empty(samples.select(np.flatnonzero(test == (split == "test"))), folder, split)


def _folder(folder: Path) -> Samples:
    files = [path for path in wave_files(folder) if path.stem.count("_") == 2]
    if not files:
        raise DataError(
            f"{folder} holds no recordings named digit_speaker_take.wav: run `myelin data get fsdd`."
        )
    rows = [path.stem.split("_") for path in files]
    return _samples(folder, lambda i: read_wave(files[i]), rows)


def _packed(folder: Path) -> Samples:
    table = folder / "fsdd.csv"
    if not table.exists():
        raise FSDD.missing(table)
    rows = readable(table, "the table of FSDD", lambda: _table(table))
    samples, rate = pcm(folder / "fsdd.flac")
    start, length = (np.array([int(row[name]) for row in rows]) for name in ("start", "length"))
    if (start < 0).any() or (length < 1).any() or (start + length > len(samples)).any():
        raise DataError(f"{folder / 'fsdd.flac'} is shorter than fsdd.csv says: it is cut short.")

    def item(i: int) -> Wave:
        return Wave(samples[start[i] : start[i] + length[i]].astype(np.float32) / 32768, rate)

    return _samples(table, item, [[row["label"], row["speaker"], row["take"]] for row in rows])


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("start", "length", "label", "take"):
            int(row[column])
    return rows


def _samples(path: Path, item: Callable[[int], Item], rows: list[list[str]]) -> Samples:
    digits, speakers, takes = zip(*rows, strict=True)
    labels, take = readable(path, "FSDD", lambda: (np.array(digits, np.int64), np.array(takes, np.int64)))
    meta = {"speaker": np.array(speakers), "take": take}
    return Samples(item, class_indices(path, labels, 10), (), tuple("0123456789"), meta)
