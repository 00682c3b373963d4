"""What convolutions share: windows that slide over space, one array of weights per output channel."""

from __future__ import annotations

from typing import ClassVar

from nodes._shapes import settled
from nodes.ops import Ops
from nodes.projections._weights import Weighted
from nodes.spec import Param, Shapes, Step, Tensor, Values


class Convolution(Weighted):
    """A convolution over ``rank`` axes of space; the first axis of its input holds the channels."""

    rank: ClassVar[int]
    channels = Param(8, low=1, high=100_000, doc="number of output channels")
    window = Param(3, low=1, high=10_000, doc="width of the window along every axis of space")
    stride = Param(1, low=1, high=10_000, doc="distance between neighbouring windows")
    padding = Param(0, low=0, high=10_000, doc="zeros put around the input on every side")

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        source = shapes["input"]
        if source is None:
            return shapes
        if len(source) != cls.rank + 1:
            axes = "channels, length" if cls.rank == 1 else "channels, height, width"
            raise ValueError(
                f"a {cls.rank}-d convolution needs an input of shape [{axes}], not {list(source)}"
            )
        space = [(n + 2 * p.padding - p.window) // p.stride + 1 for n in source[1:]]
        if min(space) < 1:
            raise ValueError(f"a window of {p.window} does not fit an input of shape {list(source)}")
        return settled(shapes, (p.channels, *space))

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        sources = (shapes["input"] or (1,))[0]
        return cls.weight_tensors(p, (p.channels, sources, *[p.window] * cls.rank), p.channels)

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        current = ops.conv(x.input, p.weight, p.stride, p.padding)
        if p.bias:
            current = current + ops.reshape(p.offset, 1, (p.channels, *[1] * (len(p.shapes["output"]) - 1)))
        return {}, {"output": current}
