"""How many bits behind the point every value of a network gets: what is added or compared shares a format."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr, Symbol
from engine.codegen.interpret import interpret
from engine.errors import MyelinError
from engine.export.fixed.network import Format, Widths
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.simulate import Maths, Signals, simulate
from engine.export.whole import Range, whole_signals, whole_values
from engine.program import Source
from nodes.ops import NumpyOps

# share of the inputs that fire, and their probability of a spike in one step; a stretch of steps each
CALIBRATION = ((1.0, 0.02), (1.0, 0.1), (0.25, 0.3))
STRETCH = 100  # steps
_SHARE = ("add", "sub", "minimum", "maximum", "neg", "abs", "detach", "reshape")
ENDLESS = 2.0**40  # larger than any value of a network that is stable
_LEAST = 2.0**-10  # what is smaller is taken as this large


@dataclass(frozen=True)
class Formats:
    """``whole``: ranges of the values of every unit that are whole; ``constant``: what never changes.

    ``fraction`` of other values by (unit, expression), ``signal``: the format of every signal, ``state``: of
    every state variable by (unit, name).
    """

    whole: Mapping[str, Mapping[Expr, Range]]
    constant: Mapping[str, Mapping[Expr, Any]]
    fraction: Mapping[tuple[str, Expr], int]
    signal: Mapping[Source, Format]
    state: Mapping[tuple[str, str], Format]


def formats(frozen: Frozen, widths: Widths) -> Formats:
    """The formats of a network."""
    return _Choice(frozen, widths).made()


@dataclass
class _Sharing:
    """Sets of things that share a format, and the largest absolute value in each."""

    parent: dict[Hashable, Hashable] = field(default_factory=dict)
    largest: dict[Hashable, float] = field(default_factory=dict)

    def of(self, thing: Hashable) -> Hashable:
        """What stands for the set of ``thing``."""
        while (above := self.parent.setdefault(thing, thing)) != thing:
            thing = above
        return thing

    def join(self, *things: Hashable) -> None:
        """Let these share one format."""
        first = self.of(things[0])
        for other in map(self.of, things[1:]):
            if other != first:
                self.parent[other] = first
                self.largest[first] = max(self.largest.get(first, 0.0), self.largest.pop(other, 0.0))

    def seen(self, thing: Hashable, value: Any) -> None:
        """Take note of a value."""
        most = float(np.abs(value).max(initial=0.0)) if np.size(value) else 0.0
        key = self.of(thing)
        self.largest[key] = max(self.largest.get(key, 0.0), most)


class _Choice:
    def __init__(self, frozen: Frozen, widths: Widths) -> None:
        self.frozen, self.widths = frozen, widths
        self.ranges = whole_signals(frozen, widths.input_spikes)
        self.whole = {unit.id: whole_values(unit, self.ranges) for unit in frozen.units}
        self.constant = {unit.id: constants(unit) for unit in frozen.units}
        self.sharing = _Sharing()

    def made(self) -> Formats:
        """Join what has to share a format, look at the calibration run, and choose."""
        for unit in self.frozen.units:
            self._join(unit)
        for synapses in self.frozen.synapses:
            real = [source for source in synapses.inputs if source not in self.ranges]
            if len(real) > 1:
                self.sharing.join(*real)
        self._calibrate()
        keys = [(unit.id, expr) for unit in self.frozen.units for expr in self._real(unit)]
        fraction = {key: self._fraction(key) for key in keys}
        return Formats(self.whole, self.constant, fraction, self._signals(), self._states(fraction))

    def _real(self, unit: Unit) -> list[Expr]:
        """The values of a step that are neither whole nor constant."""
        known = {**self.whole[unit.id], **self.constant[unit.id]}
        return [expr for expr in unit.traced.order() if expr not in known]

    def _join(self, unit: Unit) -> None:
        real = set(self._real(unit))
        for expr in real:
            partners = [arg for arg in self._partners(unit, expr) if arg in real]
            if partners:
                self.sharing.join((unit.id, expr), *((unit.id, arg) for arg in partners))
        for expr in unit.traced.order():
            if isinstance(expr, Call) and expr.op in COMPARISONS:
                compared = [(unit.id, arg) for arg in expr.args if arg in real]
                if len(compared) > 1:
                    self.sharing.join(*compared)
        self._join_ends(unit, real)

    def _partners(self, unit: Unit, expr: Expr) -> Iterable[Expr]:
        """The operands that have the format of the result."""
        match expr:
            case Call(op="where", operands=operands):
                return operands[1:]
            case Call(op="mul", operands=operands):  # a count of something is of its sort
                counted = any(
                    arg in self.whole[unit.id] and arg not in self.constant[unit.id] for arg in operands
                )
                return [arg for arg in operands if arg not in self.whole[unit.id]] if counted else ()
            case Call(op=op, operands=operands) if op in _SHARE:
                return operands
        return ()

    def _join_ends(self, unit: Unit, real: set[Expr]) -> None:
        """A state with its next value, an input with what arrives there, an output with its signal."""
        for name, symbol in unit.traced.state.items():
            new = unit.traced.new_state[name]
            if symbol in real and new in real:
                self.sharing.join((unit.id, symbol), (unit.id, new))
        for port, sources in unit.inputs.items():
            symbol = unit.traced.inputs[port]
            for source in sources:
                if symbol in real and source not in self.ranges:
                    self.sharing.join((unit.id, symbol), source)
        for port, expr in unit.traced.outputs.items():
            if expr in real:
                self.sharing.join((unit.id, expr), Source(unit.id, port))

    def _calibrate(self) -> None:
        """Run the network as drawn on random spikes and note how large everything becomes."""
        inputs = calibration(self.frozen, self.widths)
        steps = STRETCH * len(CALIBRATION)
        every = {source for part in self.frozen.parts for source in _emitted(part)} | set(inputs)
        with np.errstate(all="ignore"):  # what grows without end is told below
            signals = simulate(self.frozen, inputs, steps, keep=every)
        for source, values in signals.items():
            if not np.abs(values).max(initial=0) < ENDLESS:  # nor a NaN
                name = self.frozen.name(source)
                raise MyelinError(f"{name} grows without end on random spikes, so that no integers hold it")
            if source not in self.ranges:
                self.sharing.seen(source, values)
        for source in self.frozen.inputs:
            if source not in self.ranges:
                self.sharing.seen(source, self.widths.input_range / self.widths.margin)
        for synapses in self.frozen.synapses:
            if synapses.offset is not None:
                self.sharing.seen(Source(synapses.id, "output"), synapses.offset)
        for unit in self.frozen.units:
            self._watch(unit, signals, steps)

    def _watch(self, unit: Unit, signals: Signals, steps: int) -> None:
        """Repeat the steps of a unit, and note every value and the constants that meet it."""
        real = self._real(unit)
        largest = dict.fromkeys(real, 0.0)
        state = {name: first.astype(np.float32)[None] for name, first in unit.first.items()}
        for t in range(steps):
            known = _stepped(unit, state, signals, t)
            for expr in real:
                largest[expr] = max(largest[expr], _most(known[expr]))
            state = {
                name: np.broadcast_to(known[expr], (1, *unit.first[name].shape)).astype(np.float32)
                for name, expr in unit.traced.new_state.items()
            }
        for expr, most in largest.items():
            self.sharing.seen((unit.id, expr), most)
            for arg in self._partners(unit, expr):
                self._met((unit.id, expr), unit.id, arg)
        for expr in unit.traced.order():
            if isinstance(expr, Call) and expr.op in COMPARISONS:
                for one, other in (expr.args, expr.args[::-1]):
                    if one in largest:
                        self._met((unit.id, one), unit.id, other)

    def _met(self, key: Hashable, unit: str, arg: Expr) -> None:
        """A constant or a count that is added to real values, or compared with them."""
        if arg in self.constant[unit]:
            self.sharing.seen(key, self.constant[unit][arg])
        elif arg in self.whole[unit]:
            low, high = self.whole[unit][arg]
            self.sharing.seen(key, min(max(-low, high), self.widths.input_spikes))

    def _fraction(self, key: Hashable) -> int:
        seen = self.sharing.largest.get(self.sharing.of(key), 0.0) or 1.0  # what stayed silent may yet speak
        largest = max(seen, _LEAST) * self.widths.margin
        return math.floor(math.log2((2 ** (self.widths.state - 1) - 1) / largest))

    def _signals(self) -> dict[Source, Format]:
        found = dict.fromkeys([*self.frozen.inputs, *self.frozen.outputs])
        found |= dict.fromkeys(s for part in self.frozen.parts for s in _wanted(part))
        return {source: self._signal(source) for source in found}

    def _signal(self, source: Source) -> Format:
        if source in self.ranges:
            return _whole_format(self.ranges[source], self.widths)
        return _full(self._fraction(source), self.widths)

    def _states(self, fraction: Mapping[tuple[str, Expr], int]) -> dict[tuple[str, str], Format]:
        found = {}
        for unit in self.frozen.units:
            for name, symbol in unit.traced.state.items():
                whole = self.whole[unit.id].get(symbol)
                if whole is not None:
                    found[unit.id, name] = _whole_format(whole, self.widths)
                elif (unit.id, symbol) in fraction:
                    found[unit.id, name] = _full(fraction[unit.id, symbol], self.widths)
        return found


def calibration(frozen: Frozen, widths: Widths) -> Signals:
    """Inputs ``[steps, *shape]`` of the calibration run: random spikes; real numbers within their range."""
    rng = np.random.default_rng(0)
    events = whole_signals(frozen, 1)
    found = {}
    for source, shape in frozen.inputs.items():
        size = (STRETCH, *shape)
        active = [(rng.random(size) < rate) & (rng.random(shape) < share) for share, rate in CALIBRATION]
        found[source] = np.concatenate(active).astype(np.float32)
        if source not in events:
            found[source] *= rng.uniform(-1, 1, shape).astype(np.float32) * widths.input_range
    return found


def constants(unit: Unit) -> dict[Expr, Any]:
    """The values of a step that are made of parameters alone, a number or ``[size]``, float64."""
    found: dict[Expr, Any] = {}
    for expr in unit.traced.order():
        if isinstance(expr, Constant):
            found[expr] = np.float64(expr.value)
        elif isinstance(expr, Symbol) and expr.role in ("tensor", "constant"):
            value = np.asarray(unit.values[expr.name], np.float64)
            found[expr] = value if value.ndim == 0 else value.ravel()
        elif expr.args and all(arg in found for arg in expr.args):
            known = dict(found)
            ready = interpret(NumpyOps(), [expr], lambda symbol, known=known: known[symbol])  # type: ignore[misc]
            found[expr] = np.asarray(ready[expr], np.float64)
    return found


def _stepped(unit: Unit, state: Mapping[str, np.ndarray], signals: Signals, t: int) -> dict[Expr, np.ndarray]:
    """Every value of step ``t``, ``[1, *shape]``."""
    given = {
        port: sum((signals[s][t][None] for s in sources), np.zeros((1, *unit.shape), np.float32))
        for port, sources in unit.inputs.items()
    }
    scope: dict[str, Mapping[str, Any]] = {"state": state, "input": given}
    roots = [*unit.traced.new_state.values(), *unit.traced.outputs.values()]
    return interpret(
        Maths(np.float32), roots, lambda s: scope[s.role][s.name] if s.role in scope else _own(unit, s)
    )


def _most(values: np.ndarray) -> float:
    """The largest absolute value but for those that stand for infinity, and will saturate."""
    size = np.abs(values)
    return float(size[size < ENDLESS].max(initial=0.0))


def _own(unit: Unit, symbol: Symbol) -> Any:
    value = unit.values[symbol.name]
    return value if np.ndim(value) == 0 else np.asarray(value)[None]


def _emitted(part: Unit | Synapses) -> Iterator[Source]:
    ports = part.traced.outputs if isinstance(part, Unit) else ("output",)
    yield from (Source(part.id, port) for port in ports)


def _wanted(part: Unit | Synapses) -> tuple[Source, ...]:
    """Every signal that a part reads."""
    return part.inputs if isinstance(part, Synapses) else part.sources


def _whole_format(found: Range, widths: Widths) -> Format:
    full = _full(0, widths)
    return Format(0, int(max(found[0], full.low)), int(min(found[1], full.high)))


def _full(fraction: int, widths: Widths) -> Format:
    return Format(fraction, -(2 ** (widths.state - 1)), 2 ** (widths.state - 1) - 1)
