"""Batch normalisation over time and batch."""

from __future__ import annotations

from typing import ClassVar

from nodes.ops import Ops
from nodes.roles import Structure
from nodes.spec import Param, Port, Shapes, Step, Tensor, Values, constant, node, port


@node("structure.batch_norm", label="Batch norm", keywords=("normalisation", "BN"))
class BatchNorm(Structure):
    """Per channel, over time, batch and space: y = gamma (x - mean) / sqrt(var + eps) + beta.

    Training uses the sequence's own statistics and tracks running ones, which evaluation uses
    (Ioffe & Szegedy 2015; the running variance is the unbiased one).
    """

    inputs: ClassVar[dict[str, Port]] = {"input": port("current", "value", "potential", many=True)}
    over_time: ClassVar[bool] = True
    eps = Param(1e-5, low=1e-12, high=1.0, doc="added to the variance")
    momentum = Param(0.1, low=0.0, high=1.0, doc="weight of a new batch in the running statistics")

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        channels = ((shapes["input"] or (1,))[0],)
        return {
            "gamma": Tensor(channels, constant(1.0), "norm"),
            "beta": Tensor(channels, constant(0.0), "norm"),
            "mean": Tensor(channels, constant(0.0), "fixed"),
            "var": Tensor(channels, constant(1.0), "fixed"),
        }

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        return {}, {"output": ops.batch_norm(x.input, len(p.shapes["input"]), p, p.training)}
