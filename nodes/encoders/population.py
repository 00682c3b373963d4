"""Population encoder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nodes._shapes import settled
from nodes.ops import Ops
from nodes.spec import Encoder, Param, Shapes, Step, Tensor, Values, node


@node(
    "encoder.population",
    label="Population",
    keywords=("Gaussian", "receptive field", "tuning curve", "place"),
)
class PopulationEncoder(Encoder):
    """Gaussian receptive fields: field i of a value x fires at max_rate exp(-(x - c_i)^2 / (2 w^2)).

    The centres c_i are spread evenly from ``low`` to ``high``, both included; the width w is ``overlap``
    times the distance between neighbours.  ``poisson``: spikes at random, at most one per step; ``regular``:
    the rate is summed up and a spike leaves at every whole number.  Input ``shape`` becomes
    ``[*shape, fields]``.
    Source: Bohte, La Poutré & Kok, IEEE Transactions on Neural Networks 13 (2002), section IV (beta = 1.5).
    """

    fields = Param(10, low=2, high=100_000, doc="number of receptive fields per value")
    low = Param(0.0, doc="centre of the first field")
    high = Param(1.0, doc="centre of the last field")
    overlap = Param(2 / 3, low=1e-3, high=1e3, doc="width of a field in distances between centres")
    max_rate = Param(100.0, "Hz", low=0.0, high=1e6, doc="rate at the centre of a field")
    spiking = Param("poisson", choices=("poisson", "regular"), doc="spikes at random or at even intervals")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        return [] if p.low < p.high else [("low", f"must be below high ({p.high:g}), but is {p.low:g}")]

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        source = shapes["input"]
        if source is None:
            return shapes
        output = (*source, p.fields)
        return settled(shapes, output)

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        centres = np.linspace(p.low, p.high, p.fields, dtype=np.float32)
        return {"centres": Tensor((p.fields,), lambda rng, shape: centres.copy(), "fixed")}

    @classmethod
    def state_of(cls, p: Values) -> Mapping[str, str | float]:
        return {"phase": 0.0} if p.spiking == "regular" else {}

    @classmethod
    def noise_of(cls, p: Values) -> Mapping[str, str]:
        return {"draw": "uniform"} if p.spiking == "poisson" else {}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        source = p.shapes["input"]
        width = p.overlap * (p.high - p.low) / (p.fields - 1)
        distance = (ops.reshape(x.input, len(source), (*source, 1)) - p.centres) / width
        chance = ops.exp(-0.5 * distance * distance) * (p.max_rate * dt / 1000)
        if p.spiking == "poisson":
            return {}, {"output": ops.cast(x.draw < chance)}
        phase = s.phase + chance
        spikes = ops.floor(phase)
        return {"phase": phase - spikes}, {"output": spikes}
