"""Pooling that leaves the kind of a signal as it is."""

from __future__ import annotations

from nodes.ops import Ops
from nodes.projections.pool import Pool
from nodes.roles import Structure
from nodes.spec import Shapes, Step, Values, node


@node(
    "structure.pool", label="Pool (between layers)", keywords=("pooling", "subsample", "convolution", "sum")
)
class PoolBetween(Structure):
    """Sum, mean or largest of windows that do not overlap, of spikes on their way into a projection.

    As the projection Pool, but what comes out is of the kind that went in: pooled spikes (counts) may enter a
    convolution or another projection.  Pools the last axis of ``[length]`` or ``[channels, length]``, the
    last two of ``[channels, height, width]``; what is left over is cut.
    """

    window = Pool.params["window"]
    mode = Pool.params["mode"]

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        return Pool.infer(p, shapes)

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return Pool.step(ops, s, x, p, dt)
