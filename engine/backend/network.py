"""The executor: a program as a torch module, with its state in the open.

``run(inputs, state)`` gives signals and the new state.  Stages without a loop take the whole window at once,
loops take it in chunks; however a run is cut into windows, the same spikes come out (chunk invariance).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from engine.backend import projection, tensors
from engine.backend.noise import Noise
from engine.backend.ops import EXACT, OPS, TorchOps
from engine.backend.state import Result, State, Window, add_signals, fit
from engine.program import Op, Program, Source, Stage
from nodes.spec import Values

STIMULUS = "stimulus"  # an input Source(population, STIMULUS) is added to that population's current
PASSIVE = ("dataset", "offline", "loss")  # they give or take signals, but do not run
SEGMENT = 16  # steps between states kept for the backward pass; the steps between are run again


class Network(nn.Module):
    """A program with its tensors.  ``sigma``: width of learnable delays by op while training.

    In evaluation delays are rounded to one tap, unless ``smeared``.
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.learned, fixed, self.declared = tensors.build(program)
        for key, value in fixed.items():
            self.register_buffer(key, value)
        self.sigma: dict[str, float] = {op.id: first_sigma(op) for op in program.ops.values() if learnable(op)}
        self.smeared = False
        self._names: dict[str, list[str]] = {}
        for key in self.declared:
            self._names.setdefault(key.partition(":")[0], []).append(key.partition(":")[2])
        self._last_use = _last_uses(program)
        self._values: dict[str, Values] = {}

    def tensor(self, key: str) -> Tensor:
        """A tensor by its key ``<op>:<name>``."""
        found: Tensor = self.learned[key] if key in self.learned else self.get_buffer(key)
        return found

    def train(self, mode: bool = True) -> Network:
        self._values = {}
        super().train(mode)
        return self

    def run(self, inputs: Mapping[Source, Tensor], state: State | None = None, *, steps: int | None = None,
            end: int | None = None, batch: int | None = None, keep: Iterable[Source] = (), noise: Noise | None = None,
            ) -> Result:
        """Run a window of ``steps`` steps from ``state``.

        ``inputs``: signals ``[time, batch, *shape]`` of this window, zero beyond their end.  Without ``steps``
        they are taken for the whole sequence, which lasts ``program.tail`` steps longer.  ``end``: length of
        the whole input, None if it never ends.  ``keep``: signals wanted in the result.
        """
        length = max(map(len, inputs.values()), default=0)
        if steps is None:
            steps, end = length + self.program.tail, length
        state = state or State()
        batch = batch or next((x.shape[1] for x in inputs.values()), 1)
        window = Window(state.step, steps, end, batch)
        noise = noise or Noise(self.program.seed, 0, batch)
        if self.training or not self._values:
            self._values = {key: self._prepare(op) for key, op in self.program.ops.items() if op.role not in PASSIVE}
        walk = _Walk(self, window, state, noise, set(keep))
        signals = walk.go({source: self._cut(x, window) for source, x in inputs.items()})
        return Result(signals, State(state.step + steps, walk.after))

    @staticmethod
    def _cut(x: Tensor, window: Window) -> Tensor:
        return x[: window.length(0)]

    @property
    def ops(self) -> TorchOps:
        """Plain sums in training, exact ones in evaluation."""
        return OPS if self.training else EXACT

    def _prepare(self, op: Op) -> Values:
        """Parameters, tensors and constants of an op, as its step reads them."""
        own = {name: self.tensor(f"{op.id}:{name}") for name in self._names.get(op.id, ())}
        if op.lag and "delay" in own:
            own["delay"] = own["delay"] + op.lag
        p = Values({**op.p, **own, "shapes": op.shapes, "training": self.training})
        p.update(op.spec.constants(self.ops, p, self.program.dt))
        return p

    def values(self, op: Op) -> Values:
        """What the step of an op reads; made once per run."""
        return self._values[op.id]

    def width(self, op: Op) -> float | None:
        """Sigma of an op's delays in steps, None where they are rounded."""
        return self.sigma.get(op.id) if self.training or self.smeared else None

    def losses(self, signals: Mapping[Source, Tensor], label: Tensor | None) -> dict[str, Tensor]:
        """Loss of each sample, ``[batch]``, by the name of the loss node, times its weight."""
        found = {}
        for op in self.program.of_role("loss"):
            x = Values({port: signals[sources[0]] for port, sources in op.inputs.items() if port != "label" and sources})
            x["label"] = label
            found[op.name] = op.p.weight * op.spec.loss(self.ops, x, op.p, self.program.dt)  # type: ignore[attr-defined]
        return found


