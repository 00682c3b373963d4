"""From data sets to batches: recordings are encoded and binned once, kept compact, and padded to a batch."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from engine.errors import MyelinError
from engine.program import Op, Program, Source
from nodes import registry
from nodes.roles import DataSet, OfflineEncoder
from nodes.samples import Events, Item, Samples, Wave, to_frames
from nodes.spec import Values

Progress = Callable[[int, int], None]
MANY = 32  # recordings worth a process pool


class Batch(NamedTuple):
    """Signals ``[time, batch, *shape]`` by source; one-hot labels ``[batch, classes]`` or one a step.

    ``total`` and ``rows``: size of the whole batch and our part of it when several processes share it.
    """

    inputs: dict[Source, Tensor]
    label: Tensor
    total: int
    rows: slice


class Packed(NamedTuple):
    """Frames kept as the places and values of what is not zero."""

    shape: tuple[int, ...]
    place: np.ndarray
    value: np.ndarray

    @staticmethod
    def of(frames: np.ndarray) -> Packed:
        """The compact form of ``[time, *shape]``; whole counts up to 255 take one byte."""
        flat = frames.ravel()
        place = np.flatnonzero(flat)
        value = flat[place]
        small = value.astype(np.uint8)
        kept = small if np.array_equal(small, value) else value.astype(np.float32)
        return Packed(frames.shape, place.astype(np.int32), kept)

    def frames(self) -> np.ndarray:
        """The frames again, float32."""
        full = np.zeros(self.shape, np.float32)
        full.ravel()[self.place] = self.value
        return full


class Split(Dataset[Batch]):
    """One split of the program's data set, ready to be cut into batches.

    Raises MyelinError when the program has no data set or several, DataError when files are missing or bad.
    """

    def __init__(
        self,
        program: Program,
        name: str,
        root: Path,
        *,
        limit: int | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self.program, self.name = program, name
        self._source, dataset, encoder = _entrance(program)
        spec = dataset.spec
        assert issubclass(spec, DataSet)
        samples: Samples = spec.load(dataset.p, program.dt, root, name)
        if limit is not None:
            samples = samples.select(np.arange(min(limit, len(samples))))
        self.labels, self.classes, self.meta = samples.labels, samples.classes, samples.meta
        self._packed = _encode(samples, encoder, program, progress)
        self.indices = np.arange(len(samples))
        self.rank, self.world = 0, 1

    def __len__(self) -> int:
        return len(self.indices)

    def part(self, indices: np.ndarray) -> Split:
        """The same recordings, fewer of them."""
        other = object.__new__(Split)
        other.__dict__.update(self.__dict__, indices=self.indices[indices])
        return other

    def divide(self, fraction: float, seed: int) -> tuple[Split, Split]:
        """(the rest, a random ``fraction``): the second part is held out."""
        order = np.random.default_rng(seed).permutation(len(self))
        held = max(1, round(fraction * len(self)))
        return self.part(np.sort(order[held:])), self.part(np.sort(order[:held]))

    def lengths(self) -> np.ndarray:
        """Steps of each recording."""
        return np.array([self._packed[i].shape[0] for i in self.indices])

    def chance(self) -> float:
        """Accuracy of always giving the most frequent label."""
        labels = self.labels[self.indices]
        known = labels[labels >= 0]
        return float(np.bincount(known).max() / known.size) if known.size else 0.0

    def __getitem__(self, positions: Sequence[int]) -> Batch:
        """A batch padded to its longest recording; our rows of it, when processes share it."""
        chosen = self.indices[np.asarray(positions)]
        steps = max(self._packed[i].shape[0] for i in chosen)
        share = -(-len(chosen) // self.world)
        rows = slice(self.rank * share, min((self.rank + 1) * share, len(chosen)))
        mine = chosen[rows]
        block = np.zeros((steps, len(mine), *self._packed[int(chosen[0])].shape[1:]), np.float32)
        for column, index in enumerate(mine):
            frames = self._packed[int(index)].frames()
            block[: len(frames), column] = frames
        label = self._one_hot(self.labels[mine], steps)
        return Batch({self._source: torch.from_numpy(block)}, label, len(chosen), rows)

    def _one_hot(self, labels: np.ndarray, steps: int) -> Tensor:
        """A label of -1 becomes a row of zeros."""
        table = np.concatenate(
            [np.eye(len(self.classes), dtype=np.float32), np.zeros((1, len(self.classes)), np.float32)]
        )
        if labels.ndim == 1:
            return torch.from_numpy(table[labels])
        return torch.from_numpy(np.ascontiguousarray(table[labels[:, :steps]].swapaxes(0, 1)))

    def batches(self, size: int) -> Iterator[Batch]:
        """All recordings in order."""
        for start in range(0, len(self), size):
            yield self[range(start, min(start + size, len(self)))]


class Shuffled(Sampler[list[int]]):
    """Batches of positions, in an order that depends only on the seed and the epoch."""

    def __init__(self, length: int, size: int, seed: int) -> None:
        self.length, self.size, self.seed, self.epoch = length, size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before every epoch, also after resuming."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.length // self.size)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([abs(self.seed), self.epoch]).permutation(self.length)
        return iter([order[i : i + self.size].tolist() for i in range(0, self.length, self.size)])


def _entrance(program: Program) -> tuple[Source, Op, Op | None]:
    """Where recordings enter: the data set itself, or the encoder that turns it into events beforehand."""
    datasets = program.of_role("dataset")
    if len(datasets) != 1:
        found = f"it has {len(datasets)}" if datasets else "it has none"
        raise MyelinError(f"'{program.title}' needs one data set to work on samples, but {found}")
    (dataset,) = datasets
    for op in program.of_role("offline"):
        if any(source.op == dataset.id for sources in op.inputs.values() for source in sources):
            return Source(op.id, "output"), dataset, op
    return Source(dataset.id, "data"), dataset, None


def _encode(samples: Samples, encoder: Op | None, program: Program, progress: Progress) -> list[Packed]:
    if encoder is None:
        packed = []
        for i in range(len(samples)):
            packed.append(Packed.of(_frames(samples.item(i), samples.shape, program.dt)))
            progress(i + 1, len(samples))
        return packed
    return _encode_offline(samples, encoder, program, progress)


def _frames(item: Item, shape: tuple[int, ...], dt: float) -> np.ndarray:
    if isinstance(item, Wave):
        raise MyelinError("the data set gives audio; wire it to an encoder for audio, such as the cochlea")
    return to_frames(item, shape, dt) if isinstance(item, Events) else item


def _encode_offline(samples: Samples, encoder: Op, program: Program, progress: Progress) -> list[Packed]:
    """Recordings through the encoder, each cached on disk under a hash of everything that matters."""
    folder = Path(platformdirs.user_cache_dir("myelin")) / "encoded"
    folder.mkdir(parents=True, exist_ok=True)
    recordings = [_wave(samples.item(i), encoder) for i in range(len(samples))]
    files = [folder / f"{_digest(r, encoder, program.dt)}.npz" for r in recordings]
    missing = [i for i, file in enumerate(files) if not file.exists()]
    jobs = [(recordings[i], encoder.type, encoder.p, program.dt, files[i]) for i in missing]
    done = len(files) - len(missing)
    for _ in _spread(jobs):
        done += 1
        progress(done, len(files))
    return [_read(file) for file in files]


def _spread(jobs: list[tuple[Wave, str, Values, float, Path]]) -> Iterator[None]:
    """Run jobs here, or many of them on all cores."""
    if len(jobs) < MANY or (os.cpu_count() or 1) == 1:
        yield from map(_encode_one, jobs)
        return
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(_encode_one, jobs, chunksize=4)


def _encode_one(job: tuple[Wave, str, Values, float, Path]) -> None:
    recording, type_, p, dt, file = job
    spec = registry.get(type_)
    assert spec is not None and issubclass(spec, OfflineEncoder)
    seed = int(hashlib.sha256(recording.samples.tobytes()).hexdigest()[:8], 16)
    packed = Packed.of(spec.encode(recording, p, dt, seed))
    partial = file.with_name(f"{file.stem}.{os.getpid()}.part")
    with partial.open("wb") as out:
        np.savez_compressed(out, shape=np.array(packed.shape), place=packed.place, value=packed.value)
    partial.replace(file)


def _wave(item: Item, encoder: Op) -> Wave:
    if not isinstance(item, Wave):
        raise MyelinError(f"'{encoder.name}' encodes audio, but the data set gives something else")
    return item


def _digest(recording: Wave, encoder: Op, dt: float) -> str:
    settings = json.dumps(
        [encoder.type, encoder.spec.version, encoder.p, dt, recording.rate], sort_keys=True, default=str
    )
    return hashlib.sha256(settings.encode() + recording.samples.tobytes()).hexdigest()[:40]


def _read(file: Path) -> Packed:
    with np.load(file) as kept:
        return Packed(tuple(int(n) for n in kept["shape"]), kept["place"], kept["value"])
