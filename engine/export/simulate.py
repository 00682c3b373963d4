"""The numpy reference of what is deployed: one step and one part at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from engine.codegen.interpret import interpret
from engine.export.frozen import Frozen, Part, Synapses, Unit
from engine.program import Source
from nodes.ops import NumpyOps
from nodes.spec import Shape

Signals = dict[Source, np.ndarray]


class Maths(NumpyOps):
    """The maths of a step in the precision ``dtype``."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self.dtype = dtype

    def where(self, condition: Any, a: Any, b: Any) -> np.ndarray:  # type: ignore[override]
        """Elementwise choice."""
        return np.asarray(np.where(condition, a, b), self.dtype)

    def cast(self, condition: Any) -> np.ndarray:  # type: ignore[override]
        """0 and 1 of a comparison."""
        return np.asarray(condition, self.dtype)

    def spike(self, x: Any, strict: bool, surrogate: str, alpha: float) -> np.ndarray:  # type: ignore[override]
        """1 where x is above 0, or at least 0."""
        return np.asarray((x > 0) if strict else (x >= 0), self.dtype)


def simulate(
    frozen: Frozen,
    inputs: Mapping[Source, np.ndarray],
    steps: int,
    *,
    keep: Iterable[Source] | None = None,
    dtype: type[np.floating[Any]] = np.float32,
    end: int | None = None,
) -> Signals:
    """Signals ``[steps, *shape]`` of a run from the first state; ``inputs [time, *shape]``, zero afterwards.

    ``keep``: signals wanted, by default the outputs.  ``dtype``: the precision of state and signals; sums
    over synapses are taken in double precision and rounded to it.  ``end``: length of a sequence after which
    a part lasts only for its ``tail``, as in whole-sequence runs; None lets all parts run on.
    """
    run = Run(frozen, inputs, steps, dtype)
    for t in range(steps):
        for part in frozen.parts:
            if end is None or t < end + part.op.tail:
                run.step(part, t)
    wanted = frozen.outputs if keep is None else tuple(keep)
    return {source: run.signal[source] for source in wanted}


class Run:
    """``signal [steps, *shape]``: every signal so far, zero where nothing was emitted yet.

    ``state`` and ``values`` carry one axis for one sample before their own axes, as a step expects them.
    """

    def __init__(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, dtype: type[np.floating[Any]]
    ) -> None:
        self.frozen, self.steps, self.dtype, self.maths = frozen, steps, dtype, Maths(dtype)
        self.signal: Signals = {s: self._given(inputs.get(s), shape) for s, shape in frozen.inputs.items()}
        self.matrices = {synapses.id: _by_delay(synapses) for synapses in frozen.synapses}
        self.values = {u.id: {k: self._array(v) for k, v in u.values.items()} for u in frozen.units}
        self.state = {u.id: {k: self._array(v) for k, v in u.first.items()} for u in frozen.units}
        for part in frozen.parts:
            ports = part.traced.outputs if isinstance(part, Unit) else ("output",)
            for port in ports:
                self.signal[Source(part.id, port)] = np.zeros((steps, *part.shape), dtype)

    def _given(self, signal: np.ndarray | None, shape: Shape) -> np.ndarray:
        full = np.zeros((self.steps, *shape), self.dtype)
        if signal is not None:
            known = signal[: self.steps]
            full[: len(known)] = known
        return full

    def _array(self, value: Any) -> Any:
        return value if isinstance(value, (int, float)) else np.asarray(value, self.dtype)[None]

    def step(self, part: Part, t: int) -> None:
        """Let a part do step ``t``."""
        if isinstance(part, Synapses):
            self.signal[Source(part.id, "output")][t] = self._current(part, t).reshape(part.shape)
        else:
            self._step(part, t)

    def _step(self, unit: Unit, t: int) -> None:
        scope: dict[str, Mapping[str, Any]] = {
            "state": self.state[unit.id],
            "input": {port: self._arriving(unit, port, t) for port in unit.inputs},
        }
        values = self.values[unit.id]
        traced = unit.traced
        known = interpret(
            self.maths,
            [*traced.new_state.values(), *traced.outputs.values()],
            lambda found: scope.get(found.role, values)[found.name],
        )
        for port, expr in traced.outputs.items():
            self.signal[Source(unit.id, port)][t] = known[expr]
        self.state[unit.id] = {
            name: np.broadcast_to(known[expr], (1, *unit.first[name].shape)).astype(self.dtype)
            for name, expr in traced.new_state.items()
        }

    def _arriving(self, unit: Unit, port: str, t: int) -> np.ndarray:
        total = np.zeros((1, *(unit.op.shapes[port] or unit.shape)), self.dtype)
        for source in unit.inputs[port]:
            total = total + self.signal[source][t]
        return total

    def _current(self, synapses: Synapses, t: int) -> np.ndarray:
        total = np.zeros(synapses.target_size)
        for delay, matrix in self.matrices[synapses.id]:
            for source in synapses.inputs if t >= delay else ():
                total += matrix @ self.signal[source][t - delay].ravel().astype(np.float64)
        current = total.astype(self.dtype)
        if synapses.offset is None:
            return current
        heard = synapses.offset if synapses.onset is None else synapses.offset * (t >= synapses.onset)
        return np.asarray(current + heard.astype(self.dtype))


def _by_delay(synapses: Synapses) -> list[tuple[int, Any]]:
    """One sparse matrix for every delay that occurs."""
    shape = (synapses.target_size, synapses.source_size)
    found = []
    for delay in np.unique(synapses.delay).tolist():
        here = synapses.delay == delay
        weight = synapses.weight[here].astype(np.float64)
        found.append((delay, csr_matrix((weight, (synapses.post[here], synapses.pre[here])), shape)))
    return found
