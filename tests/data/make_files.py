"""Tiny files in the field's formats, as the official data sets have them."""

from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import soundfile

from nodes import registry
from nodes.roles import DataSet
from nodes.spec import Values, defaults

SPEAKERS = ("george", "lucas", "theo")


def load(type: str, root: Path, split: str = "train", dt: float = 10.0, **changed: object):
    """A split of a data set with these parameters changed from their defaults."""
    spec = registry.get(type)
    assert spec is not None
    assert issubclass(spec, DataSet)
    values = Values({name: spec.params[name].coerce(v) for name, v in (defaults(spec) | changed).items()})
    assert not spec.check(values)
    return spec.load(values, dt, root, split)


def shd(path: Path, samples: int = 12, channels: int = 700, labels: np.ndarray | None = None) -> None:
    """A file like shd_train.h5: times float16 in seconds, units uint16, both of variable length."""
    rng = np.random.default_rng(samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        spikes = file.create_group("spikes")
        times = spikes.create_dataset("times", (samples,), h5py.vlen_dtype(np.float16))
        units = spikes.create_dataset("units", (samples,), h5py.vlen_dtype(np.uint16))
        for i in range(samples):
            times[i] = np.sort(rng.uniform(0.05, 0.9, 40)).astype(np.float16)
            units[i] = rng.integers(0, channels, 40).astype(np.uint16)
        file["labels"] = np.arange(samples, dtype=np.uint16) % 20 if labels is None else labels
        file["extra/speaker"] = np.arange(samples, dtype=np.uint16) % 3
        file["extra/keys"] = np.array([f"word{n}".encode() for n in range(20)])


def spikes_npz(path: Path, samples: int = 30, **changed: np.ndarray) -> None:
    """A file in the layout t_100us, unit, offsets, label, speaker, test, unseen_speaker."""
    rng = np.random.default_rng(1)
    speaker = np.arange(samples, dtype=np.uint8) % 3
    arrays = {
        "t_100us": np.sort(rng.integers(100, 9000, (samples, 50)), 1).ravel().astype(np.uint16),
        "unit": rng.integers(0, 700, samples * 50).astype(np.uint16),
        "offsets": np.arange(0, samples * 50 + 1, 50, dtype=np.uint32),
        "label": np.arange(samples, dtype=np.uint8) % 20,
        "speaker": speaker,
        "speaker_names": np.array(SPEAKERS),
        "test": ((speaker == 2) | (np.arange(samples) % 5 == 0)).astype(np.uint8),
        "unseen_speaker": (speaker == 2).astype(np.uint8),
    }
    np.savez_compressed(path, **{**arrays, **changed})


def spoken_digits(path: Path, samples: int = 40) -> None:
    """The layout of the embedded set: counts of all samples end to end, and the steps of each."""
    rng = np.random.default_rng(4)
    steps = rng.integers(30, 60, samples)
    speaker = np.arange(samples) % 4
    np.savez_compressed(
        path,
        counts=rng.poisson(0.3, (steps.sum(), 140)).astype(np.uint8),
        steps=steps.astype(np.uint16),
        label=(np.arange(samples) % 20).astype(np.uint8),
        speaker=speaker.astype(np.uint8),
        test=((speaker == 3) | (np.arange(samples) % 5 == 0)).astype(np.uint8),
        unseen_speaker=(speaker == 3).astype(np.uint8),
    )


def wave(path: Path, seconds: float = 0.1, rate: int = 8000, channels: int = 1) -> None:
    """A recording of a tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    soundfile.write(path, np.tile(tone[:, None], (1, channels)), rate)


def fsdd(folder: Path) -> None:
    """Files named digit_speaker_take.wav, as the official repository has them below `recordings`."""
    for digit in range(10):
        for speaker in SPEAKERS:
            for take in (0, 7):
                wave(folder / "recordings" / f"{digit}_{speaker}_{take}.wav")


def nmnist(folder: Path) -> None:
    """Official folders with one recording of three events per digit and split."""
    for split in ("Train", "Test"):
        for digit in range(10):
            path = folder / split / str(digit) / "00001.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            events = ((digit, 3, 1, 1000), (digit, 4, 0, 14_000), (digit, 5, 0, 15_000))
            path.write_bytes(b"".join(bin_record(*event) for event in events))


def bin_record(x: int, y: int, p: int, t_us: int) -> bytes:
    """One event of a `.bin` file."""
    return bytes([x, y, p << 7 | t_us >> 16, t_us >> 8 & 255, t_us & 255])


def qtdb(folder: Path, samples: int = 3) -> None:
    """QTDB_train.mat and QTDB_test.mat; the last step of every sequence has no label."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        y = np.eye(6, dtype=np.uint8)[np.arange(samples * 1301).reshape(samples, 1301) % 6]
        y[:, -1] = 0
        x = np.random.default_rng(2).integers(0, 2, (samples, 1301, 4)).astype(np.int16)
        scipy.io.savemat(folder / f"QTDB_{split}.mat", {"x": x, "y": y}, do_compression=True)


def mnist_idx(folder: Path, samples: int = 5) -> None:
    """The four official idx files, packed."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    for prefix in ("train", "t10k"):
        images = rng.integers(0, 256, (samples, 28, 28)).astype(np.uint8)
        _idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        _idx(folder / f"{prefix}-labels-idx1-ubyte.gz", np.arange(samples, dtype=np.uint8))


def _idx(path: Path, array: np.ndarray) -> None:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()))
