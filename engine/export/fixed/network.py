"""Networks in integers: what fixed-point C and Verilog run, and our prediction of them, bit by bit.

    frozen, conversions = prepared(frozen)              # batch norm folded, readouts left to the host
    fixed = fix(frozen, Widths(weight=8, state=16))     # FixedNetwork; words.said(fixed): conversions
    signals = simulate_fixed(fixed, inputs, steps)      # {Source: int64 [steps, *shape]}, the reference
    real = fixed.signals[source].real(signals[source])  # what the integers stand for

**Numbers.**  Every quantity is a whole number q that stands for q 2^-fraction (``Format``).  Spikes, counts
and flags have fraction 0 and their exact range; state and other signals have ``Widths.state`` bits, two's
complement.  ``fixed.signals`` has the format of every signal, ``FixedUnit.state`` that of the state.

**Synapses.**  sum = sum of weight * signal[t - delay], exact, in ``FixedSynapses.sum.bits`` bits whatever
arrives; current = saturated(rounded(sum, by) + offset).  Weights are symmetric (no -2^(k-1)), their scale is
one power of two for a projection.

**Units.**  ``FixedUnit.nodes`` is a list of integer operations, each after its operands: run it from first to
last for every element, then store.  No operation overflows: ``low`` and ``high`` of a node bound it for all
states and signals.  Only what is stored saturates: new state and outputs, to their formats.
Operations (arguments are places in the list):

    constant (value: one number or one for each element)    state (name)    signal (source, of this step)
    add sub mul neg abs min max    and or (of 0 and 1)    where (condition, then, else)
    lt le gt ge (1 or 0)
    saturate: x held within low..high of the node (around products of two variables, where there are any)
    shift: rounded(x, by): by > 0: (x + 2^(by-1)) >> by, halves upwards; by <= 0: x 2^-by
    floor: x >> by, arithmetic

**Formats.**  Values that are added or compared share one format.  Its range is ``Widths.margin`` times the
largest value of a calibration run (``formats.CALIBRATION``: random spikes, always the same ones) and of
the constants among them; beyond it saturates.  Coefficients have ``Widths.factor`` bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.export.folding import fold
from engine.export.frozen import Frozen, Synapses, Unit, every_source
from engine.export.target import Conversion
from engine.program import Source

BITS = 63  # of the widest value within a step, without its sign


@dataclass(frozen=True)
class Widths:
    """Bits of everything; ``input_range``: largest real number that arrives from outside; ``input_spikes``:
    most spikes that an input brings in one step."""

    weight: int = 8
    state: int = 32
    coefficient: int = 0  # 0: 24 for a state of more than 16 bits, else 16
    input_range: float = 8.0
    input_spikes: int = 255

    @property
    def factor(self) -> int:
        """Bits of a coefficient, its sign included."""
        return self.coefficient or (24 if self.state > 16 else 16)

    @property
    def margin(self) -> float:
        """Range of a format over the largest value of the calibration run: wide where bits are many."""
        return 64.0 if self.state > 16 else 4.0


@dataclass(frozen=True)
class Format:
    """q in ``low..high`` stands for q 2^-fraction."""

    fraction: int
    low: int
    high: int

    @property
    def bits(self) -> int:
        """Bits that hold it; with a sign bit where it can be negative."""
        if self.low >= 0:
            return max(1, self.high.bit_length())
        return max(self.high.bit_length(), (-self.low - 1).bit_length()) + 1

    def real(self, q: np.ndarray) -> np.ndarray:
        """What whole numbers stand for, exactly."""
        found: np.ndarray = np.ldexp(np.asarray(q, np.float64), -self.fraction)
        return found

    def nearest(self, x: Any) -> np.ndarray:
        """The whole numbers nearest to real ones, halves upwards, within the range."""
        return self.saturated(np.floor(np.ldexp(np.asarray(x, np.float64), self.fraction) + 0.5))

    def saturated(self, q: Any) -> np.ndarray:
        """Whole numbers held within the range."""
        found: np.ndarray = np.clip(q, self.low, self.high).astype(np.int64)
        return found

    def holds(self, low: int, high: int) -> bool:
        """Whether all of ``low..high`` fits, so that nothing has to saturate."""
        return self.low <= low and high <= self.high


@dataclass(frozen=True)
class Node:
    """One integer operation; see the head of this file.  ``fraction``: of its value."""

    op: str
    args: tuple[int, ...]
    low: int
    high: int
    fraction: int
    by: int = 0
    name: str = ""
    source: Source | None = None
    value: Any = None


@dataclass(frozen=True)
class FixedState:
    """A state variable: format, first value ``[size]``, and the node whose value is stored, saturated."""

    format: Format
    first: np.ndarray
    node: int


@dataclass(frozen=True)
class FixedUnit:
    """A unit in integers.  ``outputs``: node of every port that is read; stored saturated, as a signal."""

    unit: Unit
    nodes: tuple[Node, ...]
    state: Mapping[str, FixedState]
    outputs: Mapping[str, int]

    @property
    def id(self) -> str:
        """The id of its op."""
        return self.unit.id


@dataclass(frozen=True)
class FixedSynapses:
    """A projection in integers: ``weight [synapses]``, whose fraction is ``fraction``.

    ``sum``: the format of the exact sums.  ``by``: how far a sum is shifted right to become a current.
    ``offset [targets]``: in the format of the current.
    """

    synapses: Synapses
    weight: np.ndarray
    fraction: int
    sum: Format
    by: int
    offset: np.ndarray | None

    @property
    def id(self) -> str:
        """The id of its op."""
        return self.synapses.id


@dataclass(frozen=True)
class FixedNetwork:
    """A network in integers; ``parts`` in the order of a step, ``signals``: the format of each."""

    frozen: Frozen
    widths: Widths
    parts: tuple[FixedUnit | FixedSynapses, ...]
    signals: Mapping[Source, Format]

    @cached_property
    def by_id(self) -> dict[str, FixedUnit | FixedSynapses]:
        """The parts by the ids of their ops."""
        return {part.id: part for part in self.parts}


@dataclass(frozen=True)
class FixedFrozen(Frozen):
    """A network to deploy together with its integers: what ``convert`` of such a target gives."""

    fixed: FixedNetwork = field(kw_only=True)


def prepared(frozen: Frozen) -> tuple[Frozen, tuple[Conversion, ...]]:
    """The network that integers can take, with what was changed: batch norm folded, readouts left behind."""
    folded, conversions = fold(frozen)
    heard = {source.op for part in folded.parts for source in every_source(part)}
    readouts = [part for part in folded.parts if part.op.role == "readout" and part.id not in heard]
    said = [
        f"the decision of '{part.op.name}' is left to the host, which gets what it reads" for part in readouts
    ]
    left = [Conversion(text, (part.id,), True) for text, part in zip(said, readouts, strict=True)]
    gone = {part.id for part in readouts}
    kept = folded.with_parts(part for part in folded.parts if part.id not in gone)
    read = [source for part in readouts for source in part.sources if source not in folded.inputs]
    outputs = tuple(dict.fromkeys([*kept.outputs, *read]))
    return replace(kept, outputs=outputs), (*conversions, *left)


def fix(frozen: Frozen, widths: Widths) -> FixedNetwork:
    """A network in integers.

    Raises MyelinError where a step needs more than sums, products, comparisons and choices, or more bits
    than there are.
    """
    from engine.export.fixed.formats import formats  # which need the types of this module
    from engine.export.fixed.lowering import lowered, require_elementwise

    require_elementwise(frozen)
    return lowered(frozen, widths, formats(frozen, widths))


def real_signals(fixed: FixedNetwork, found: Mapping[Source, np.ndarray]) -> dict[Source, np.ndarray]:
    """What the integers of signals stand for, in single precision where that holds them."""
    real = {source: fixed.signals[source].real(q) for source, q in found.items()}
    return {s: x.astype(np.float32) if fixed.widths.state <= 24 else x for s, x in real.items()}


def rounded(x: Any, by: int) -> Any:
    """x 2^-by as a whole number, halves upwards: what ``shift`` does, on integers and arrays."""
    return (x + (1 << (by - 1))) >> by if by > 0 else x * (1 << -by)


def simulate_fixed(
    fixed: FixedNetwork, inputs: Mapping[Source, np.ndarray], steps: int, *, every: bool = False
) -> dict[Source, np.ndarray]:
    """Whole numbers ``[steps, *shape]`` of the outputs (``every``: of all signals) from the first state.

    ``inputs [time, *shape]``: real numbers and counts, brought to their formats here; zero afterwards.
    """
    run = _Run(fixed, inputs, steps)
    for t in range(steps):
        for part in fixed.parts:
            run.step(part, t)
    frozen = fixed.frozen
    wanted = tuple(fixed.signals) if every else frozen.outputs
    return {source: run.signal[source].reshape(steps, *frozen.shape(source)) for source in wanted}


class _Run:
    """``signal [steps, size]`` so far, and the state ``[size]`` of every unit."""

    def __init__(self, fixed: FixedNetwork, inputs: Mapping[Source, np.ndarray], steps: int) -> None:
        self.fixed, self.signal = fixed, {}
        for source, form in fixed.signals.items():
            size = int(np.prod(fixed.frozen.shape(source)))
            self.signal[source] = np.zeros((steps, size), np.int64)
            if source in inputs:
                given = form.nearest(inputs[source][:steps]).reshape(-1, size)
                self.signal[source][: len(given)] = given
        units = [part for part in fixed.parts if isinstance(part, FixedUnit)]
        self.state = {part.id: {name: s.first for name, s in part.state.items()} for part in units}
        self.taps = {part.id: _taps(part) for part in fixed.parts if isinstance(part, FixedSynapses)}

    def step(self, part: FixedUnit | FixedSynapses, t: int) -> None:
        """Let a part do step ``t``."""
        if isinstance(part, FixedSynapses):
            source = Source(part.id, "output")
            if source in self.signal:
                self.signal[source][t] = self._current(part, t, self.fixed.signals[source])
        else:
            self._unit(part, t)

    def _current(self, part: FixedSynapses, t: int, form: Format) -> np.ndarray:
        synapses = part.synapses
        total = np.zeros(synapses.target_size, np.int64)
        for delay, pre, post, weight in self.taps[part.id]:
            for source in synapses.inputs if t >= delay else ():
                np.add.at(total, post, weight * self.signal[source][t - delay][pre])
        current = rounded(total, part.by)
        if part.offset is not None:
            heard = True if synapses.onset is None else t >= synapses.onset
            current = current + part.offset * heard
        return form.saturated(current)

    def _unit(self, part: FixedUnit, t: int) -> None:
        state, values = self.state[part.id], list[Any]()
        for node in part.nodes:
            values.append(self._value(node, [values[k] for k in node.args], state, t))
        for port, place in part.outputs.items():
            source = Source(part.id, port)
            self.signal[source][t] = self.fixed.signals[source].saturated(values[place])
        size = part.unit.size
        self.state[part.id] = {
            name: np.broadcast_to(new.format.saturated(values[new.node]), size)
            for name, new in part.state.items()
        }

    def _value(self, node: Node, args: list[Any], state: Mapping[str, np.ndarray], t: int) -> Any:
        match node.op:
            case "constant":
                return np.asarray(node.value, np.int64)
            case "state":
                return state[node.name]
            case "signal":
                assert node.source is not None
                return self.signal[node.source][t]
            case "saturate":
                return np.clip(args[0], node.low, node.high)
            case "shift":
                return rounded(args[0], node.by)
            case "floor":
                return args[0] >> node.by
        return OPERATIONS[node.op](*args)


OPERATIONS: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "lt": lambda a, b: (a < b).astype(np.int64),
    "le": lambda a, b: (a <= b).astype(np.int64),
    "gt": lambda a, b: (a > b).astype(np.int64),
    "ge": lambda a, b: (a >= b).astype(np.int64),
    "where": lambda condition, a, b: np.where(condition != 0, a, b),
}


def _taps(part: FixedSynapses) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """(delay, pre, post, weight) of the synapses of every delay."""
    synapses = part.synapses
    found = []
    for delay in np.unique(synapses.delay).tolist():
        here = synapses.delay == delay
        found.append((delay, synapses.pre[here], synapses.post[here], part.weight[here]))
    return found
