"""A folder of recordings, labelled by sub-folder or file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._audio import read_wave, wave_files
from nodes.datasets._files import FileData, not_empty
from nodes.datasets._split import SEED, TEST_FRACTION, held_out, held_out_groups
from nodes.roles import DataInfo
from nodes.samples import DataError, Samples
from nodes.spec import Param, Port, Values, node, port


@node("dataset.audio_folder", label="Audio folder", keywords=("wav", "flac", "speech", "sound", "recordings"))
class AudioFolder(FileData):
    """Every .wav and .flac below a folder: `label/anything.wav`, or `label_anything.wav` at the top.

    A part is held out for testing: of every class, or, with `group`, whole groups such as speakers, so that
    the test has only new voices.
    """

    info: ClassVar[DataInfo] = DataInfo("A folder of recordings", "the folder's own", "your own files")
    outputs: ClassVar[dict[str, Port]] = {
        "data": port("audio", doc="one recording after the other"),
        "label": port("label", doc="class of the recording"),
    }
    classes = Param(10, low=1, high=100_000, doc="number of different labels in the folder")
    test_fraction = TEST_FRACTION
    seed = SEED
    group = Param("", doc="regular expression on the file name; its first bracket is the group: _([a-z]+)_")
    held_out = Param("", doc="test on this group alone; empty holds out `test_fraction` of the groups")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        try:
            brackets = re.compile(p.group).groups
        except re.error as error:
            return [("group", f"is not a regular expression: {error}")]
        if p.group and not brackets:
            return [("group", "needs one pair of brackets around the group's name, e.g. _([a-z]+)_")]
        if p.held_out and not p.group:
            return [("held_out", "needs `group`, which says how a group is read")]
        return []

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (), p.classes

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        folder = cls.require(cls.place(p, root))
        if not folder.is_dir():
            raise DataError(f"{folder} is a file: point the node's path to a folder of recordings.")
        files = wave_files(folder)
        if not files:
            raise DataError(f"{folder} holds no .wav or .flac files.")
        names = [_label(path, folder) for path in files]
        classes = tuple(sorted(set(names)))
        if len(classes) != p.classes:
            raise DataError(f"{folder} has {len(classes)} different labels, but `classes` says {p.classes}.")
        labels = np.array([classes.index(name) for name in names], np.int64)
        meta = {"group": _groups(files, p)} if p.group else {}
        samples = Samples(lambda i: read_wave(files[i]), labels, (), classes, meta)
        test = _test(folder, labels, meta, p)
        return not_empty(samples.select(np.flatnonzero(test == (split == "test"))), folder, split)


def _label(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).parts
    label, underscore, _ = path.stem.partition("_")
    if len(parts) == 1 and not underscore:
        raise DataError(f"{path} has no label: name it label_anything{path.suffix} or put it into a folder.")
    return parts[0] if len(parts) > 1 else label


def _groups(files: list[Path], p: Values) -> np.ndarray:
    found = [(path, re.search(p.group, path.name)) for path in files]
    strange = next((path for path, match in found if match is None), None)
    if strange is not None:
        raise DataError(f"{strange} does not match the pattern `group` ({p.group}).")
    return np.array([match[1] or "" for _, match in found if match is not None])


def _test(folder: Path, labels: np.ndarray, meta: Mapping[str, np.ndarray], p: Values) -> np.ndarray:
    if not p.group:
        return held_out(labels, p.test_fraction, p.seed)
    if not p.held_out:
        return held_out_groups(meta["group"], p.test_fraction, p.seed)
    if p.held_out not in meta["group"]:
        known = ", ".join(sorted(set(meta["group"].tolist()))[:20])
        raise DataError(f"{folder} has no group {p.held_out!r}, only {known}.")
    return np.asarray(meta["group"] == p.held_out)
