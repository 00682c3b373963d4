"""Sum over time of the softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Readout
from nodes.spec import Step, Values, node


@node("readout.softmax_sum", label="Softmax sum", keywords=("decision", "classifier"))
class SoftmaxSum(Readout):
    """m_t = m_{t-1} + softmax(v_t): each step votes with its class probabilities.

    Source: Bittar & Garner, Frontiers in Neuroscience 2022; Hammouamri et al., ICLR 2024.
    """

    state: ClassVar[Mapping[str, str | float]] = {"votes": 0.0}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        votes = s.votes + ops.softmax(x.input)
        return {"votes": votes}, {"output": votes}
