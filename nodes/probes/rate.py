"""Rate probe."""

from __future__ import annotations

from typing import ClassVar

from nodes.roles import Probe
from nodes.spec import Param, Port, node, port


@node("probe.rate", label="Rate", keywords=("firing rate", "activity", "histogram", "PSTH", "record"))
class RateProbe(Probe):
    """Records a population's firing rate in Hz: spikes per neuron and second in every bin of time."""

    inputs: ClassVar[dict[str, Port]] = {"input": port("spikes")}
    records: ClassVar[str] = "rate"
    bin = Param(10.0, "ms", low=0.001, high=1e6, doc="width of a bin")
