"""Flattening."""

from __future__ import annotations

import math

from nodes._shapes import settled
from nodes.ops import Ops
from nodes.roles import Structure
from nodes.spec import Param, Shapes, Step, Values, node


@node("structure.flatten", label="Flatten", keywords=("reshape", "vector", "axes", "dimensions"))
class Flatten(Structure):
    """Several axes become one: ``[2, 8, 8]`` becomes ``[128]``, in C order (the last axis runs fastest)."""

    before = Param(0, low=0, high=8, doc="axes left alone before those joined (there is no batch axis)")
    after = Param(0, low=0, high=8, doc="axes left alone after those joined")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        source = shapes["input"]
        if source is None:
            return shapes
        end = len(source) - p.after
        if end <= p.before:
            raise ValueError(f"leaves none of the axes of an input of shape {list(source)} to join")
        return settled(shapes, (*source[: p.before], math.prod(source[p.before : end]), *source[end:]))

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": ops.reshape(x.input, len(p.shapes["input"]), p.shapes["output"])}
