"""Weight probe."""

from __future__ import annotations

from typing import ClassVar

from nodes.roles import Probe
from nodes.spec import Port, node, port


@node("probe.weights", label="Weights", keywords=("synapse", "histogram", "plasticity", "record"))
class WeightProbe(Probe):
    """Records the weights of the projection it is wired to, at the end of a run or epoch."""

    inputs: ClassVar[dict[str, Port]] = {"input": port("current", doc="output of a projection")}
    records: ClassVar[str] = "weights"
