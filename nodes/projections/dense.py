"""All-to-all projection."""

from __future__ import annotations

import math
from typing import ClassVar

from nodes.ops import Ops
from nodes.projections._weights import Weighted
from nodes.spec import Param, Shapes, Step, Tensor, Values, node


@node("projection.dense", label="Dense", keywords=("all-to-all", "linear", "fully connected", "weights"))
class Dense(Weighted):
    """Every source neuron to every target neuron.  I_o = sum_i W[o, i] x_i (+ b_o)."""

    delayable: ClassVar[tuple[str, ...]] = ("synapse", "axonal", "dendritic", "projection")
    size = Param([], kind="shape", doc="shape of the output; empty takes that of the target")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return {**shapes, "output": tuple(p.size) or shapes["output"]}

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        sources, targets = math.prod(shapes["input"] or ()), math.prod(shapes["output"] or ())
        return cls.weight_tensors(p, (targets, sources), targets)

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        flat = ops.reshape(x.input, len(p.shapes["input"]), (p.weight.shape[1],))
        current = ops.linear(flat, p.weight)
        current = current + p.offset if p.bias else current
        return {}, {"output": ops.reshape(current, 1, p.shapes["output"])}
