"""Largest membrane potential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Readout
from nodes.spec import Port, Step, Values, node, port

LOWEST = -3e38  # below any potential, and finite, so that every export can write it down


@node("readout.max_membrane", label="Max membrane", keywords=("max over time", "decision", "classifier"))
class MaxMembrane(Readout):
    """m_t = max(m_{t-1}, v_t): the class whose potential has reached highest wins.

    Source: Cramer et al., IEEE TNNLS 2020 (max-over-time readout).
    """

    inputs: ClassVar[dict[str, Port]] = {"input": port("potential", "current", "value", doc="one per class")}
    state: ClassVar[Mapping[str, str | float]] = {"peak": LOWEST}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        peak = ops.maximum(s.peak, x.input)
        return {"peak": peak}, {"output": peak}
