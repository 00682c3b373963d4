"""What Loihi does with a deployed network, bit for bit: our reference in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_matrix

from engine.export.simulate import Signals
from engine.export.targets._lif import decide, whole_numbers
from engine.export.targets._loihi.deployed import LIMIT, SHIFT, Cells, Deployed, Wires
from engine.program import Source


def decayed(x: np.ndarray, d: int) -> np.ndarray:
    """sign(x) |x| (4096 - d) >> 12: towards zero."""
    kept: np.ndarray = np.sign(x) * ((np.abs(x) * (4096 - d)) >> 12)
    return kept


def run(deployed: Deployed, inputs: Mapping[Source, np.ndarray], steps: int) -> Signals:
    """The outputs ``[steps, *shape]``: spikes as whole numbers, potentials in their drawn unit, decisions."""
    given = {s: whole_numbers(x, deployed.name(s), "Loihi") for s, x in inputs.items()}
    raw = _raw(deployed, given, steps + deployed.latest)
    assert deployed.host is not None
    shown = {s: natural(deployed, s, raw[s], steps) for s in deployed.shown}
    everything = decide(deployed.host, shown, steps)
    return {source: everything[source] for source in deployed.outputs}


def natural(deployed: Deployed, source: Source, raw: np.ndarray, steps: int) -> np.ndarray:
    """A signal ``[steps + late, size]`` of the chip as it was drawn: put back in time, float32."""
    cells = next(cells for cells in deployed.cells if cells.id == source.op)
    values = raw[cells.late : cells.late + steps].astype(np.float64)
    if source.port != "spikes":
        values = values / cells.per_unit + cells.rest
    return values.reshape(steps, *deployed.shape(source)).astype(np.float32)


def _raw(deployed: Deployed, given: Mapping[Source, np.ndarray], steps: int) -> dict[Source, np.ndarray]:
    """Spikes and v of every population, ``[steps, size]`` int64."""
    signals = {source: _padded(x, steps) for source, x in given.items()}
    states = [_State(cells) for cells in deployed.cells]
    for cells in deployed.cells:
        for port in ("spikes", "v"):
            signals[Source(cells.id, port)] = np.zeros((steps, cells.size), np.int64)
    lines = {cells.id: [_Line(w) for w in deployed.wires if w.target == cells.id] for cells in deployed.cells}
    for t in range(steps):
        for cells, state in zip(deployed.cells, states, strict=True):
            arriving = sum((line.at(signals, t) for line in lines[cells.id]), np.zeros(cells.size, np.int64))
            signals[Source(cells.id, "spikes")][t] = state.step(arriving, t)
            signals[Source(cells.id, "v")][t] = state.v
    return signals


def _padded(x: np.ndarray, steps: int) -> np.ndarray:
    full = np.zeros((steps, int(np.prod(x.shape[1:]))), np.int64)
    full[: len(x)] = x.reshape(len(x), -1)[:steps]
    return full


class _Line:
    """A projection with one matrix for every delay."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires
        self.matrices = []
        for delay in np.unique(wires.delay).tolist():
            here = wires.delay == delay
            entries = (wires.weight[here], (wires.post[here], wires.pre[here]))
            self.matrices.append((delay + 1, csr_matrix(entries, wires.sizes)))

    def at(self, signals: Mapping[Source, np.ndarray], t: int) -> np.ndarray:
        """What arrives in step ``t``."""
        total = np.zeros(self.wires.sizes[0], np.int64)
        for lag, matrix in self.matrices:
            if t >= lag:
                total += matrix @ signals[self.wires.source][t - lag]
        return total << self.wires.exponent


class _State:
    """u and v of a population."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.u, self.v = np.zeros(cells.size, np.int64), cells.first.astype(np.int64)
        self.bias = cells.bias_mant << cells.bias_exp
        self.free = np.zeros(cells.size, np.int64)  # first step in which a neuron is not refractory

    def step(self, arriving: np.ndarray, t: int) -> np.ndarray:
        """Spikes of step ``t``."""
        cells = self.cells
        u = decayed(self.u, cells.du + 1) + (arriving << SHIFT)
        u = np.where(u > LIMIT, u - 2 * LIMIT, u)
        self.u = np.where(u <= -LIMIT, u + 2 * LIMIT, u)
        v = np.clip(decayed(self.v, cells.dv) + self.u + self.bias, 1 - LIMIT, LIMIT - 1)
        self.v = np.where(t >= self.free, v, self.v)
        spikes = self.v > (cells.vth << SHIFT)
        self.v[spikes] = 0
        self.free[spikes] = t + cells.hold + 1
        return spikes
