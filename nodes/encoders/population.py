"""Population encoder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nodes._shapes import settled
from nodes.ops import Array, Ops
from nodes.roles import Encoder
from nodes.spec import Param, Shapes, Step, Tensor, Values, node


@node(
    "encoder.population",
    label="Population",
    keywords=("Gaussian", "receptive field", "tuning curve", "place"),
)
class PopulationEncoder(Encoder):
    """Gaussian receptive fields: field i of a value x is active with a = exp(-(x - c_i)^2 / (2 w^2)).

    The centres c_i are spread evenly from ``low`` to ``high``, both included; the width w is ``overlap``
    times the distance between neighbours.  ``poisson``: a field fires at the rate a max_rate, at most once a
    step.  ``latency``: a field fires once, at the time t_max (1 - a) for the value of the first step, rounded
    to steps, and not at all where a is below ``cutoff``.  Input ``shape`` becomes ``[*shape, fields]``.
    Source: Bohte, La Poutré & Kok, IEEE Transactions on Neural Networks 13 (2002), section IV: beta = 1.5,
    spike times 0 to 10, none after 9.
    """

    fields = Param(10, low=2, high=100_000, doc="number of receptive fields per value")
    low = Param(0.0, doc="centre of the first field")
    high = Param(1.0, doc="centre of the last field")
    overlap = Param(2 / 3, low=1e-3, high=1e3, doc="width of a field in distances between centres")
    spiking = Param("poisson", choices=("poisson", "latency"), doc="rate at random, or one spike on time")
    max_rate = Param(100.0, "Hz", low=0.0, high=1e6, doc="rate of a fully active field (poisson)")
    t_max = Param(100.0, "ms", low=0.0, high=1e5, doc="time of an inactive field (latency)")
    cutoff = Param(0.1, low=0.0, high=1.0, doc="activity below which a field is silent (latency)")

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
        return {"clock": 0.0, "value": 0.0} if p.spiking == "latency" else {}

    @classmethod
    def noise_of(cls, p: Values) -> Mapping[str, str]:
        return {"draw": "uniform"} if p.spiking == "poisson" else {}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        if p.spiking == "poisson":
            return {}, {"output": ops.cast(x.draw < _activity(ops, x.input, p) * (p.max_rate * dt / 1000))}
        value = ops.where(s.clock < 0.5, x.input, s.value)
        activity = _activity(ops, value, p)
        due = ops.floor(p.t_max * (1 - activity) / dt + 0.5)
        late = _spread(ops, s.clock, p) - due
        spikes = ops.cast(ops.abs(late) < 0.5) * ops.cast(activity >= p.cutoff)
        return {"clock": s.clock + 1, "value": value}, {"output": spikes}


def _activity(ops: Ops, value: Array, p: Values) -> Array:
    """Activity of every field, ``[..., *shape, fields]``."""
    distance = (_spread(ops, value, p) - p.centres) * ((p.fields - 1) / (p.overlap * (p.high - p.low)))
    return ops.exp(-0.5 * distance * distance)


def _spread(ops: Ops, x: Array, p: Values) -> Array:
    """``[..., *shape]`` as ``[..., *shape, 1]``, to meet every field."""
    source = p.shapes["input"]
    return ops.reshape(x, len(source), (*source, 1))
