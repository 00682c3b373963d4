"""Threshold without memory."""

from __future__ import annotations

from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Encoder
from nodes.spec import Param, Port, Shapes, Step, Tensor, Values, constant, node, port
from nodes.surrogates import SURROGATES


@node("encoder.threshold", label="Threshold", keywords=("step function", "Heaviside", "binary", "compare"))
class Threshold(Encoder):
    """A spike in every step in which the signal is above its threshold: z = 1 where x > threshold.

    Without memory and without reset; every element has a threshold of its own, ``threshold`` at first.
    """

    inputs: ClassVar[dict[str, Port]] = {
        "input": port("value", "potential", "current", doc="what is compared")
    }
    threshold = Param(1.0, doc="threshold of every element at first")
    learn = Param(False, doc="learn the thresholds in training")
    surrogate = Param("atan", choices=tuple(SURROGATES), doc="derivative of the spike used in training")
    alpha = Param(2.0, low=0.01, high=1e4, doc="steepness of the surrogate")

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        group = "neurons" if p.learn else "fixed"
        return {"level": Tensor(shapes["input"] or (1,), constant(p.threshold), group)}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": ops.spike(x.input - p.level, True, p.surrogate, p.alpha)}
