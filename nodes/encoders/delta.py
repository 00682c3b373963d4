"""Delta modulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nodes._shapes import settled
from nodes.ops import Ops
from nodes.roles import Encoder
from nodes.spec import Param, Shapes, Step, Tensor, Values, node


@node(
    "encoder.delta", label="Delta modulation", keywords=("level crossing", "send on delta", "change", "event")
)
class Delta(Encoder):
    """A spike for every ``threshold`` the signal has risen (up) or fallen (down) since the last spike.

    The reference starts at the first value; n = floor(|x - reference| / threshold) spikes go to the channel
    of the sign, and the reference moves by n thresholds.  So the first value plus threshold times
    (ups - downs) follows the signal to within one threshold.  ``several`` off emits at most one spike a step,
    and the reference lags behind a fast signal.  Input ``[C]`` becomes ``[2 C]``, first all ups, then all
    downs; any other shape becomes ``[2, *shape]``.
    Source: Lichtsteiner, Posch & Delbruck 2008 (event camera); Yin, Corradi & Bohte 2021 (ECG).
    """

    threshold = Param(0.1, low=1e-9, high=1e9, doc="change of the signal per spike")
    several = Param(True, doc="emit as many spikes in a step as thresholds were crossed, not at most one")
    state: ClassVar[Mapping[str, str | float]] = {"reference": 0.0, "started": 0.0}

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        source = shapes["input"]
        if source is None:
            return shapes
        output = (2 * source[0],) if len(source) == 1 else (2, *source)
        return settled(shapes, output)

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        polarity = np.array([1, -1], np.float32)
        rank = len(shapes["input"] or ())
        return {"polarity": Tensor((2, *[1] * rank), lambda rng, shape: polarity.reshape(shape), "fixed")}

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        source, output = p.shapes["input"], p.shapes["output"]
        reference = ops.where(s.started > 0.5, s.reference, x.input)
        rise = x.input - reference
        crossed = ops.floor(ops.abs(rise) / p.threshold)
        count = crossed if p.several else ops.minimum(crossed, 0 * crossed + 1)
        signed = count * (2 * ops.cast(rise > 0) - 1)
        pair = ops.maximum(ops.reshape(signed, len(source), (1, *source)) * p.polarity, 0 * p.polarity)
        state = {"reference": reference + p.threshold * signed, "started": 0 * s.started + 1}
        return state, {"output": ops.reshape(pair, len(source) + 1, output)}
