"""MNIST."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import ClassVar

import numpy as np

from nodes.datasets._files import FileData, class_indices, damaged, not_empty, read_npz, readable, repeat
from nodes.roles import DataInfo, Remote
from nodes.samples import DataError, Samples
from nodes.spec import Param, Port, Values, node, port

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MD5 = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}
LAYOUTS = {"image": (1, 28, 28), "flat": (784,), "rows": (28,), "pixels": (1,)}


@node("dataset.mnist", label="MNIST", keywords=("digits", "image", "handwritten", "sequential"))
class MNIST(FileData):
    """Handwritten digits, 28 x 28 grey values from 0 to 1, 10 classes.

    Held still for `duration`, or read row by row (28 steps of 28) or pixel by pixel (784 steps of 1).  Reads
    the official idx files, or one .npz with train_image, train_label, test_image, test_label.
    Source: LeCun, Cortes, Burges, 1998.
    """

    info: ClassVar[DataInfo] = DataInfo(
        title="MNIST handwritten digits",
        licence="CC BY-SA 3.0",
        source="http://yann.lecun.com/exdb/mnist/",
        files=tuple(
            Remote(name, f"{MIRROR}{name}.gz", f"md5:{md5}", unpack="gz") for name, md5 in MD5.items()
        ),
    )
    outputs: ClassVar[dict[str, Port]] = {
        "data": port("value", doc="grey values"),
        "label": port("label", doc="the digit"),
    }
    layout = Param(
        "image", choices=tuple(LAYOUTS), doc="whole image [1, 28, 28] or [784], or row or pixel after pixel"
    )
    duration = Param(
        100.0, "ms", low=0.001, high=1e6, doc="how long an image is shown (layouts image and flat)"
    )

    @classmethod
    def shapes(cls, p: Values) -> tuple[tuple[int, ...], int]:
        return LAYOUTS[p.layout], 10

    @classmethod
    def load(cls, p: Values, dt: float, root: Path, split: str) -> Samples:
        cls.check_split(split)
        path = cls.require(cls.place(p, root))
        packed = path if path.is_file() else path / f"{path.name}.npz"
        images, labels = _npz(packed, split) if packed.exists() else _idx(path, split)
        if images.shape != (len(labels), 28, 28) or images.dtype != np.uint8:
            found = f"{split} images of shape {images.shape} for {len(labels)} labels"
            raise DataError(f"{path} holds {found}, not 28 x 28 bytes each.")

        def item(i: int) -> np.ndarray:
            grey = images[i].astype(np.float32) / np.float32(255)
            if p.layout in ("rows", "pixels"):
                return np.asarray(grey.reshape(-1, *LAYOUTS[p.layout]))
            return repeat(grey.reshape(LAYOUTS[p.layout]), p.duration, dt)

        samples = Samples(item, class_indices(path, labels, 10), LAYOUTS[p.layout], tuple("0123456789"))
        return not_empty(samples, path, split)


def _npz(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    names = (f"{split}_image", f"{split}_label")
    arrays = read_npz(path, names)
    return arrays[names[0]], arrays[names[1]]


def _idx(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    prefix = "train" if split == "train" else "t10k"
    return read_idx(folder / f"{prefix}-images-idx3-ubyte"), read_idx(folder / f"{prefix}-labels-idx1-ubyte")


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of an idx file, packed (``.gz``) or not: 0, 0, 8, rank, big-endian sizes, bytes."""
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and not packed.exists():
        raise MNIST.missing(path)
    source = path if path.exists() else packed
    unpack = gzip.decompress if source == packed else bytes
    data = readable(source, "an idx file", lambda: unpack(source.read_bytes()))
    rank = data[3] if data[:3] == b"\0\0\x08" and len(data) > 3 else 0
    sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    body = np.frombuffer(data, np.uint8)[4 + 4 * rank :]
    if not rank or body.size != math.prod(sizes):
        raise damaged(source, "an idx file")
    return body.reshape(sizes)
