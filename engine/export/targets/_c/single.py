"""Our reference of the C that adds up in single precision, in the order in which it does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.export.frozen import Frozen, Synapses
from engine.export.simulate import Run, Signals
from engine.export.targets._c.synapses import in_order
from engine.program import Source


def simulate_single(frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int) -> Signals:
    """Signals ``[steps, *shape]`` of the outputs, as ``engine.export.simulate`` but for the sums."""
    run = _Single(frozen, inputs, steps)
    for t in range(steps):
        for part in frozen.parts:
            run.step(part, t)
    return {source: run.signal[source] for source in frozen.outputs}


class _Single(Run):
    """A run whose sums are single precision, one synapse after the other."""

    def __init__(self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int) -> None:
        super().__init__(frozen, inputs, steps, np.float32)
        self.order = {synapses.id: in_order(synapses) for synapses in frozen.synapses}

    def _current(self, synapses: Synapses, t: int) -> np.ndarray:
        order = self.order[synapses.id]
        pre, post, delay = synapses.pre[order], synapses.post[order], synapses.delay[order]
        total = np.zeros(synapses.target_size, np.float32)
        for source in synapses.inputs:
            past = self.signal[source].reshape(self.steps, -1)
            given = np.where(delay <= t, past[np.maximum(t - delay, 0), pre], np.float32(0))
            active = np.nonzero(given)[0]
            np.add.at(total, post[active], (synapses.weight[order] * given)[active])
        if synapses.offset is None:
            return total
        heard = synapses.offset if synapses.onset is None else synapses.offset * (t >= synapses.onset)
        return np.asarray(total + heard.astype(np.float32))
