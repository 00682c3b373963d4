"""Temporal XOR: a made task whose answer lies in the interval between two spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nodes.roles import DataInfo, DataSet
from nodes.samples import DataError, Events, Samples, to_frames
from nodes.spec import Param, Shapes, Values, node

SPLITS = ("train", "test")


@node(
    "dataset.temporal_xor", label="Temporal XOR", keywords=("toy", "made", "interval", "delays", "synthetic")
)
class TemporalXOR(DataSet):
    """Two channels fire once each, early or late; the label is 1 when one is early and the other late.

    Channel A fires at 0 or 2 u, channel B at u or 3 u, u = ``unit``, both shifted by a random start.  The two
    never coincide, so neurons that forget within ``unit`` cannot tell the classes apart; a delay of A by u
    makes exactly the equal pairs coincide.
    """

    info: ClassVar[DataInfo] = DataInfo("Temporal XOR (made)", "none needed: numbers", "made by this node")
    splits: ClassVar[tuple[str, ...]] = SPLITS
    unit = Param(6.0, "ms", low=0.1, high=1e4, doc="time between early A and early B; also B to late A")
    samples = Param(512, low=4, high=1_000_000, doc="training samples; half as many test samples")
    start = Param(10.0, "ms", low=0.0, high=1e4, doc="latest start of a pair")
    seed = Param(0, low=0, high=2**31, doc="draws classes and starts")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return {"data": (2,), "label": (2,)}

    @classmethod
    def load(cls, p: Values, dt: float, root: Path | Any, split: str) -> Samples:
        if split not in SPLITS:
            raise DataError(f"the data set temporal_xor has no split {split!r}, only {', '.join(SPLITS)}.")
        count = p.samples if split == "train" else p.samples // 2
        rng = np.random.default_rng([p.seed, SPLITS.index(split)])
        late = rng.integers(0, 2, (count, 2))
        starts = rng.uniform(0, p.start, count)
        steps = int(np.ceil((p.start + 4 * p.unit) / dt)) + 1

        def item(i: int) -> np.ndarray:
            times = np.round(starts[i] / dt) * dt + (2 * late[i] + np.arange(2)) * p.unit
            return to_frames(Events(times, np.arange(2)), (2,), dt, steps=steps)

        return Samples(item, late[:, 0] ^ late[:, 1], (2,), ("equal", "different"))
