"""A decision at every step."""

from __future__ import annotations

from nodes.ops import Ops
from nodes.roles import Readout
from nodes.spec import Param, Step, Values, node


@node(
    "readout.per_step",
    label="Per step",
    keywords=("labelling", "segmentation", "streaming", "last", "classifier"),
)
class PerStep(Readout):
    """A decision of its own at every step, without memory: the input itself, or its softmax.

    For sequences in which every step has a label (Yin, Corradi & Bohte 2021, ECG).  A cross entropy applies
    its own softmax, so ``identity`` goes with it.
    """

    form = Param("identity", choices=("identity", "softmax"), doc="scores as they come, or as probabilities")

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": ops.softmax(x.input) if p.form == "softmax" else x.input}
