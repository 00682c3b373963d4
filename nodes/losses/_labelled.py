"""What losses that compare a prediction with a label share."""

from __future__ import annotations

from typing import ClassVar

from nodes.roles import Loss
from nodes.spec import Port, Shapes, Values, port


class Labelled(Loss):
    """A loss between one score per class and the right class; the two have the same shape, ``[classes]``."""

    inputs: ClassVar[dict[str, Port]] = {
        "prediction": port("value", "potential", "current", "spikes", doc="one score per class"),
        "label": port("label", doc="the right class"),
    }

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        prediction, label = shapes["prediction"], shapes["label"]
        if None not in (prediction, label) and prediction != label:
            raise ValueError(
                f"is given scores of shape {list(prediction or ())} for labels of {list(label or ())}"
            )
        return {**shapes, "prediction": prediction or label, "label": label or prediction, "loss": ()}
