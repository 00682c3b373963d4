"""One window of a run, through all stages of a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from engine.backend import projection
from engine.backend.noise import Noise
from engine.backend.ops import TorchOps
from engine.backend.scan import Scan, Tensors
from engine.backend.state import State, Window, add_signals, fit
from engine.program import Op, Program, Source, Stage
from nodes.spec import Values

STIMULUS = "stimulus"  # an input Source(population, STIMULUS) is added to that population's current
PASSIVE = ("dataset", "offline", "loss")  # they give or take signals, but do not run
Place = str | int | None


class Runnable(Protocol):
    """What a walk needs of a network."""

    program: Program
    uses: Uses

    @property
    def ops(self) -> TorchOps:
        """The maths."""

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""

    def values(self, op: Op) -> Values:
        """What the step of an op reads."""

    def width(self, op: Op) -> float | None:
        """Sigma of an op's delays, None where they are rounded."""


class Uses:
    """Who reads a signal last: an op, or a loop (its stage's number); None is a loss, after the run."""

    def __init__(self, program: Program) -> None:
        self.last: dict[Source, Place] = {}
        for number, stage in enumerate(program.stages):
            for key in stage.ops:
                place: Place = key if stage.chunk is None else number
                self._read(program.ops[key], place)
        for op in program.of_role("loss"):
            self._read(op, None)
        self.ends: dict[Place, list[Source]] = {}
        for source, place in self.last.items():
            self.ends.setdefault(place, []).append(source)

    def _read(self, op: Op, place: Place) -> None:
        self.last.update({source: place for sources in op.inputs.values() for source in sources})


