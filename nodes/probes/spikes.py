"""Spike probe."""

from __future__ import annotations

from typing import ClassVar

from nodes.roles import Probe
from nodes.spec import Port, node, port


@node("probe.spikes", label="Spikes", keywords=("raster", "record"))
class SpikeProbe(Probe):
    """Records every spike of its input."""

    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes")}
