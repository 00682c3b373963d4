"""Reading recordings: whole, mono, float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodes.datasets._files import damaged, readable
from nodes.samples import Wave

SUFFIXES = (".wav", ".flac")


def read_wave(path: Path) -> Wave:
    """A ``.wav`` or ``.flac`` file; channels are averaged.  Half a file is an error, not half a recording."""
    import soundfile  # here and not above: the palette lists this node without loading libsndfile

    def read() -> Wave:
        frames = soundfile.info(path).frames
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if len(samples) != frames or not frames or _cut(path):
            raise damaged(path, "a recording")
        return Wave(samples.mean(1), float(rate))

    return readable(path, "a recording", read)


def _cut(path: Path) -> bool:
    """True for a RIFF file shorter than its header says; libsndfile reads what is left without a word."""
    with path.open("rb") as file:
        head = file.read(8)
    promised = int.from_bytes(head[4:], "little")
    streamed = promised in (0, 0xFFFFFFFF)  # written to a pipe: the length was not known
    return head[:4] == b"RIFF" and not streamed and path.stat().st_size < promised + 8


def wave_files(folder: Path) -> list[Path]:
    """Every recording below ``folder``, in a fixed order."""
    found = readable(
        folder, "a folder", lambda: [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    )
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def pcm(path: Path) -> tuple[np.ndarray, float]:
    """All samples of a mono file as int16, half the memory of float32, and the rate in Hz."""
    import soundfile

    def read() -> tuple[np.ndarray, float]:
        samples, rate = soundfile.read(path, dtype="int16")
        if samples.ndim != 1 or len(samples) != soundfile.info(path).frames:
            raise damaged(path, "a mono recording")
        return samples, float(rate)

    return readable(path, "a recording", read)
