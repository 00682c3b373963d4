"""Loihi's integers for a frozen network: weights of 8 bits, decays of 12, states of 24.

A population in steps (Lava's bit-accurate model):  u <- dec(u, du + 1) + 64 a  (wraps at 24 bits),
v <- clip(dec(v, dv) + u + bias),  spike where v > 64 vth,  then v := 0,
with dec(x, d) = sign(x) (|x| (4096 - d) >> 12) and a the sum over projections of
(weights . spikes) << exponent, one step and ``delay`` steps later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from engine.errors import MyelinError
from engine.export.folding import fold
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.target import Conversion
from engine.export.targets._lif import (
    FIRING,
    FOLDED,
    SILENT,
    Arriving,
    Cell,
    arriving,
    cell,
    counted,
    is_constant,
    latencies,
    split,
)
from engine.export.targets._through import through
from engine.program import Source

SHIFT = 6  # bits by which thresholds and what arrives are shifted up
FULL, EVEN = 255, 254  # largest weight of one sign, and of both: then the last bit is lost
MOST_THRESHOLD, MOST_EXPONENT, MOST_BIAS, MOST_BIAS_EXPONENT = 131071, 7, 4095, 7
USUAL_THRESHOLD = 8191  # leaves 16 thresholds of room in 24 bits
LONGEST = 62
LIMIT = 1 << 23
TRIED = 48  # scales tried within an octave


@dataclass(frozen=True)
class Cells:
    """A population on the chip, flat; its arrays are ``[size]``.

    ``per_unit``: the chip's v for a potential of 1 above ``rest``.  ``hold``: refractory steps.  ``late``:
    steps by which it lags behind what was drawn.
    """

    id: str
    size: int
    fires: bool
    du: int
    dv: int
    vth: int
    bias_mant: np.ndarray
    bias_exp: np.ndarray
    first: np.ndarray
    hold: int
    per_unit: np.ndarray
    rest: np.ndarray
    late: int


@dataclass(frozen=True)
class Wires:
    """A projection from one source: ``weight`` and ``delay`` (besides the hop) of ``[synapses]``, whole."""

    id: str
    source: Source
    target: str
    sizes: tuple[int, int]
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    exponent: int


@dataclass(frozen=True)
class Deployed(Frozen):
    """A frozen network with its integers; ``host``: what is worked out beside the chip."""

    cells: tuple[Cells, ...] = ()
    wires: tuple[Wires, ...] = ()
    host: Frozen | None = None

    @property
    def latest(self) -> int:
        """Steps by which the last signal lags behind."""
        return max((cells.late for cells in self.cells), default=0)

    @property
    def shown(self) -> tuple[Source, ...]:
        """Signals that the chip gives."""
        own = {cells.id for cells in self.cells}
        asked = [*self.outputs, *(self.host.inputs if self.host else ())]
        return tuple(dict.fromkeys(s for s in asked if s.op in own))


def deploy(frozen: Frozen, exponents: bool = True) -> tuple[Deployed, tuple[Conversion, ...]]:
    """The network in Loihi's integers, and what was changed for that.

    ``exponents``: projections and biases may have an exponent each, so that weak ones are as fine as strong.
    """
    frozen, pooled = through(frozen)
    frozen, folded = fold(frozen)
    chip, host = split(frozen)
    units = [part for part in chip if isinstance(part, Unit) and not is_constant(part)]
    _require_family(units)
    found = {unit.id: arriving(unit, frozen) for unit in units}
    numbers = {unit.id: cell(unit, frozen.dt) for unit in units}
    hops = {
        key: [(s.op, part.shortest + numbers[key].old) for part in own.synapses for s in part.inputs]
        for key, own in found.items()
    }
    late = latencies(hops)
    if late is None:
        raise MyelinError("a loop has fewer steps of delay than hops, and on Loihi each hop takes one step")
    cells, wires, said = [], [], [*pooled, *folded]
    for unit in units:
        made = _Scaled(unit, numbers[unit.id], found[unit.id], late, exponents)
        cells.append(made.cells())
        wires += made.wires()
        said += made.said
    given = {field.name: getattr(frozen, field.name) for field in fields(Frozen)}
    outputs = tuple(s for s in frozen.outputs if _shown(s, host, cells))
    said += _left(host, late, frozen, set(frozen.outputs) - set(outputs))
    deployed = Deployed(**{**given, "outputs": outputs}, cells=tuple(cells), wires=tuple(wires), host=host)
    return deployed, tuple(said)


def _require_family(units: Iterable[Unit]) -> None:
    for unit in units:
        if unit.op.type in (*FIRING, *SILENT):
            continue
        what = "scales what others than one projection send" if unit.op.type in FOLDED else "has no place"
        raise MyelinError(f"'{unit.op.name}' {what}, so Loihi cannot take it")


def _shown(source: Source, host: Frozen, cells: Iterable[Cells]) -> bool:
    own = {one.id: one.fires for one in cells}
    return source in host.outputs or (
        source.op in own and source.port == ("spikes" if own[source.op] else "v")
    )


def _left(
    host: Frozen, late: Mapping[str, int], frozen: Frozen, lost: Iterable[Source]
) -> Iterable[Conversion]:
    for part in host.parts:
        yield Conversion(f"'{part.op.name}' is worked out on the host", (part.id,), exact=True)
    for key, steps in late.items():
        if steps:
            name = frozen.program.ops[key].name
            words = f"'{name}' comes {counted(steps, 'step')} later, as each hop takes one; put back in time"
            yield Conversion(words, (key,), exact=True)
    for source in sorted(lost, key=str):
        yield Conversion(f"'{frozen.name(source)}' is not read from the chip", (source.op,), exact=True)


class _Scaled:
    """One population with all that arrives at it, on one scale.

    ``weights``: of each projection as they reach v, in thresholds (units of potential where nothing fires).
    """

    def __init__(
        self, unit: Unit, numbers: Cell, fed: Arriving, late: Mapping[str, int], exponents: bool
    ) -> None:
        self.unit, self.numbers, self.late, self.free = unit, numbers, late, exponents
        self.said: list[Conversion] = []
        self.rest = self._flat(numbers.v_leak if numbers.reset is None else numbers.reset)
        self.unit_of = (
            self._flat(numbers.v_th) - self.rest if numbers.v_th is not None else np.ones(unit.size)
        )
        self.fed = [part for part in fed.synapses if part.weight.size]
        reach = self._flat(numbers.gain) * self._flat(numbers.entry) / self.unit_of
        self.weights = [part.weight.astype(np.float64) * reach[part.post] for part in self.fed]
        self.constant = fed.constant
        self.scale = self._scale()
        self.exponents = [self._exponent(w) if self.free else 0 for w in self.weights]

    def _flat(self, number: object) -> np.ndarray:
        return np.broadcast_to(np.asarray(number, np.float64), self.unit.shape).ravel()

    def _scale(self) -> float:
        """The chip's weight for a weight of one threshold."""
        largest = max((float(np.abs(w).max()) for w in self.weights), default=0.0)
        if not largest:
            return float(USUAL_THRESHOLD)
        full = EVEN / largest
        if not self.free:
            return min(full, MOST_THRESHOLD)
        room = LIMIT / (1 << SHIFT) / self._worst()
        most = max(full, min(USUAL_THRESHOLD, room, full * 2**MOST_EXPONENT))
        tried = [s for s in most * np.exp2(-np.arange(TRIED) / TRIED) if s >= full * (1 - 1e-9)]
        return float(min(tried, key=self._error))

    def _worst(self) -> float:
        """The largest current, or potential of what never fires, if every source fires in every step."""
        total = np.zeros(self.unit.size)
        for part, weights in zip(self.fed, self.weights, strict=True):
            np.add.at(total, part.post, np.abs(weights))
        kept = 0.0 if self.numbers.s is None else float(np.max(self.numbers.s))
        if self.numbers.v_th is None:
            kept = max(kept, min(float(np.max(self.numbers.a)), 0.99))
        return float(total.max()) / (1 - min(kept, 0.999))

    def _error(self, scale: float) -> float:
        wrong = 0.0
        for weights in self.weights:
            step = self._step(weights) * 2.0 ** self._exponent(weights, scale)
            whole = np.rint(weights * scale / step) * step
            wrong += float(np.sum((whole / scale - weights) ** 2))
        return wrong

    def _step(self, weights: np.ndarray) -> int:
        return 2 if weights.min() < 0 < weights.max() else 1

    def _exponent(self, weights: np.ndarray, scale: float | None = None) -> int:
        most = EVEN if self._step(weights) == 2 else FULL
        largest = float(np.abs(weights).max()) * (self.scale if scale is None else scale)
        needed = math.ceil(math.log2(largest / most) - 1e-9) if largest > most else 0
        return min(needed, MOST_EXPONENT)

    def wires(self) -> list[Wires]:
        """The projections; one that reads several sources once for each."""
        made = []
        for part, weights, exponent in zip(self.fed, self.weights, self.exponents, strict=True):
            step = self._step(weights)
            most = EVEN if step == 2 else FULL
            whole = np.rint(weights * self.scale / 2**exponent / step).astype(np.int64) * step
            whole = np.clip(whole, -most, most)
            self._say_weights(part, weights, whole, exponent, step)
            for source in part.inputs:
                made.append(self._wire(part, source, whole, exponent))
        return made

    def _wire(self, part: Synapses, source: Source, whole: np.ndarray, exponent: int) -> Wires:
        later = self.late[self.unit.id] - self.late.get(source.op, 0) - 1 + self.numbers.old
        delay = part.delay + later
        long = int((delay > LONGEST).sum())
        if long:
            words = f"{long:,} of {delay.size:,} delays of '{part.op.name}' are cut to {LONGEST} steps"
            self.said.append(Conversion(words, (part.id,)))
        sizes = (part.target_size, part.source_size)
        delay = np.minimum(delay, LONGEST)
        return Wires(part.id, source, self.unit.id, sizes, part.pre, part.post, whole, delay, exponent)

    def _say_weights(
        self, part: Synapses, weights: np.ndarray, whole: np.ndarray, exponent: int, step: int
    ) -> None:
        wrong = np.abs(whole * 2.0**exponent / self.scale - weights)
        share = 100 * float(wrong.max()) / float(np.abs(weights).max() or 1)
        grid = "even whole numbers" if step == 2 else "whole numbers"
        words = (
            f"weights of '{part.op.name}' become {grid} up to {int(np.abs(whole).max())}"
            + f" times 2^{exponent}" * bool(exponent)
            + f"; none changes by more than {share:.2g} % of the largest"
        )
        if self.numbers.v_th is not None:
            words += f" (the threshold of '{self.unit.op.name}' is {self.scale:.5g})"
        self.said.append(Conversion(words, (part.id,)))

    def cells(self) -> Cells:
        """The population."""
        n = self.numbers
        a = self._one(n.a)
        du = 4095 if n.s is None else self._decay("current", self._one(n.s)) - 1
        dv = self._decay("potential", a)
        mant, exp = self._bias()
        per_unit = self.scale * (1 << SHIFT) / self.unit_of
        leak = self._flat(n.v_leak)
        first = np.rint((leak - self.rest) * per_unit).astype(np.int64)
        return Cells(
            self.unit.id,
            self.unit.size,
            n.v_th is not None,
            du,
            min(dv, 4095),
            self._threshold(),
            mant,
            exp,
            np.clip(first, 1 - LIMIT, LIMIT - 1),
            n.hold,
            per_unit,
            self.rest,
            self.late[self.unit.id],
        )

    def _one(self, number: object) -> float:
        values = np.unique(np.asarray(number, np.float64))
        if len(values) > 1:
            name = self.unit.op.name
            raise MyelinError(f"neurons of '{name}' differ in a time constant; a population on Loihi has one")
        return float(values[0])

    def _decay(self, what: str, kept: float) -> int:
        """4096 (1 - kept), whole."""
        if kept < 0:
            raise MyelinError(
                f"the {what} of '{self.unit.op.name}' overshoots: its time constant is below one step"
            )
        whole = round(4096 * (1 - kept))
        real = 1 - min(whole, 4095 if what == "potential" else 4096) / 4096
        if abs(real - kept) > 1e-12:
            words = f"the {what} of '{self.unit.op.name}' keeps {real:.5f} in a step, not {kept:.5f}"
            self.said.append(Conversion(words, (self.unit.id,)))
        return max(whole, 1 if what == "current" else 0)

    def _threshold(self) -> int:
        """The largest whole number with ``v > 64 vth`` where the drawn neuron fires."""
        if self.numbers.v_th is None:
            return MOST_THRESHOLD
        near = self.scale * (1 + 1e-9)
        vth = math.floor(near) if self.numbers.strict else math.ceil(self.scale * (1 - 1e-9)) - 1
        if not 0 <= vth <= MOST_THRESHOLD:
            raise MyelinError(
                f"the weights onto '{self.unit.op.name}' are too small or large beside its threshold"
            )
        return vth

    def _bias(self) -> tuple[np.ndarray, np.ndarray]:
        """Mantissas and exponents of what drives v in every step."""
        n = self.numbers
        drive = self._flat(n.gain) * self._flat(n.entry) * self.constant
        if n.s is not None:
            drive = drive / (1 - self._flat(n.s))
        drive = drive + (1 - self._flat(n.a)) * (self._flat(n.v_leak) - self.rest)
        wanted = drive / self.unit_of * self.scale * (1 << SHIFT)
        mant, exp = bias(wanted, 0 if self.free else SHIFT)
        self._say_bias(wanted, mant.astype(np.int64) << exp)
        return mant, exp

    def _say_bias(self, wanted: np.ndarray, real: np.ndarray) -> None:
        name, key = self.unit.op.name, (self.unit.id,)
        if not np.any(wanted):
            return
        wrong = float(np.abs(real - wanted).max()) / (self.scale * (1 << SHIFT))
        words = f"constant currents onto '{name}' become biases, at most {wrong:.2g} of a threshold away"
        if self.numbers.v_th is None:
            words = f"constant currents onto '{name}' become biases, at most {wrong:.2g} away"
        late = self.late[self.unit.id]
        if late:
            words += f"; they act in the {counted(late, 'step')} before its first input, too"
        if self.numbers.s is not None:
            words += "; they drive the potential at once, without the synaptic current's delay"
        self.said.append(Conversion(words, key))


def bias(wanted: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """(mantissa, exponent) nearest to the numbers: mantissas of 13 bits, exponents ``least`` to 7."""
    over = np.maximum(np.abs(wanted) / MOST_BIAS, 1.0)
    most = least or MOST_BIAS_EXPONENT
    exponent = np.clip(np.ceil(np.log2(over)), least, most).astype(np.int64)
    mantissa = np.clip(np.rint(wanted / 2.0**exponent), -MOST_BIAS, MOST_BIAS).astype(np.int64)
    return mantissa, exponent
