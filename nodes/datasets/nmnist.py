"""N-MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._events import EventData, EventFile
from nodes.datasets._files import damaged, not_empty, readable, require_keys
from nodes.datasets.npz_events import pixel_units, pooled_shape
from nodes.roles import DataInfo, Remote
from nodes.samples import Events, Samples
from nodes.spec import Values, node

SENSOR = (2, 34, 34)
FILES = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files/"
OVERFLOW_ROW, OVERFLOW_US = 240, 1 << 13  # an event in row 240 is none: later times are 2^13 us later


@node("dataset.nmnist", label="N-MNIST", keywords=("event camera", "dvs", "digits", "saccade", "atis"))
class NMNIST(EventData):
    """MNIST digits seen by an event camera in three saccades: 34 x 34 pixels, 2 polarities, 300 ms.

    Reads the official folders (`Train/0 ... 9/*.bin`, `Test/...`) or one packed .npz (t_us, x, y, p, offsets,
    label, split).  Source: Orchard, Jayawant, Cohen, Thakor, Frontiers in Neuroscience 2015.
    """

    info: ClassVar[DataInfo] = DataInfo(
        title="N-MNIST",
        licence="CC BY-SA 4.0",
        source="https://www.garrickorchard.com/datasets/n-mnist",
        files=(
            Remote(
                "Train",
                FILES + "39c25547-014b-4137-a934-9d29fa53c7a0/file_downloaded",
                "md5:20959b8e626244a1b502305a9e6e2031",
                unpack="zip",
            ),
            Remote(
                "Test",
                FILES + "05a4d654-7e03-4c15-bdfa-9bb2bcbea494/file_downloaded",
                "md5:69ca8762b2fe404d9b9bad1103e97832",
                unpack="zip",
            ),
        ),
    )

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return pooled_shape(SENSOR, p.pool), 10

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require(cls.place(p, root))
        packed = path if path.is_file() else path / f"{path.name}.npz"
        return cls._packed(packed, p, dt, split) if packed.exists() else cls._folders(path, p, dt, split)

    @classmethod
    def _packed(cls, path: Path, p: Values, dt: float, split: str) -> Samples:
        file = EventFile(path, 10)
        file.require("x", "y", "p")
        require_keys(path, file.meta, ("split",))

        def item(i: int) -> np.ndarray:
            x, y, polarity = (file.column(name, i) for name in ("x", "y", "p"))
            return cls._frames(file.times(i), x, y, polarity, p, dt, f"recording {i} of {path}")

        samples = Samples(item, file.labels, cls.shapes(p)[0], tuple("0123456789"), file.meta)
        return not_empty(samples.select(np.flatnonzero(file.meta["split"] == (split == "test"))), path, split)

    @classmethod
    def _folders(cls, path: Path, p: Values, dt: float, split: str) -> Samples:
        folder = cls.require(path / split.capitalize())
        files = [(file, digit) for digit in range(10) for file in sorted((folder / str(digit)).glob("*.bin"))]

        def item(i: int) -> np.ndarray:
            t_us, x, y, polarity = read_bin(files[i][0])
            return cls._frames(t_us * 1e-3, x, y, polarity, p, dt, str(files[i][0]))

        labels = np.array([digit for _, digit in files], np.int64)
        return not_empty(Samples(item, labels, cls.shapes(p)[0], tuple("0123456789")), folder, split)

    @classmethod
    def _frames(
        cls,
        t: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
        polarity: np.ndarray,
        p: Values,
        dt: float,
        source: str,
    ) -> np.ndarray:
        unit = pixel_units(polarity, y, x, SENSOR, p.pool, source)
        return cls.frames(Events(t, unit), cls.shapes(p)[0], p, dt, source)


def read_bin(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(t in us, x, y, polarity), int64, of an ATIS `.bin` file.

    5 bytes an event: x, y, then the polarity in the top bit and 23 bits of time, high byte first.
    """
    raw = readable(path, "an N-MNIST recording", lambda: np.fromfile(path, np.uint8)).astype(np.int64)
    if not raw.size or raw.size % 5:
        raise damaged(path, "an N-MNIST recording (5 bytes an event)")
    x, y, high, middle, low = raw.reshape(-1, 5).T
    overflow = y == OVERFLOW_ROW
    t = ((high & 127) << 16 | middle << 8 | low) + np.cumsum(overflow) * OVERFLOW_US
    return t[~overflow], x[~overflow], y[~overflow], (high >> 7)[~overflow]
