"""How a projection's weights are spread."""

from __future__ import annotations

from typing import ClassVar

from studio.plots import plot
from studio.plots.bars import Bars


@plot("weights", "Weight histogram", ports=("weights",), icon="histogram", order=50)
class Weights(Bars):
    """Bars of the weights as they are now."""

    x_label: ClassVar[str] = "weight"
    colour: ClassVar[str] = "role.projection"
