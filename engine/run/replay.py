"""What a few neurons would have done with other weights: their own equations, in numpy, on taped input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.program import Op, Source
from nodes.ops import NumpyOps
from nodes.spec import Values

OPS = NumpyOps()
MOST_STEPS = 2000
"""Steps that are replayed at most; with a hundred factors side by side they take a tenth of a second."""


@dataclass
class Tape:
    """The current that reached ``neurons`` (flat indices) from each source, in pieces that begin at rest."""

    neurons: np.ndarray
    pieces: list[dict[Source, list[np.ndarray]]] = field(default_factory=lambda: [{}])
    steps: int = 0

    def add(self, window: Mapping[Source, np.ndarray], steps: int) -> None:
        """Add ``[steps, neurons]`` of every source."""
        for source, current in window.items():
            self.pieces[-1].setdefault(source, []).append(current)
        self.steps += steps

    def cut(self) -> None:
        """What follows belongs to another recording."""
        if self.pieces[-1]:
            self.pieces.append({})

    @property
    def replayed(self) -> int:
        """Steps that a replay takes."""
        return min(self.steps, MOST_STEPS)

    def current(self) -> bool:
        """Whether any current has come."""
        return any(part.any() for piece in self.pieces for parts in piece.values() for part in parts)

    def joined(self) -> list[dict[Source, np.ndarray]]:
        """For each piece the current from each source."""
        return [
            {source: np.concatenate(parts) for source, parts in piece.items()}
            for piece in self.pieces
            if piece
        ]

    def strength(self, source: Source) -> tuple[float, float]:
        """Mean excitatory (>= 0) and inhibitory (<= 0) current from a source."""
        found = [piece[source].ravel() for piece in self.joined() if source in piece]
        current = np.concatenate(found) if found else np.zeros(1, np.float32)
        return float(np.maximum(current, 0).mean()), float(np.minimum(current, 0).mean())


def with_gain(
    op: Op, own: Mapping[str, Any], dt: float, tape: Tape, source: Source, factors: np.ndarray
) -> np.ndarray:
    """Spikes of each neuron ``[factors, neurons]`` with so many times the current from ``source``."""
    scale = factors.astype(np.float32)[:, None]

    def current(piece: Mapping[Source, np.ndarray], t: int) -> np.ndarray:
        rest = sum(x[t] for other, x in piece.items() if other != source and t < len(x))
        part = piece[source][t] if source in piece and t < len(piece[source]) else np.float32(0)
        return np.asarray(rest + scale * part, np.float32)

    return _spikes(op, own, dt, tape, current, len(factors))


def with_threshold(
    op: Op, own: Mapping[str, Any], dt: float, tape: Tape, thresholds: np.ndarray
) -> np.ndarray:
    """Spikes of each neuron ``[thresholds, neurons]`` if ``v_th`` were another."""

    def current(piece: Mapping[Source, np.ndarray], t: int) -> np.ndarray:
        return np.asarray(sum(x[t] for x in piece.values() if t < len(x)), np.float32)

    changed = {**own, "v_th": thresholds.astype(np.float32)[:, None]}
    return _spikes(op, changed, dt, tape, current, len(thresholds))


def _spikes(op: Op, own: Mapping[str, Any], dt: float, tape: Tape, current: Any, batch: int) -> np.ndarray:
    p = Values({**op.p, **own, "shapes": op.shapes, "training": False})
    p.update(op.spec.constants(OPS, p, dt))
    total, left = np.zeros((batch, len(tape.neurons))), MOST_STEPS
    with np.errstate(all="ignore"):  # a factor may be far too large
        for piece in tape.joined():
            steps = min(left, max(map(len, piece.values())))
            left -= steps
            state = _rest(op, p, total.shape)
            for t in range(steps):
                state, outputs = op.spec.step(OPS, Values(state), Values(input=current(piece, t)), p, dt)
                total += np.nan_to_num(outputs["spikes"])
    return total


def _rest(op: Op, p: Values, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {
        name: np.broadcast_to(np.asarray(p[first] if isinstance(first, str) else first, np.float32), shape)
        for name, first in op.spec.state_of(p).items()
    }
