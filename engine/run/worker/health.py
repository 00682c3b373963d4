"""Watches the populations of a run and says in words, once, what is wrong and what would mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from engine.arrays import tensor_key
from engine.backend.network import STIMULUS, Network
from engine.compile.diagnostics import Diagnostic
from engine.program import Op, Program, Source
from engine.run import diagnoses
from engine.run.diagnoses import RUNAWAY, SATURATED, SILENT, most, roots
from engine.run.remedies import Remedy, calm, wake
from engine.run.replay import MOST_STEPS, Tape

QUIET_MS, TAPE_MS, PERIOD_MS = 500.0, 300.0, 200.0
TIME_CONSTANTS = 10
"""So many time constants of its membrane a population is given to fire for the first time."""
LONGEST_MS = 5000.0
ALMOST, MORE_PATIENCE = 0.85, 4
"""What comes so near to the threshold is given more time."""
STOPPED_MS, PAUSES = 10_000.0, 5
"""What has fired before may pause for so long, and for so many times its longest pause."""
HOT, HOT_PART, HOT_PERIODS = 0.9, 0.3, 3
GROWTH, GROWING_PERIODS, GROWN = 1.3, 6, 50
"""A rate runs away that grows by this factor from period to period, so many times, to that many spikes."""
TAPED = 32

Own = Callable[[Op, "Tensor"], dict[str, Any]]


class Health:
    """The watch over one network, from the start of a run or from a change of its parameters.

    ``own``: a population's trained parameters as arrays, for some of its neurons; ``fresh``: whether the
    weights of an op are as its parameters draw them, so that its gain still means something.
    """

    def __init__(self, program: Program, own: Own, fresh: Callable[[Op], bool]) -> None:
        self.program, self.fresh = program, fresh
        self.spikes = 0.0
        """Spikes of all populations in the last window."""
        populations = [op for op in program.of_role("population") if "spikes" in op.spec.outputs]
        self._sources = [Source(op.id, "spikes") for op in populations if not op.spec.inputs]
        self._cases = [Case(program, op, own, fresh) for op in populations if op.spec.inputs]
        self._blamed: set[str] = set()
        self.said: list[dict[str, Any]] = []
        """All diagnoses so far but those that are over."""

    def wanted(self) -> set[Source]:
        """The signals to look at in the next window."""
        return {*self._sources, *(source for case in self._cases for source in case.wanted())}

    def take(self, signals: Mapping[Source, Tensor], steps: int) -> list[dict[str, Any]]:
        """Look at a window; new diagnoses as messages."""
        self.spikes = sum(float(signals[source].sum()) for source in self._sources if source in signals)
        found = []
        for case in self._cases:
            found += [self._sent(outcome) for outcome in case.take(signals, steps)]
            self.spikes += case.spikes
        return self._kept(found)

    def cut(self) -> None:
        """The next window begins another recording, at rest."""
        for case in self._cases:
            case.cut()

    def finish(self) -> list[dict[str, Any]]:
        """The run is over: what has not been said for want of a longer tape."""
        found = [self._sent(outcome) for case in self._cases for outcome in case.finish()]
        return self._kept(found)

    def _kept(self, found: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
        new = [message for message in found if message]
        for message in new:
            about = (message["code"], message["node"])
            self.said = [one for one in self.said if (one["code"], one["node"]) != about]
            self.said += [] if message["resolved"] else [message]
        return new

    def _sent(self, outcome: tuple[Diagnostic, bool]) -> dict[str, Any] | None:
        """Several populations may blame one source."""
        diagnostic, resolved = outcome
        key = "".join((diagnostic.code, *diagnostic.nodes))
        if resolved:
            if key not in self._blamed:
                return None
            self._blamed.discard(key)
        elif key in self._blamed:
            return None
        else:
            self._blamed.add(key)
        return diagnoses.message(diagnostic, resolved)


def trained_parameters(network: Network) -> Own:
    """Of a population, the parameters it has learned for some neurons (flat indices over samples)."""

    def own(op: Op, neurons: Tensor) -> dict[str, Any]:
        found = {name: network.tensor(tensor_key(op.id, name)) for name in op.p.get("train", ())}
        return {
            name: values.detach().cpu().reshape(-1)[neurons % values.numel()].numpy()
            for name, values in found.items()
        }

    return own


class Case:
    """One population under watch."""

    def __init__(self, program: Program, op: Op, own: Own, fresh: Callable[[Op], bool]) -> None:
        self.program, self.op, self.own, self.fresh = program, op, own, fresh
        self.dt, self.spikes = program.dt, 0.0
        self.out, self.v = Source(op.id, "spikes"), Source(op.id, "v")
        self.inputs = (*op.inputs.get("input", ()), Source(op.id, STIMULUS))
        self.roots = roots(program, op)
        self.limit = most(op, self.dt)
        self.fired, self.said = False, ""
        self._blamed: dict[str, Diagnostic] = {}
        self.pause = 0
        """Its longest time without a spike so far, in steps."""
        self.tape: Tape | None = None
        self._taping = ""
        self._rest()
        self._period()
        self._rates: list[float] = []
        self._hot_periods = 0

    # --- what it looks at

    def wanted(self) -> set[Source]:
        """Its spikes; while it is quiet also its potential and what it is made of."""
        if self.said or self.spikes:
            return {self.out, *(self.inputs if self.tape else ())}
        extra = {self.v} if "v" in self.op.spec.outputs else set()
        return {self.out, *self.inputs, *self.roots, *extra}

    def take(self, signals: Mapping[Source, Tensor], steps: int) -> Iterator[tuple[Diagnostic, bool]]:
        """Look at a window; (diagnosis, whether it is over)."""
        counts = _flat(signals[self.out]).sum(0)
        self.spikes = float(counts.sum())
        if self.spikes:
            yield from self._fires()
        else:
            self._quiet(signals, steps)
        if self._blamed and (self.spikes or self.active):
            yield from ((one, True) for one in self._blamed.values())
            self._blamed = {}
        if self.tape is not None:
            yield from self._listen(signals, steps, self.tape)
        elif self.said == "":
            yield from self._judge()
        yield from self._count(counts, steps)

    def cut(self) -> None:
        """The next window begins at rest."""
        if self.tape:
            self.tape.cut()

    def finish(self) -> Iterator[tuple[Diagnostic, bool]]:
        """What the tape says as far as it goes."""
        if self.tape is not None and self.tape.steps:
            yield from self._told(self.tape)

    # --- silence

    def _rest(self) -> None:
        self.quiet = 0
        self.peak: Tensor | None = None
        self.active: set[Source] = set()

    def _fires(self) -> Iterator[tuple[Diagnostic, bool]]:
        self.fired, self.pause = True, max(self.pause, self.quiet)
        self._rest()
        if self._taping == SILENT.code:
            self.tape, self._taping = None, ""
        if self.said in (SILENT.code, diagnoses.UNWIRED.code):
            code = SILENT if self.said == SILENT.code else diagnoses.UNWIRED
            self.said = ""
            yield code((diagnoses.node_of(self.op),), f"'{self.op.name}' fires now"), True

    def _quiet(self, signals: Mapping[Source, Tensor], steps: int) -> None:
        self.quiet += steps
        for source in (*self.inputs, *self.roots):
            if source not in self.active and source in signals and bool((signals[source] != 0).any()):
                self.active.add(source)
        if self.v in signals and len(signals[self.v]):
            top = _flat(signals[self.v]).amax(0)
            self.peak = top if self.peak is None else torch.maximum(self.peak, top)

    def _judge(self) -> Iterator[tuple[Diagnostic, bool]]:
        """Quiet for too long: why?"""
        waited, ms = self.quiet * self.dt, self.patience()
        if waited < ms:
            return
        if not self.roots and self.inputs[-1] not in self.active:
            yield self._say(diagnoses.unwired(self.op, waited))
        elif self.active & set(self.inputs):
            if self.fired:
                ms = max(STOPPED_MS, PAUSES * self.pause * self.dt)
            elif (self.ratio() or 0.0) > ALMOST:
                ms *= MORE_PATIENCE
            if waited >= ms:
                self._record(SILENT.code, self._nearest())
        elif self.active:
            remedy = Remedy(*diagnoses.open_gate(self.program, self.op))
            yield self._say(diagnoses.silent(self.op, waited, 0.0, *remedy))
        elif not self.fired:
            for source in sorted(self.roots, key=str):
                if waited >= self._patience_with(self.program.ops[source.op], ms):
                    yield self._unfed(self.program.ops[source.op], waited)

    def patience(self) -> float:
        """Milliseconds after which silence is worth a look."""
        taus = [value for name, value in self.op.p.items() if name in ("tau_mem", "tau_syn")]
        late = sum(route.projection.largest_delay for route in diagnoses.routes(self.program, self.op))
        return max(QUIET_MS, min(TIME_CONSTANTS * max(taus, default=0.0), LONGEST_MS)) + late * self.dt

    def _patience_with(self, root: Op, ms: float) -> float:
        """A random source is given the time for twenty spikes; a silent population has a case of its own."""
        if root.role == "population" and root.spec.inputs:
            return float("inf")
        rate = root.p.get("rate")
        if root.role == "population" and rate:
            return max(ms, 20_000 / float(rate * max(1, _size(root))))
        return ms if rate == 0 or root.p.get("offset") == 0 else ms * MORE_PATIENCE

    def ratio(self) -> float | None:
        """How much of the way from rest to threshold the nearest neuron came."""
        way = self._ways()
        return None if way is None else float(way.max())

    def _ways(self) -> Tensor | None:
        if self.peak is None or "v_th" not in self.op.p:
            return None
        p = self._parameters(torch.arange(len(self.peak)))
        rest, threshold = (
            torch.as_tensor(p.get(name, 0.0), device=self.peak.device) for name in ("v_leak", "v_th")
        )
        return (self.peak - rest) / (threshold - rest) if bool((threshold > rest).all()) else None

    def _nearest(self) -> Tensor:
        way = self._ways()
        nearest = self.peak if way is None else way
        if nearest is None:
            return _spread(torch.arange(_size(self.op)))
        return nearest.topk(min(TAPED, len(nearest))).indices

    def _unfed(self, root: Op, ms: float) -> tuple[Diagnostic, bool]:
        return self._blamed.setdefault(root.id, diagnoses.no_input(root, ms)), False

    # --- firing too much

    def _period(self) -> None:
        self._counts: Tensor | None = None
        self._steps = 0

    def _count(self, counts: Tensor, steps: int) -> Iterator[tuple[Diagnostic, bool]]:
        self._counts = (
            counts if self._counts is None or len(counts) != len(self._counts) else self._counts + counts
        )
        self._steps += steps
        if self._steps * self.dt < PERIOD_MS or not len(self._counts):
            return
        hot = self._counts >= HOT * self.limit * self._steps
        spikes, seconds = float(self._counts.sum()), self._steps * self.dt / 1000
        self._rates = [*self._rates[1 - GROWING_PERIODS :], spikes / seconds / len(self._counts)]
        self._hot_periods = self._hot_periods + 1 if float(hot.float().mean()) >= HOT_PART else 0
        growing = spikes >= GROWN and self._growing()
        self._period()
        if self.said == SATURATED.code and not self._hot_periods:
            self.said = ""
            yield SATURATED((diagnoses.node_of(self.op),), f"'{self.op.name}' fires less now"), True
        elif not self.said and self.tape is None and (self._hot_periods >= HOT_PERIODS or growing):
            self._part = float(hot.float().mean())
            everyone = torch.arange(len(hot))
            self._record(
                RUNAWAY.code if growing else SATURATED.code,
                _spread(everyone if growing else everyone[hot.cpu()]),
            )

    def _growing(self) -> bool:
        """The first period, in which a network only begins, does not count."""
        pairs = list(zip(self._rates, self._rates[1:], strict=False))
        return len(pairs) == GROWING_PERIODS - 1 and all(0 < GROWTH * a <= b for a, b in pairs)

    # --- the tape

    def _record(self, why: str, neurons: Tensor) -> None:
        self.tape, self._taping = Tape(neurons.cpu().numpy()), why

    def _listen(
        self, signals: Mapping[Source, Tensor], steps: int, tape: Tape
    ) -> Iterator[tuple[Diagnostic, bool]]:
        chosen = torch.from_numpy(tape.neurons)
        tape.add(
            {
                source: _flat(signals[source])[:, chosen.to(signals[source].device)].cpu().numpy()
                for source in self.inputs
                if source in signals
            },
            steps,
        )
        longest = min(max(TAPE_MS, self.patience() / 2) / self.dt, MOST_STEPS)
        if tape.steps >= longest and (tape.current() or tape.steps >= MORE_PATIENCE * longest):
            yield from self._told(tape)

    def _told(self, tape: Tape) -> Iterator[tuple[Diagnostic, bool]]:
        """What the tape has to say."""
        why, self.tape, self._taping = self._taping, None, ""
        own = self._parameters(torch.from_numpy(tape.neurons))
        if why == SILENT.code:
            if tape.current():
                ratio = self.ratio()
                remedy = wake(self.program, self.op, own, tape, ratio, self.fresh)
                yield self._say(diagnoses.silent(self.op, self.quiet * self.dt, ratio, *remedy))
            else:
                self._rest()
            return
        target = 0.3 * self.limit if why == SATURATED.code else self._rates[0] * self.dt / 1000
        remedy = calm(self.program, self.op, own, tape, target, self.fresh)
        if why == SATURATED.code:
            yield self._say(diagnoses.saturated(self.op, self._rates[-1], self._part, *remedy))
        else:
            ms = GROWING_PERIODS * PERIOD_MS
            yield self._say(diagnoses.runaway(self.op, self._rates[0], self._rates[-1], ms, *remedy))

    def _say(self, diagnostic: Diagnostic) -> tuple[Diagnostic, bool]:
        self.said = diagnostic.code
        return diagnostic, False

    def _parameters(self, neurons: Tensor) -> dict[str, Any]:
        return {**self.op.p, **self.own(self.op, neurons)}


def _flat(signal: Tensor) -> Tensor:
    """``[time, batch, *shape]`` as ``[time, neurons]``: samples count as further neurons."""
    return signal.flatten(1)


def _spread(indices: Tensor) -> Tensor:
    """A few of them, evenly."""
    return indices[:: max(1, len(indices) // TAPED)][:TAPED]


def _size(op: Op) -> int:
    shape = next(iter(op.shapes.values())) or ()
    return int(torch.Size(shape).numel())
