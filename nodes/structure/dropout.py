"""Dropout with one mask for the whole sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Structure
from nodes.spec import Param, Step, Values, node


@node("structure.dropout", label="Dropout", keywords=("regularisation",))
class Dropout(Structure):
    """In training, drop each unit of each sample with probability ``rate``, the same ones at all steps.

    What stays is scaled by 1 / (1 - rate); evaluation passes everything (Srivastava et al. 2014; one mask
    over time as in Fang et al. 2021).
    """

    rate = Param(0.4, low=0.0, high=0.99, doc="probability to drop a unit")
    noise: ClassVar[Mapping[str, str]] = {"mask": "sequence"}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        if not p.training:
            return {}, {"output": x.input}
        return {}, {"output": x.input * (ops.cast(x.mask >= p.rate) / (1 - p.rate))}
