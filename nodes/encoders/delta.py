"""Delta modulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nodes._shapes import settled
from nodes.ops import Ops
from nodes.spec import Encoder, Param, Shape, Shapes, Step, Tensor, Values, node


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
        # both channels carry the same reference, since state has the shape of the output
        source, output = p.shapes["input"], p.shapes["output"]
        pair: Shape = (2, *source)
        signal = ops.reshape(x.input, len(source), (1, *source)) + 0 * p.polarity
        kept = ops.reshape(s.reference, len(output), pair)
        started = ops.reshape(s.started, len(output), pair)
        reference = ops.where(started > 0.5, kept, signal)
        crossed = ops.floor(ops.abs(signal - reference) / p.threshold)
        count = crossed if p.several else ops.minimum(crossed, 0 * crossed + 1)
        rising = ops.cast(signal >= reference)
        spikes = count * ops.cast((2 * rising - 1) * p.polarity > 0)
        moved = reference + p.threshold * count * (2 * rising - 1)
        state = {"reference": moved, "started": 0 * moved + 1}
        flat = {name: ops.reshape(value, len(pair), output) for name, value in state.items()}
        return flat, {"output": ops.reshape(spikes, len(pair), output)}
