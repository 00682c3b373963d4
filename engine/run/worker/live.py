"""A run: window after window through the network, streaming records, at full or at a set speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.backend import threads
from engine.backend.network import STIMULUS
from engine.backend.state import State
from engine.program import Op, Source
from engine.run import diagnoses
from engine.run.protocol import Message
from engine.run.worker import streams
from engine.run.worker.errors import RefusedError
from engine.run.worker.feeds import Feed
from engine.run.worker.health import Health, trained_parameters
from engine.run.worker.meter import Meter
from engine.run.worker.session import Session, carried
from engine.run.worker.streams import Stream
from engine.run.worker.trial import tame

WINDOW = 1 / 30
"""Seconds a window should take: a frame of the screen, and soon enough for the next request."""

FRAME_BYTES = 8 * 2**20
LATE = 0.5
"""Seconds a paced run may lag before it gives up catching up."""


@dataclass(frozen=True)
class Pulse:
    """Current ``pattern [*shape]`` into the population ``op`` from step ``start`` until before ``stop``."""

    op: str
    start: int
    stop: int
    pattern: Tensor


class Live:
    """A run in progress.  ``clock``: steps since it began, over all recordings.

    ``request``: the message it will answer when ``target`` steps, if any, or all recordings are done.
    """

    def __init__(self, session: Session, feed: Feed, send: Callable[[Message], None]) -> None:
        self.session, self.feed, self.send = session, feed, send
        self.state, self.clock, self.sequence = State(), 0, 0
        self.request: Message = {}
        self.target: int | None = None
        self.paused, self.over = False, False
        self.streams: list[Stream] = []
        self.asked: list[Any] | None = None
        self.pulses: list[Pulse] = []
        self.meter = Meter(session.program.dt)
        self.health = Health(session.program, trained_parameters(session.network), session.fresh)
        self._size, self._pace = 1, 0.0
        self._frame: int | None = None
        self._origin = (0.0, 0)
        self._gathered: dict[str, list[np.ndarray]] = {}
        self._first, self._bytes = 0, 0
        self._snapshots_due = True

    def choose(self, asked: list[Any] | None) -> None:
        """Stream these signals from now on (None: the probes' records)."""
        found = streams.chosen(self.session, asked)
        self.flush()
        self.streams, self.asked, self._snapshots_due = found, asked, True

    def go(self, request: Message, steps: int | None) -> None:
        """Run on for ``steps`` steps (None: without end) on behalf of ``request``."""
        self.request, self.paused = request, False
        self.target = None if steps is None else self.clock + steps
        self._origin = (time.perf_counter(), self.clock)
        self.meter.restart()

    def set_speed(self, options: dict[str, Any]) -> None:
        """``frame``: steps per frame of records; ``fps`` frames or ``factor`` simulated seconds a second."""
        self._frame = options.get("frame")
        factor, fps = options.get("factor"), options.get("fps")
        self._pace = factor * 1000 / self.session.program.dt if factor else (fps or 0.0) * (self._frame or 1)
        if fps and not self._frame and not factor:
            self._frame = 1

    def wait(self) -> float:
        """Seconds until the next window is due."""
        if not self._pace:
            return 0.0
        since, clock = self._origin
        late = time.perf_counter() - since - (self.clock - clock) / self._pace
        if late > LATE:
            self._origin = (time.perf_counter(), self.clock)
        return max(0.0, -late)

    def advance(self) -> None:
        """One window."""
        steps = self._window()
        began = time.perf_counter()
        network, start = self.session.network, self.state.step
        inputs = {**self.feed.inputs(start, steps), **self._stimuli(steps)}
        streamed = (s.source for s in self.streams if s.records not in streams.TENSORS)
        keep = {*self.health.wanted(), *streamed}
        with torch.no_grad(), threads.for_batch(1):
            result = network.run(
                inputs, self.state, steps=steps, end=self.feed.end, batch=1, keep=keep, noise=self.feed.noise
            )
        self._gather(result.signals)
        self.state, self.clock = result.state, self.clock + steps
        self._check_finite()
        for diagnosis in self.health.take({**inputs, **result.signals}, steps):
            self.send(diagnosis)
        self.meter.count(steps, self.health.spikes)
        self._adapt(steps, time.perf_counter() - began)
        self._finish_window()

    def adopt(self, session: Session) -> None:
        """Go on with a changed session; state and pulses stay as far as they fit it."""
        found = streams.chosen(session, self.asked)
        self.flush()
        self.session, self.streams, self.state = session, found, carried(session, self.state)
        self.pulses = [
            p
            for p in self.pulses
            if p.op in session.program.ops
            and session.program.ops[p.op].shapes["input"] == tuple(p.pattern.shape)
        ]
        self.health = Health(session.program, trained_parameters(session.network), session.fresh)
        self._snapshots_due = True

    def stimulate(
        self, node: str, neurons: list[Any] | None, amplitude: float, steps: int, at: int | None
    ) -> int:
        """Add a current for ``steps`` steps from step ``at`` on (None: the next one); the step it begins."""
        op = self.session.op(node)
        start = self.clock if at is None else at
        if start < self.clock:
            raise RefusedError(f"step {start} is over, the run is at step {self.clock}", node)
        self.pulses.append(Pulse(op.id, start, start + steps, pattern(op, neurons, amplitude)))
        return start

    def flush(self) -> None:
        """Send what has been gathered."""
        if self.clock == self._first and not self._snapshots_due:
            return
        records = {name: streams.compact(np.concatenate(parts)) for name, parts in self._gathered.items()}
        if self._snapshots_due:
            records |= streams.snapshots(self.session, self.streams)
        if records:
            self.send(
                {
                    "type": "records",
                    "sequence": self.sequence,
                    "step": self._first,
                    "steps": self.clock - self._first,
                    "dt": self.session.program.dt,
                    "sample": self.feed.sample,
                    "records": records,
                    "neurons": {s.name: s.neurons for s in self.streams if s.neurons and s.name in records},
                }
            )
            self.sequence += 1
        self._gathered, self._first, self._bytes, self._snapshots_due = {}, self.clock, 0, False

    def _window(self) -> int:
        """Steps of the next window: as many as can be shown and answered in time, and not beyond any end."""
        ends = [
            self.feed.left(self.state.step),
            None if self.target is None else self.target - self.clock,
            None if self._frame is None else self._first + self._frame - self.clock,
        ]
        if self._pace:
            ends.append(max(1, round(self._pace * WINDOW)))
        return min([self._size, *(end for end in ends if end is not None)])

    def _adapt(self, steps: int, seconds: float) -> None:
        fitting = int(steps * WINDOW / max(seconds, 1e-9))
        self._size = max(1, min(fitting, 2 * self._size))

    def _stimuli(self, steps: int) -> dict[Source, Tensor]:
        self.pulses = [pulse for pulse in self.pulses if pulse.stop > self.clock]
        found: dict[Source, Tensor] = {}
        for pulse in self.pulses:
            begin, end = max(pulse.start - self.clock, 0), min(pulse.stop - self.clock, steps)
            if begin < end:
                source = Source(pulse.op, STIMULUS)
                blank = torch.zeros(steps, 1, *pulse.pattern.shape, device=self.session.device)
                current = found.setdefault(source, blank)
                current[begin:end] += pulse.pattern.to(current.device)
        return found

    def _gather(self, signals: dict[Source, Tensor]) -> None:
        for stream in self.streams:
            if stream.source in signals and stream.records not in streams.TENSORS:
                offset = self.clock - self._first
                part = streams.cut(stream, signals[stream.source], self.session.program.dt, offset)
                self._gathered.setdefault(stream.name, []).append(part)
                self._bytes += part.nbytes

    def _check_finite(self) -> None:
        for op in self.session.program.of_role("population"):
            for name, value in self.state.of(op.id).items():
                if not bool(torch.isfinite(value).all()):
                    remedy = tame(self.session, self.feed, op, self.state.step)
                    found = diagnoses.not_finite(op, name, self.clock, *remedy)
                    self.send(diagnoses.message(found))
                    raise RefusedError(f"{found.message}: {found.hint}", op.id, (found,))

    def _finish_window(self) -> None:
        recording_over = self.feed.left(self.state.step) == 0
        target_met = self.clock == self.target
        framed = self._frame is None or self.clock - self._first >= self._frame
        if framed or recording_over or target_met or self._bytes >= FRAME_BYTES:
            self.flush()
        if recording_over:
            self.health.cut()
            self.state = State()
            self.over = not self.feed.next()
        if target_met:
            self.paused = True


def pattern(op: Op, neurons: list[Any] | None, amplitude: float) -> Tensor:
    """``amplitude`` at the chosen neurons (None: all) of a population, ``[*shape]``."""
    if op.role != "population" or "input" not in op.spec.inputs:
        raise RefusedError(f"'{op.name}' takes no current; stimulate a population that has an input", op.id)
    current = torch.zeros(op.shapes["input"] or ())
    flat = current.reshape(-1)
    index = streams.indices(op, "input", neurons)
    flat[slice(None) if index is None else list(index)] = amplitude
    return current
