"""A factor for every element."""

from __future__ import annotations

from nodes.ops import Ops
from nodes.roles import Structure
from nodes.spec import Param, Shapes, Step, Tensor, Values, constant, node


@node("structure.scale", label="Scale", keywords=("gain", "factor", "multiply", "elementwise"))
class Scale(Structure):
    """Every element times a factor of its own: y = scale x, where each scale starts as ``factor``."""

    factor = Param(1.0, low=-1e9, high=1e9, doc="factor of every element at first")
    learn = Param(False, doc="learn the factors in training")

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        group = "weights" if p.learn else "fixed"
        return {"scale": Tensor(shapes["input"] or (1,), constant(p.factor), group)}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": x.input * p.scale}