class Walk:
    """Runs the ops of a window in order; ``signals``: what is still to be read, ``after``: the new state."""

    def __init__(
        self, network: Runnable, window: Window, state: State, noise: Noise, keep: set[Source]
    ) -> None:
        self.network, self.program, self.uses = network, network.program, network.uses
        self.window, self.noise, self.keep, self.device = window, noise, keep, network.device
        self.signals: dict[Source, Tensor] = {}
        self.given: set[str] = set()
        self.after: dict[str, Tensors] = {
            key: values for key, values in state.values.items() if key in self.program.ops
        }

    def go(self, inputs: Mapping[Source, Tensor]) -> dict[Source, Tensor]:
        """The signals to keep, from those of the input; an op whose signals are given does not run."""
        self.signals = dict(inputs)
        self.given = {source.op for source in inputs if source.port != STIMULUS}
        for number, stage in enumerate(self.program.stages):
            if stage.chunk is None:
                for key in stage.ops:
                    self._whole(self.program.ops[key])
            else:
                self._loop(number, stage, stage.chunk)
        if self._last(self.window):
            self.after = {key: values for key, values in self.after.items() if "history" not in values}
        return {source: signal for source, signal in self.signals.items() if source in self.keep}

    def _whole(self, op: Op) -> None:
        if op.role in PASSIVE or op.id in self.given:
            return
        outputs = self._run(op, self._inputs(op, self.signals, self.window), self.window)
        self.signals.update({Source(op.id, port): signal for port, signal in outputs.items()})
        self._forget(op.id)

    def _loop(self, number: int, stage: Stage, chunk: int) -> None:
        """Chunk by chunk; the ops that cut the loop run first, on what earlier chunks left."""
        outside = {s: x for s, x in self.signals.items() if s.op not in stage.ops or s.port == STIMULUS}
        gathered: dict[Source, list[Tensor]] = {}
        split = {source: x.split(chunk) for source, x in outside.items()}  # slices would cost O(T^2) backward
        for number, offset in enumerate(range(0, self.window.steps, chunk)):
            part = self.window.part(offset, chunk)
            here = {
                source: pieces[number] if number < len(pieces) else pieces[0][:0]
                for source, pieces in split.items()
            }
            for op in (self.program.ops[key] for key in stage.ops):
                blind = op.id in stage.cut
                outputs = self._run(op, {} if blind else self._inputs(op, here, part), part)
                here.update({Source(op.id, port): signal for port, signal in outputs.items()})
            for op in (self.program.ops[key] for key in stage.cut):
                self._remember(op, self._inputs(op, here, part)["input"], part)
            for source, signal in here.items():
                if source not in outside and (source in self.keep or self.uses.last[source] != number):
                    gathered.setdefault(source, []).append(signal)
        self.signals.update({source: torch.cat(parts) for source, parts in gathered.items()})
        self._forget(number)

    def _forget(self, place: Place) -> None:
        """Drop the signals whose last reader has run."""
        for source in self.uses.ends.get(place, ()):
            if source not in self.keep:
                self.signals.pop(source, None)

    def _wanted(self, op: Op) -> tuple[str, ...]:
        sources = ((port, Source(op.id, port)) for port in op.spec.outputs)
        return tuple(port for port, source in sources if source in self.keep or source in self.uses.last)

    def _inputs(self, op: Op, signals: Mapping[Source, Tensor], window: Window) -> Tensors:
        """What arrives at every port, for as many steps of the window as the op lasts."""
        return {port: self._sum(op, port, signals, window) for port in op.inputs}

    def _sum(self, op: Op, port: str, signals: Mapping[Source, Tensor], window: Window) -> Tensor:
        sources = (*op.inputs[port], Source(op.id, STIMULUS)) if port == "input" else op.inputs[port]
        arriving = [signals[source] for source in sources if source in signals]
        steps = window.length(op.tail)
        return fit(add_signals(arriving), steps) if arriving else self._zeros(steps, window, op, port)

    def _zeros(self, steps: int, window: Window, op: Op, port: str) -> Tensor:
        return torch.zeros(steps, window.batch, *(op.shapes[port] or ()), device=self.device)

    def _run(self, op: Op, x: Tensors, window: Window) -> Tensors:
        """Outputs of an op for as long as it lasts; without ``x`` its input cannot matter in this window."""
        steps = window.length(op.tail)
        if steps == 0:
            return {port: self._zeros(0, window, op, port) for port in self._wanted(op)}
        if op.role == "projection":
            return self._project(op, x, steps, window)
        p = self.network.values(op)
        once, columns = self._noise(op, p, window, steps)
        if op.spec.state_of(p):
            scan = Scan(self.network.ops, op, p, self.program.dt, once, self._wanted(op))
            state = self.after.get(op.id) or self._first_state(op, p, window)
            self.after[op.id], outputs = scan.run({**x, **columns}, state, steps)
            return outputs
        values = Values({**x, **columns, **once})
        return op.spec.step(self.network.ops, Values(), values, p, self.program.dt)[1]

    def _project(self, op: Op, x: Tensors, steps: int, window: Window) -> Tensors:
        signal = x["input"] if x else self._zeros(steps, window, op, "input")
        p, past = self.network.values(op), self.after.get(op.id, {}).get("history")
        current = projection.project(
            self.network.ops, op, p, signal, past, self.network.width(op), self.program.dt
        )
        if x:
            self._remember(op, signal, window)
        return {"output": current}

    def _remember(self, op: Op, signal: Tensor, window: Window) -> None:
        if op.largest_delay and not self._last(window):
            past, p = self.after.get(op.id, {}).get("history"), self.network.values(op)
            kept = projection.remember(self.network.ops, op, p, signal, past, window.steps, self.program.dt)
            self.after[op.id] = {"history": kept}

    def _last(self, window: Window) -> bool:
        """Nothing follows a window that reaches the end of the sequence."""
        return window.end is not None and window.start + window.steps >= window.end + self.program.tail

    def _noise(self, op: Op, p: Values, window: Window, steps: int) -> tuple[Tensors, Tensors]:
        """(one draw per run ``[batch, *shape]``, one per step ``[steps, batch, *shape]``) by name."""
        once: Tensors = {}
        columns: Tensors = {}
        shape = next((s for port, s in op.shapes.items() if port in op.spec.outputs), None) or ()
        for name, kind in op.spec.noise_of(p).items():
            if kind == "sequence":
                once[name] = self.noise.draw("uniform", op.id, name, -1, shape).to(self.device)
            else:
                drawn = [self.noise.draw(kind, op.id, name, window.start + t, shape) for t in range(steps)]
                columns[name] = torch.stack(drawn).to(self.device)
        return once, columns

    def _first_state(self, op: Op, p: Values, window: Window) -> Tensors:
        shape = op.shapes.get("input") or next(iter(op.shapes.values())) or ()
        blank = torch.zeros(window.batch, *shape, device=self.device)
        return {
            name: blank + (p[first] if isinstance(first, str) else first)
            for name, first in op.spec.state_of(p).items()
        }
