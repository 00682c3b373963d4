"""What every kind of delays shares."""

from __future__ import annotations

from nodes.roles import Delays
from nodes.spec import Param


class Extending(Delays):
    """Delays that may lengthen the sequence."""

    extend = Param(
        0.0, "ms", low=0.0, high=1e5, doc="how much longer the sequence gets, so that late spikes arrive"
    )
