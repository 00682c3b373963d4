"""Cross entropy of the decision."""

from __future__ import annotations

from nodes.losses._labelled import Labelled
from nodes.ops import Array, Ops
from nodes.spec import Param, Values, node


@node("loss.cross_entropy", label="Cross entropy", keywords=("classification", "objective"))
class CrossEntropy(Labelled):
    """-log softmax(prediction)[label] in nats: of the last step, or averaged over every step.

    Where every step has its own label, every labelled step is judged whatever ``over`` says, and the average
    is taken over the steps that have one.
    """

    over = Param("last", choices=("last", "every"), doc="judge the decision at the end, or at every step")

    @staticmethod
    def loss(ops: Ops, x: Values, p: Values, dt: float) -> Array:
        if x.label.ndim == 3:
            return _labelled_steps(ops, x.prediction, x.label)
        scores = x.prediction[-1:] if p.over == "last" else x.prediction
        return -ops.sum(ops.log_softmax(scores) * x.label, 1).sum(0) / len(scores)


def _labelled_steps(ops: Ops, prediction: Array, label: Array) -> Array:
    """Mean over the steps with a label; the row of a step without one is all 0."""
    steps = min(len(label), len(prediction))  # delays may have made the prediction longer
    label = label[:steps]
    nats = -ops.sum(ops.log_softmax(prediction[:steps]) * label, 1).sum(0)
    return nats / ops.maximum(ops.sum(label, 1).sum(0), 1 + 0 * nats)
