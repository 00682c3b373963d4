"""Mean squared error of firing rates."""

from __future__ import annotations

from typing import ClassVar

from nodes.losses._labelled import Labelled
from nodes.ops import Array, Ops
from nodes.spec import Param, Port, Values, node, port


@node(
    "loss.rate_mse",
    label="Rate MSE",
    keywords=("mean squared error", "firing rate", "spike count", "objective"),
)
class RateMSE(Labelled):
    """Mean over classes of ((r - target) / rate_right)^2, r the firing rate of a class over the whole run.

    The right class should fire at ``rate_right``, every other at ``rate_wrong``.
    Source: Shrestha & Orchard, SLAYER, NeurIPS 2018.
    """

    inputs: ClassVar[dict[str, Port]] = {
        "prediction": port("spikes", doc="one neuron per class"),
        "label": port("label", doc="the right class"),
    }
    rate_right = Param(50.0, "Hz", low=1e-3, high=1e6, doc="rate wanted of the right class")
    rate_wrong = Param(5.0, "Hz", low=0.0, high=1e6, doc="rate wanted of every other class")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.rate_wrong >= p.rate_right:
            return [
                ("rate_wrong", f"must be below rate_right ({p.rate_right:g} Hz), not {p.rate_wrong:g} Hz")
            ]
        return []

    @staticmethod
    def loss(ops: Ops, x: Values, p: Values, dt: float) -> Array:
        if x.label.ndim == 3:
            raise ValueError("rate MSE needs one label per sample, but this data set labels every step")
        rate = x.prediction.sum(0) / (len(x.prediction) * dt / 1000)
        target = p.rate_wrong + (p.rate_right - p.rate_wrong) * x.label
        return ops.sum(((rate - target) / p.rate_right) ** 2, 1) / x.label.shape[-1]
