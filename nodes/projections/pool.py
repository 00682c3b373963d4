"""Pooling."""

from __future__ import annotations

from nodes._shapes import settled
from nodes.ops import Ops
from nodes.roles import Projection
from nodes.spec import Param, Shape, Shapes, Step, Values, node


@node("projection.pool", label="Pool", keywords=("pooling", "subsample", "bin", "group", "window"))
class Pool(Projection):
    """The sum, mean or largest of neighbouring neurons; windows do not overlap and what is left over is cut.

    Pools the last axis of an input ``[length]`` or ``[channels, length]``, the last two of
    ``[channels, height, width]``.  It has no weights to learn.
    """

    window = Param(2, low=1, high=10_000, doc="width of the window along every axis of space")
    mode = Param("sum", choices=("sum", "mean", "max"), doc="what becomes of the values in a window")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        source = shapes["input"]
        if source is None:
            return shapes
        if not 1 <= len(source) <= 3:
            raise ValueError(
                f"can pool [length], [channels, length] or [channels, height, width], not {list(source)}"
            )
        channels, space = source[: len(source) - _rank(source)], source[len(source) - _rank(source) :]
        if min(space) < p.window:
            raise ValueError(f"a window of {p.window} does not fit an input of shape {list(source)}")
        return settled(shapes, (*channels, *[n // p.window for n in space]))

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": ops.pool(x.input, p.window, _rank(p.shapes["input"]), p.mode)}


def _rank(shape: Shape) -> int:
    """How many of the last axes are space."""
    return max(1, len(shape) - 1)
