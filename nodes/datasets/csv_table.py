"""Signals in a .csv table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._files import FileData, class_indices, not_empty, readable, repeat
from nodes.datasets._split import SEED, TEST_FRACTION, held_out
from nodes.roles import DataInfo
from nodes.samples import DataError, Samples
from nodes.spec import Param, Port, Values, node, port


@node("dataset.csv", label="Table (.csv)", keywords=("csv", "time series", "sensor", "signal", "tabular"))
class CSV(FileData):
    """A table with a header line.  All columns but label, sample and split are the signal, in their order.

    rows = steps: a row is one time step of the program, rows of equal `sample_column` belong together
    (without that column the table is one sample).  rows = series: a row is one sample, its columns the steps
    of one channel.  rows = samples: a row is one sample, its columns are channels, still for `duration`.
    """

    info: ClassVar[DataInfo] = DataInfo("Signals in a .csv table", "the file's own", "your own files")
    outputs: ClassVar[dict[str, Port]] = {
        "data": port("value", doc="the signal"),
        "label": port("label", doc="class of the sample, or of every step"),
    }
    rows = Param("steps", choices=("steps", "series", "samples"), doc="what one row of the table is")
    channels = Param(1, low=1, high=1_000_000, doc="number of signal columns (rows = steps or samples)")
    classes = Param(2, low=1, high=100_000, doc="number of different labels")
    label_column = Param("label", doc="name of the column of labels (numbers or words)")
    label_per = Param(
        "sample", choices=("sample", "step"), doc="one label a sample, or a step (rows = steps)"
    )
    sample_column = Param("sample", doc="name of the column that tells samples apart (rows = steps)")
    split_column = Param(
        "split", doc="name of a column that says train or test; without it a part is held out"
    )
    test_fraction = TEST_FRACTION
    seed = SEED
    duration = Param(100.0, "ms", low=0.001, high=1e6, doc="how long a sample is shown (rows = samples)")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.label_per == "step" and p.rows != "steps":
            return [("label_per", "one label a step needs rows = steps")]
        if p.rows == "series" and p.channels != 1:
            return [("channels", "must be 1 where a row is a series")]
        return []

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (p.channels,), p.classes

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require_file(cls.place(p, root))
        table = _Table(path, p)
        groups = table.groups(p)
        labels, classes = table.labels(p)
        per_sample = np.array([labels[rows[0]] for rows in groups], np.int64)

        def item(i: int) -> np.ndarray:
            values = np.asarray(table.values[groups[i]])
            if p.rows == "steps":
                return values
            return values.reshape(-1, 1) if p.rows == "series" else repeat(values[0], p.duration, dt)

        answers = _padded([labels[rows] for rows in groups]) if p.label_per == "step" else per_sample
        samples = Samples(item, answers, (p.channels,), classes)
        test = table.test(groups, per_sample, p)
        return not_empty(samples.select(np.flatnonzero(test == (split == "test"))), path, split)


class _Table:
    """The cells of the file: ``values`` [rows, signal columns] float32 and the named columns as text."""

    def __init__(self, path: Path, p: Values) -> None:
        lines = readable(path, "a .csv table", lambda: _lines(path))
        if len(lines) < 2:
            raise DataError(f"{path} holds no rows below its header line.")
        self.path, header = path, lines[0]
        if p.label_column not in header:
            raise DataError(
                f"{path} has no column {p.label_column!r}; its columns are {', '.join(header[:20])}."
            )
        named = {
            name: header.index(name)
            for name in (p.label_column, p.sample_column, p.split_column)
            if name in header
        }
        signal = [column for column in range(len(header)) if column not in named.values()]
        if not signal or (p.rows != "series" and len(signal) != p.channels):
            raise DataError(f"{path} has {len(signal)} signal columns, but `channels` says {p.channels}.")
        self.text = {name: np.array([line[column] for line in lines[1:]]) for name, column in named.items()}
        self.values = self._numbers(lines, signal)

    def _numbers(self, lines: list[list[str]], signal: list[int]) -> np.ndarray:
        values = np.empty((len(lines) - 1, len(signal)), np.float32)
        for row, line in enumerate(lines[1:]):
            try:
                with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
                    values[row] = [float(line[column]) for column in signal]
            except ValueError as error:
                raise DataError(f"{self.path}, row {row + 2}: {error}.") from error
        if not np.isfinite(values).all():
            row = int(np.argwhere(~np.isfinite(values))[0, 0])
            raise DataError(f"{self.path}, row {row + 2}: a value is not finite.")
        return values

    def groups(self, p: Values) -> list[np.ndarray]:
        """Rows of each sample, samples in order of appearance."""
        rows = np.arange(len(self.values))
        if p.rows != "steps":
            return list(rows[:, None])
        if p.sample_column not in self.text:
            return [rows]
        _, first, sample = np.unique(self.text[p.sample_column], return_index=True, return_inverse=True)
        return [np.flatnonzero(sample == name) for name in np.argsort(first)]

    def labels(self, p: Values) -> tuple[np.ndarray, tuple[str, ...]]:
        """Class of every row, and the names of the classes; whole numbers are classes as they stand."""
        words = self.text[p.label_column]
        if all(word.strip().lstrip("-").isdecimal() for word in words.tolist()):
            whole = readable(self.path, "a table of whole labels", lambda: words.astype(np.int64))
            return class_indices(self.path, whole, p.classes), tuple(str(n) for n in range(p.classes))
        names, indices = np.unique(words, return_inverse=True)
        if len(names) != p.classes:
            raise DataError(f"{self.path} has {len(names)} different labels, but `classes` says {p.classes}.")
        return indices.astype(np.int64), tuple(names.tolist())

    def test(self, groups: list[np.ndarray], labels: np.ndarray, p: Values) -> np.ndarray:
        """True for every sample that is for testing."""
        if p.split_column not in self.text:
            return held_out(labels, p.test_fraction, p.seed) if len(groups) > 1 else np.zeros(1, bool)
        words = self.text[p.split_column]
        odd = words[(words != "train") & (words != "test")]
        if odd.size:
            raise DataError(
                f"{self.path}: the column {p.split_column!r} says {str(odd[0])!r}, not train or test."
            )
        return np.array([words[rows[0]] == "test" for rows in groups])


def _lines(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line in csv.reader(file, strict=True) if line]
    uneven = next((n for n, line in enumerate(lines) if len(line) != len(lines[0])), None)
    if uneven is not None:
        raise DataError(
            f"{path}, row {uneven + 1}: {len(lines[uneven])} cells, but the header has {len(lines[0])}."
        )
    return lines


def _padded(labels: list[np.ndarray]) -> np.ndarray:
    """Labels of every step, [samples, longest], -1 beyond a sample's end."""
    table = np.full((len(labels), max(map(len, labels))), -1, np.int64)
    for row, steps in zip(table, labels, strict=True):
        row[: len(steps)] = steps
    return table
