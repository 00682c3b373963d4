"""State probe."""

from __future__ import annotations

from typing import ClassVar

from nodes.roles import Probe
from nodes.spec import Port, node, port


@node("probe.state", label="State variable", keywords=("membrane", "voltage", "potential", "trace", "record"))
class StateProbe(Probe):
    """Records a membrane potential, another state variable, a current or a value at every step."""

    inputs: ClassVar[dict[str, Port]] = {"input": port("potential", "current", "value")}
