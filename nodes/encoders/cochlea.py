"""Speech cochlea."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes._shapes import settled
from nodes.roles import OfflineEncoder
from nodes.samples import Events, to_frames
from nodes.spec import Param, Shapes, Values, node


@node(
    "encoder.cochlea",
    label="Cochlea",
    keywords=("audio", "speech", "sound", "inner ear", "basilar membrane", "hair cell", "shd", "lauscher"),
)
class Cochlea(OfflineEncoder):
    """Audio to spikes by the inner ear behind SHD: basilar membrane, hair cells, nerve fibres, bushy cells.

    The level is scaled to RMS 0.3 under a Hann window.  ``channels`` places run from the base (channel 0,
    high frequencies) to the apex; spikes of ``group`` neighbouring channels are summed.  Output
    ``[channels / group]``, counts per step.  The nerve fibres are random, but the same recording always
    gives the same spikes.
    Source: Cramer et al. 2020; Sieroka, Dosch & Rupp 2006; Meddis 1986, 1988.
    """

    channels = Param(700, low=2, high=5000, doc="places along the basilar membrane")
    group = Param(
        5, low=1, high=5000, doc="neighbouring channels summed into one output; must divide `channels`"
    )
    align = Param(True, doc="shift the first spike to time 0")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.channels % p.group:
            return [("group", f"must divide the number of channels, {p.channels}; {p.group} does not")]
        return []

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return settled(shapes, (p.channels // p.group,))

    @classmethod
    def encode(cls, recording: Any, p: Values, dt: float, seed: int) -> np.ndarray:
        # here and not above: the palette lists this node without loading scipy
        from nodes.encoders._cochlea_model import cochlea

        seconds, unit = cochlea(recording.samples, recording.rate, rng=seed, channels=p.channels)
        events = Events(seconds * 1000, unit // p.group)
        steps = 0 if p.align else _steps(len(recording.samples) / recording.rate * 1000, dt)
        return to_frames(events, (p.channels // p.group,), dt, align=p.align, steps=steps)


def _steps(duration_ms: float, dt: float) -> int:
    return max(1, int(np.ceil(duration_ms / dt - 1e-9)))
