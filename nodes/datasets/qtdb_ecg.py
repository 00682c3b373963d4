"""QTDB ECG as level-crossing spikes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._files import FileData, not_empty, readable
from nodes.roles import DataInfo, Remote
from nodes.samples import DataError, Samples
from nodes.spec import Param, Values, node

REPOSITORY = "https://github.com/byin-cwi/Efficient-spiking-networks"
COMMIT = "bfd47cff62d26b0812bb2cc24c5f220245443a32"
RAW = f"https://raw.githubusercontent.com/byin-cwi/Efficient-spiking-networks/{COMMIT}/data/"
CHANNELS = 4
SEGMENTS = ("P", "PQ", "QR", "RS", "ST", "TP")
WHAT = "a QTDB task file (MATLAB, with x and y)"


@node(
    "dataset.qtdb_ecg", label="QTDB ECG", keywords=("heart", "ecg", "level crossing", "segmentation", "mat")
)
class QTDBECG(FileData):
    """Electrocardiograms as 4 channels of level crossings, 1301 steps, each in one of 6 segments.

    618 training and 141 test sequences; one row of the file is one step, whatever the program's dt.  Steps
    without a segment have no label; the published 85.9 % counts them as P (`unlabelled` = P).
    Source: Yin, Corradi, Bohte, Nature Machine Intelligence 2021, from PhysioNet's QT Database (Laguna 1997).
    """

    info: ClassVar[DataInfo] = DataInfo(
        title="QTDB ECG, level-crossing spikes",
        licence="MIT (task files), ODC-By 1.0 (PhysioNet QT Database)",
        source=REPOSITORY,
        files=(
            Remote(
                "QTDB_train.mat",
                RAW + "QTDB_train.mat",
                "sha256:72d1a10c96f1540880447e07256835d66da419c0b34f3dff495731a7928c5bc7",
                bytes=537262,
            ),
            Remote(
                "QTDB_test.mat",
                RAW + "QTDB_test.mat",
                "sha256:916f11e21679a5b61988305bbb7cd1e6df8b34f1ed4a157a7a4e295d400ef232",
                bytes=112720,
            ),
        ),
    )
    unlabelled = Param(
        "ignore", choices=("ignore", "P"), doc="steps without a segment have no label, or count as P"
    )

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return (CHANNELS,), len(SEGMENTS)

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require_file(cls.place(p, root) / f"QTDB_{split}.mat")
        x, y = readable(path, WHAT, lambda: _read(path))
        fits = (
            x.ndim == y.ndim == 3 and x.shape[:2] == y.shape[:2] and (x.shape[2], y.shape[2]) == (CHANNELS, 6)
        )
        if not fits:
            found = f"x of shape {x.shape} and y of shape {y.shape}"
            raise DataError(f"{path} holds {found}, not [n, time, 4] and [n, time, 6].")
        labels = y.argmax(-1).astype(np.int64)
        labels[y.sum(-1) == 0] = 0 if p.unlabelled == "P" else -1
        return not_empty(
            Samples(lambda i: x[i].astype(np.float32), labels, (CHANNELS,), SEGMENTS), path, split
        )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from scipy.io import loadmat  # here and not above: the palette lists this node without loading scipy

    contents = loadmat(path, variable_names=["x", "y"])
    x, y = np.asarray(contents["x"]), np.asarray(contents["y"])
    if x.dtype.kind not in "iuf" or y.dtype.kind not in "iub":
        raise ValueError("x and y are no numbers")
    return x, y
