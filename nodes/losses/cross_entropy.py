"""Cross entropy of the decision."""

from __future__ import annotations

from typing import ClassVar

from nodes.ops import Array, Ops
from nodes.spec import Loss, Param, Port, Values, node, port


@node("loss.cross_entropy", label="Cross entropy", keywords=("classification", "objective"))
class CrossEntropy(Loss):
    """-log softmax(prediction)[label], of the last step, or averaged over every step that has a label."""

    inputs: ClassVar[dict[str, Port]] = {
        "prediction": port("value", "potential", "current", "spikes", doc="one score per class"),
        "label": port("label", doc="the right class"),
    }
    over = Param("last", choices=("last", "every"), doc="judge the decision at the end, or at every step")

    @staticmethod
    def loss(ops: Ops, x: Values, p: Values, dt: float) -> Array:
        if p.over == "last":
            return -ops.sum(ops.log_softmax(x.prediction[-1]) * x.label, 1)
        steps = x.label.shape[0]  # a sequence extended by delays is judged where it has labels
        nats = -ops.sum(ops.log_softmax(x.prediction[:steps]) * x.label, 1).sum(0)
        return nats / ops.maximum(ops.sum(x.label, 1).sum(0), 1 + 0 * nats)