class _Walk:
    """One window through all stages."""

    def __init__(self, network: Network, window: Window, state: State, noise: Noise, keep: set[Source]) -> None:
        self.network, self.window, self.state, self.noise, self.keep = network, window, state, noise, keep
        self.device = next(iter(network.parameters()), next(iter(network.buffers()), torch.empty(0))).device
        self.signals: dict[Source, Tensor] = {}
        self.after: dict[str, dict[str, Tensor]] = {}

    def go(self, inputs: dict[Source, Tensor]) -> dict[Source, Tensor]:
        self.signals = dict(inputs)
        program = self.network.program
        for number, stage in enumerate(program.stages):
            if stage.chunk is None:
                for key in stage.ops:
                    self._whole(program.ops[key])
            else:
                self._loop(stage, stage.chunk)
            self._forget(number)
        return {source: signal for source, signal in self.signals.items() if source in self.keep}

    def _whole(self, op: Op) -> None:
        if op.role in PASSIVE:
            return
        x = {port: self._sum(op, port, self.signals) for port in op.inputs}
        self._store(op, self.run_op(op, x, self.window, self.state.of(op.id)))
        self._forget(op.id)

    def _store(self, op: Op, outputs: dict[str, Tensor]) -> None:
        for port, signal in outputs.items():
            source = Source(op.id, port)
            if source in self.keep or source in self.network._last_use:
                self.signals[source] = signal

    def _forget(self, place: Any) -> None:
        """Drop signals whose last reader has run."""
        for source, last in self.network._last_use.items():
            if last == place and source not in self.keep:
                self.signals.pop(source, None)

    def _sum(self, op: Op, port: str, signals: Mapping[Source, Tensor], window: Window | None = None) -> Tensor:
        window = window or self.window
        sources = (*op.inputs[port], Source(op.id, STIMULUS)) if port == "input" else op.inputs[port]
        arriving = [signals[source] for source in sources if source in signals]
        if arriving:
            return add_signals(arriving)
        shape = op.shapes.get(port) or ()
        return torch.zeros(window.length(op.tail), window.batch, *shape, device=self.device)

    def _loop(self, stage: Stage, chunk: int) -> None:
        program, inside = self.network.program, set(stage.ops)
        gathered: dict[Source, list[Tensor]] = {}
        state = {key: self.state.of(key) for key in stage.ops}
        outside = {s: x for s, x in self.signals.items() if s.op not in inside or s.port == STIMULUS}
        for offset in range(0, self.window.steps, chunk):
            part = self.window.part(offset, chunk)
            here = {source: x[offset : offset + part.steps] for source, x in outside.items()}
            for key in stage.ops:
                op = program.ops[key]
                blind = key in stage.cut
                x = {} if blind else {port: self._sum(op, port, here, part) for port in op.inputs}
                for port, signal in self.run_op(op, x, part, state[key], blind).items():
                    here[Source(key, port)] = signal
                    gathered.setdefault(Source(key, port), []).append(signal)
                state[key] = self.after.get(key, state[key])
            for key in stage.cut:
                op = program.ops[key]
                state[key] = self.after[key] = self._absorb(op, self._sum(op, "input", here, part), state[key], part)
        for source, signals in gathered.items():
            self._store(program.ops[source.op], {source.port: torch.cat(signals)})

    def run_op(self, op: Op, x: dict[str, Tensor], window: Window, state: dict[str, Tensor], blind: bool = False,
               ) -> dict[str, Tensor]:
        """Outputs of an op in a window; ``blind``: its input is not known yet and cannot matter yet."""
        p = self.network.values(op)
        if op.role == "projection":
            return self._project(op, p, x, window, state, blind)
        if op.spec.state_of(p):
            return self._scan(op, p, x, window, state)
        values = Values(x)
        steps = max(map(len, x.values()), default=window.length(op.tail))
        for name, kind in op.spec.noise_of(p).items():
            values[name] = self._noise(op, name, kind, window.start, steps)
        return op.spec.step(self.network.ops, Values(), values, p, self.network.program.dt)[1]

    def _project(self, op: Op, p: Values, x: dict[str, Tensor], window: Window, state: dict[str, Tensor],
                 blind: bool) -> dict[str, Tensor]:
        steps, dt, ops = window.length(op.tail), self.network.program.dt, self.network.ops
        history = state.get("history")
        shape = op.shapes["input"] or ()
        signal = torch.zeros(steps, window.batch, *shape, device=self.device) if blind else x["input"]
        if len(signal) == 0:
            signal = signal.new_zeros(steps, *signal.shape[1:])
        if steps == 0:
            current = signal.new_zeros(0, window.batch, *(op.shapes["output"] or ()))
        else:
            current = projection.project(ops, op, p, signal, history, steps, self.network.width(op), dt)
        if op.largest_delay and not self._last(window):
            self.after[op.id] = state if blind else self._absorb(op, signal, state, window)
        return {"output": current}

    def _last(self, window: Window) -> bool:
        """Nothing follows a window that reaches the end of the sequence."""
        return window.end is not None and window.start + window.steps >= window.end + self.network.program.tail

    def _absorb(self, op: Op, x: Tensor, state: dict[str, Tensor], window: Window) -> dict[str, Tensor]:
        p, dt = self.network.values(op), self.network.program.dt
        kept = projection.remember(self.network.ops, op, p, x, state.get("history"), window.steps, dt)
        return {"history": kept}

    def _noise(self, op: Op, name: str, kind: str, start: int, steps: int) -> Tensor:
        """``[steps, batch, *shape]``, or ``[batch, *shape]`` for one draw per run."""
        shape = next(iter(s for port, s in op.shapes.items() if port in op.spec.outputs)) or ()
        if kind == "sequence":
            return self.noise.draw("uniform", op.id, name, -1, shape).to(self.device)
        drawn = [self.noise.draw(kind, op.id, name, start + t, shape) for t in range(steps)]
        return torch.stack(drawn).to(self.device) if drawn else torch.zeros(0, self.window.batch, *shape)

    def _scan(self, op: Op, p: Values, x: dict[str, Tensor], window: Window, state: dict[str, Tensor],
              ) -> dict[str, Tensor]:
        """Step by step through time; for training only every 16th state is kept, the rest is run again."""
        steps = window.length(op.tail) if not x else max(map(len, x.values()))
        fixed: dict[str, Tensor] = {}
        columns = {port: fit(signal, steps) for port, signal in x.items()}
        for name, kind in op.spec.noise_of(p).items():
            drawn = self._noise(op, name, kind, window.start, steps)
            (fixed if kind == "sequence" else columns)[name] = drawn
        state = state or self._first_state(op, p, window)
        segment = SEGMENT if torch.is_grad_enabled() and steps > SEGMENT else max(steps, 1)
        pieces: list[dict[str, Tensor]] = []
        for start in range(0, steps, segment):
            part = {name: signal[start : start + segment] for name, signal in columns.items()}
            length = min(segment, steps - start)
            arguments = (op, p, part, fixed, state, length)
            if segment == SEGMENT:
                state, outputs = checkpoint(self._segment, *arguments, use_reentrant=False, preserve_rng_state=False,
                                            determinism_check="none")
            else:
                state, outputs = self._segment(*arguments)
            pieces.append(outputs)
        self.after[op.id] = state
        if not pieces:
            return {port: torch.zeros(0, window.batch, *(op.shapes[port] or ())) for port in op.spec.outputs}
        return {port: torch.cat([piece[port] for piece in pieces]) for port in pieces[0]}

    def _segment(self, op: Op, p: Values, columns: dict[str, Tensor], fixed: dict[str, Tensor],
                 state: dict[str, Tensor], steps: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        ops, dt, step = self.network.ops, self.network.program.dt, op.spec.step
        unbound = {name: signal.unbind(0) for name, signal in columns.items()}  # x[t] would cost O(T^2) backward
        wanted = [port for port in op.spec.outputs if self._wanted(Source(op.id, port))]
        found: dict[str, list[Tensor]] = {port: [] for port in wanted}
        for t in range(steps):
            x = Values({**{name: signal[t] for name, signal in unbound.items()}, **fixed})
            state, outputs = step(ops, Values(state), x, p, dt)
            for port in wanted:
                found[port].append(outputs[port])
        return dict(state), {port: torch.stack(signals) for port, signals in found.items()}

    def _wanted(self, source: Source) -> bool:
        return source in self.keep or source in self.network._last_use

    def _first_state(self, op: Op, p: Values, window: Window) -> dict[str, Tensor]:
        shape = op.shapes.get("input") or next(iter(op.shapes.values())) or ()
        blank = torch.zeros(window.batch, *shape, device=self.device)
        return {name: blank + (p[first] if isinstance(first, str) else first)
                for name, first in op.spec.state_of(p).items()}


def learnable(op: Op) -> bool:
    """Whether an op has delays to learn."""
    return op.delay is not None and op.delay.learnable


def first_sigma(op: Op) -> float:
    """The width with which training begins: half the taps unless the delays say otherwise."""
    assert op.delay is not None
    given = float(op.delay.p.get("sigma_start", 0.0))
    return given or float((op.delay.high - op.delay.low + 1) // 2)


def _last_uses(program: Program) -> dict[Source, Any]:
    """For every source the op (or, read in a loop, the number of the stage) that reads it last."""
    uses: dict[Source, Any] = {}
    for number, stage in enumerate(program.stages):
        for key in stage.ops:
            op = program.ops[key]
            for sources in op.inputs.values():
                uses.update(dict.fromkeys(sources, key if stage.chunk is None else number))
    # a loss reads its inputs after the run
    for op in program.of_role("loss"):
        uses.update({source: None for sources in op.inputs.values() for source in sources})
    return uses
