"""How a projection's delays are spread."""

from __future__ import annotations

from typing import ClassVar

from studio.plots import plot
from studio.plots.bars import Bars


@plot("delays", "Delay histogram", ports=("delays",), icon="histogram", order=60)
class Delays(Bars):
    """Bars of the delays, in ms."""

    x_label: ClassVar[str] = "delay (ms)"
    colour: ClassVar[str] = "kind.delays"

    def y_label(self) -> str:
        """Each delay is counted once, whether one synapse has it or many share it."""
        return "delays"

    @property
    def scale(self) -> float:
        """The worker counts in steps."""
        return self.records.dt
