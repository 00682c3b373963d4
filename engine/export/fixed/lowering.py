"""From steps of real numbers to lists of integer operations (``network``)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr, Symbol, order
from engine.errors import MyelinError
from engine.export.fixed.formats import Formats
from engine.export.fixed.network import (
    BITS,
    FixedNetwork,
    FixedState,
    FixedSynapses,
    FixedUnit,
    Format,
    Node,
    Widths,
    rounded,
)
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.live import live_state
from engine.export.quantise import weight_grid
from engine.program import Source

SUPPORTED = {
    "add", "sub", "mul", "div", "neg", "abs", "minimum", "maximum", "where", "and", "or", *COMPARISONS,
    "cast", "spike", "detach", "reshape", "floor", "pow",
}  # fmt: skip
_SUMS = {"add": "add", "sub": "sub", "minimum": "min", "maximum": "max"}
_SAME = ("cast", "detach", "reshape")
_FINEST = 48  # bits behind the point of a coefficient at most
Ends = tuple[int, int]


def lowered(frozen: Frozen, widths: Widths, formats: Formats) -> FixedNetwork:
    """The network in integers; MyelinError names the node and what of it cannot be."""
    parts = tuple(
        _synapses(part, widths, formats)
        if isinstance(part, Synapses)
        else _Unit(part, widths, formats).made()
        for part in frozen.parts
    )
    return FixedNetwork(frozen, widths, parts, formats.signal)


def require_elementwise(frozen: Frozen) -> None:
    """MyelinError where a step does what integers cannot, or changes the number of elements."""
    for unit in frozen.units:
        sizes = {math.prod(unit.op.shapes.get(port) or unit.shape) for port in unit.inputs}
        odd = sorted({e.op for e in unit.traced.order() if isinstance(e, Call)} - SUPPORTED)
        if odd:
            raise MyelinError(f"'{unit.op.name}' uses {odd[0]}, which integers cannot")
        if sizes - {unit.size}:
            raise MyelinError(f"'{unit.op.name}' changes the number of elements, which integers cannot")


def _synapses(synapses: Synapses, widths: Widths, formats: Formats) -> FixedSynapses:
    grid = weight_grid(synapses.weight, widths.weight, "power_of_two")
    weight = grid.integers(synapses.weight).astype(np.int64)
    fraction = -round(math.log2(float(grid.scale)))
    sources = [formats.signal[source] for source in synapses.inputs]
    arriving = {form.fraction for form in sources}
    if len(arriving) > 1:
        raise MyelinError(f"'{synapses.op.name}' adds up spikes and real numbers, which integers cannot")
    out = formats.signal.get(Source(synapses.id, "output"), Format(0, 0, 0))
    total = fraction + (arriving.pop() if arriving else 0)
    low, high = (_extreme(synapses, weight, sources, sign) for sign in (-1, 1))
    _require_bits(low, high, synapses.op.name)
    by = total - out.fraction
    _require_bits(rounded(low, by), rounded(high, by), synapses.op.name)
    offset = None if synapses.offset is None else out.nearest(synapses.offset)
    return FixedSynapses(synapses, weight, fraction, Format(total, low, high), by, offset)


def _extreme(synapses: Synapses, weight: np.ndarray, sources: list[Format], sign: int) -> int:
    """The largest sum that any target can get (sign 1), or the least (-1)."""
    total = np.zeros(synapses.target_size, np.float64)
    for form in sources:
        ends = np.outer(weight.astype(np.float64), (form.low, form.high))
        np.add.at(total, synapses.post, ends.max(1) if sign > 0 else ends.min(1))
    return int(total.max(initial=0)) if sign > 0 else int(total.min(initial=0))


def _require_bits(low: int, high: int, name: str) -> None:
    if not -(2**BITS) <= low <= high < 2**BITS:
        raise MyelinError(
            f"'{name}' needs more than {BITS + 1} bits within a step; choose fewer bits for state"
        )


class _Unit:
    """Builds the list; equal operations are one."""

    def __init__(self, unit: Unit, widths: Widths, formats: Formats) -> None:
        self.unit, self.widths, self.formats = unit, widths, formats
        self.whole, self.constant = formats.whole[unit.id], formats.constant[unit.id]
        self.nodes: list[Node] = []
        self.places: dict[Any, int] = {}
        self.place: dict[Expr, int] = {}

    def made(self) -> FixedUnit:
        """The unit in integers."""
        wanted = self._wanted_outputs()
        for expr in order([*self._wanted_states().values(), *wanted.values()]):
            if expr not in self.constant:
                self.place[expr] = self._lower(expr)
        state = {name: self._state(name, expr) for name, expr in self._wanted_states().items()}
        outputs = {port: self._at(expr, self._signal(port).fraction) for port, expr in wanted.items()}
        return _without_dead(FixedUnit(self.unit, tuple(self.nodes), state, outputs))

    def _signal(self, port: str) -> Format:
        return self.formats.signal[Source(self.unit.id, port)]

    def _wanted_outputs(self) -> dict[str, Expr]:
        ports = self.unit.traced.outputs
        return {port: e for port, e in ports.items() if Source(self.unit.id, port) in self.formats.signal}

    def _wanted_states(self) -> dict[str, Expr]:
        """New values of the state variables that somebody will see something of."""
        wanted = live_state(self.unit, self._wanted_outputs())
        return {name: self.unit.traced.new_state[name] for name in wanted}

    def _state(self, name: str, new: Expr) -> FixedState:
        form = self.formats.state[self.unit.id, name]
        first = form.nearest(self.unit.first[name]).ravel()
        return FixedState(form, first, self._at(new, form.fraction))

    def _lower(self, expr: Expr) -> int:
        match expr:
            case Symbol(role="state", name=name):
                form = self.formats.state[self.unit.id, name]
                return self._add("state", (), (form.low, form.high), form.fraction, name=name)
            case Symbol(role="input", name=port):
                return self._arriving(port, self._fraction(expr))
            case Call(op=op) if op in _SUMS:
                a, b = (self._at(arg, self._fraction(expr)) for arg in expr.args)
                return self._apply(_SUMS[op], a, b)
            case Call(op="where", operands=(condition, yes, no)):
                a, b = (self._at(arg, self._fraction(expr)) for arg in (yes, no))
                return self._apply("where", self.place[condition], a, b)
            case Call(op="neg" | "abs" as op, operands=(arg,)):
                return self._apply(op, self._at(arg, self._fraction(expr)))
            case Call(op=op, operands=(arg,)) if op in _SAME:
                return self.place[arg]
            case Call(op=op) if op in _FORMS:
                return _FORMS[op](self, expr)
        raise MyelinError(f"'{self.unit.op.name}' uses {getattr(expr, 'op', expr)}, which integers cannot")

    def _fraction(self, expr: Expr) -> int:
        return 0 if expr in self.whole else self.formats.fraction[self.unit.id, expr]

    def _at(self, expr: Expr, fraction: int) -> int:
        """The place of a value with that many bits behind the point."""
        if expr in self.constant and expr not in self.place:
            return self._constant(self.constant[expr], fraction)
        place = self.place[expr]
        return self._shifted(place, fraction)

    def _shifted(self, place: int, fraction: int) -> int:
        by = self.nodes[place].fraction - fraction
        if by == 0:
            return place
        if self.nodes[place].op == "constant":
            return self._number(np.asarray(rounded(self.nodes[place].value, by)), fraction)
        if by >= BITS:  # nothing is left of it
            return self._constant(0.0, fraction)
        low, high = (rounded(end, by) for end in (self.nodes[place].low, self.nodes[place].high))
        return self._add("shift", (place,), (low, high), fraction, by=by)

    def _constant(self, value: Any, fraction: int) -> int:
        nearest = np.floor(np.ldexp(np.asarray(value, np.float64), fraction) + 0.5).astype(np.int64)
        return self._number(nearest, fraction)

    def _number(self, value: np.ndarray, fraction: int) -> int:
        """A whole number, one for all elements where they are equal."""
        if value.ndim and (value == value.flat[0]).all():
            value = value.reshape(-1)[0]
        kept = value if value.ndim else int(value)
        return self._add("constant", (), (int(value.min()), int(value.max())), fraction, value=kept)

    def _arriving(self, port: str, fraction: int) -> int:
        """The sum of the signals at a port."""
        places = []
        for source in self.unit.inputs[port]:
            form = self.formats.signal[source]
            place = self._add("signal", (), (form.low, form.high), form.fraction, source=source)
            places.append(self._shifted(place, fraction))
        if not places:
            return self._constant(0.0, fraction)
        total = places[0]
        for place in places[1:]:
            total = self._apply("add", total, place)
        return total

    def _apply(self, op: str, *args: int) -> int:
        """An operation on values of one fraction (or, for ``where``, a condition before them)."""
        ends = [(self.nodes[k].low, self.nodes[k].high) for k in args]
        return self._add(op, args, _ENDS[op](*ends), self.nodes[args[-1]].fraction)

    def _add(self, op: str, args: tuple[int, ...], ends: Ends, fraction: int, **own: Any) -> int:
        _require_bits(*ends, self.unit.op.name)
        node = Node(op, args, *ends, fraction, **own)
        known = {**own, "value": node.value.tobytes() if isinstance(node.value, np.ndarray) else node.value}
        key = (op, args, fraction, tuple(sorted(known.items(), key=lambda item: item[0])))
        if key not in self.places:
            self.places[key] = len(self.nodes)
            self.nodes.append(node)
        return self.places[key]

    def _product(self, expr: Expr, a: Expr, b: Expr) -> int:
        """a times b, at the fraction of the result."""
        if a in self.constant:
            a, b = b, a
        if b in self.constant:
            return self._scaled(self.place[a], self.constant[b], self._fraction(expr))
        return self._varied(self.place[a], self.place[b], expr)

    def _varied(self, a: int, b: int, expr: Expr) -> int:
        """The product of two variables at the fraction of ``expr``, all three within the bits of a state."""
        if any(_is_flag(self.nodes[place]) for place in (a, b)):
            return self._shifted(self._times(a, b), self._fraction(expr))
        place = self._shifted(self._times(self._held(a), self._held(b)), self._fraction(expr))
        return self._held(place)

    def _held(self, place: int) -> int:
        """A value within the bits of a state variable."""
        node, most = self.nodes[place], 2 ** (self.widths.state - 1)
        if node.low >= -most and node.high < most:
            return place
        ends = (max(node.low, -most), min(node.high, most - 1))
        return self._add("saturate", (place,), ends, node.fraction)

    def _times(self, a: int, b: int) -> int:
        one, other = self.nodes[a], self.nodes[b]
        if _is_flag(one) or _is_flag(other):  # a choice, and no multiplier
            flag, rest = (a, b) if _is_flag(one) else (b, a)
            return self._apply("where", flag, rest, self._constant(0.0, self.nodes[rest].fraction))
        ends = _products((one.low, one.high), (other.low, other.high))
        return self._add("mul", (a, b), ends, one.fraction + other.fraction)

    def _scaled(self, place: int, factor: Any, fraction: int) -> int:
        """A value times a constant, whose bits are those of a coefficient."""
        whole, bits = coefficient(factor, self.widths.factor)
        value = self._number(whole, bits)
        if isinstance(self.nodes[value].value, int) and self.nodes[value].value == 1:
            node = self.nodes[place]  # a power of two is a shift alone
            by = node.fraction + bits - fraction
            ends = (rounded(node.low, by), rounded(node.high, by))
            return self._add("shift", (place,), ends, fraction, by=by) if by or bits else place
        return self._shifted(self._times(place, value), fraction)

    def _compare(self, expr: Call) -> int:
        """A comparison; of a count with any constant as of whole numbers."""
        a, b = expr.args
        op = expr.op
        if a in self.constant:
            a, b, op = b, a, _MIRRORED[op]
        if a in self.whole and b in self.constant:
            up = op in ("lt", "ge")
            bound = (np.ceil if up else np.floor)(self.constant[b]).astype(np.int64)
            return self._truth(op, self.place[a], self._number(np.asarray(bound), 0))
        fraction = max(self._fraction(x) for x in (a, b) if x not in self.constant)
        return self._truth(op, self._at(a, fraction), self._at(b, fraction))

    def _truth(self, op: str, a: int, b: int) -> int:
        return self._add(op, (a, b), (0, 1), 0)

    def _spike(self, expr: Call) -> int:
        place = self.place[expr.args[0]]
        zero = self._constant(0.0, self.nodes[place].fraction)
        return self._truth("gt" if expr.options[0] else "ge", place, zero)

    def _logic(self, expr: Call) -> int:
        a, b = (self.place[arg] for arg in expr.args)
        return self._add(expr.op, (a, b), (0, 1), 0)

    def _divided(self, expr: Call) -> int:
        a, b = expr.args
        if b not in self.constant:
            raise MyelinError(f"'{self.unit.op.name}' divides by a variable, which integers cannot")
        return self._scaled(self.place[a], 1 / self.constant[b], self._fraction(expr))

    def _power(self, expr: Call) -> int:
        base, exponent = expr.args
        if not isinstance(exponent, Constant) or exponent.value not in (2, 3):
            raise MyelinError(f"'{self.unit.op.name}' takes a power, which integers cannot")
        place = self._varied(self.place[base], self.place[base], expr)
        for _ in range(int(exponent.value) - 2):
            place = self._varied(place, self.place[base], expr)
        return place

    def _floor(self, expr: Call) -> int:
        node = self.nodes[self.place[expr.args[0]]]
        if node.fraction <= 0:
            return self._shifted(self.place[expr.args[0]], 0)
        ends = (node.low >> node.fraction, node.high >> node.fraction)
        return self._add("floor", (self.place[expr.args[0]],), ends, 0, by=node.fraction)


def _is_flag(node: Node) -> bool:
    return (node.low, node.high, node.fraction) == (0, 1, 0)


def _without_dead(unit: FixedUnit) -> FixedUnit:
    """Only the operations that something stored depends on."""
    needed: set[int] = set()
    ahead = [*unit.outputs.values(), *(state.node for state in unit.state.values())]
    while ahead:
        place = ahead.pop()
        if place not in needed:
            needed.add(place)
            ahead += unit.nodes[place].args
    moved = {old: new for new, old in enumerate(sorted(needed))}
    nodes = tuple(replace(unit.nodes[k], args=tuple(moved[a] for a in unit.nodes[k].args)) for k in moved)
    state = {name: replace(own, node=moved[own.node]) for name, own in unit.state.items()}
    return FixedUnit(unit.unit, nodes, state, {port: moved[k] for port, k in unit.outputs.items()})


def coefficient(factor: Any, bits: int) -> tuple[np.ndarray, int]:
    """Whole numbers q of so many bits, and the fraction f, with factor = q 2^-f as nearly as can be."""
    value = np.asarray(factor, np.float64)
    largest = float(np.abs(value).max(initial=0.0))
    if largest < 2.0**-_FINEST:
        return np.zeros(value.shape, np.int64), 0
    fraction = min(math.floor(math.log2((2 ** (bits - 1) - 1) / largest)), _FINEST)
    whole = np.floor(np.ldexp(value, fraction) + 0.5).astype(np.int64)
    while fraction > -bits and (whole % 2 == 0).all():
        whole, fraction = whole // 2, fraction - 1
    return whole, fraction


def _products(a: Ends, b: Ends) -> Ends:
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
_ENDS: dict[str, Callable[..., Ends]] = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "min": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "max": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "where": lambda c, a, b: (min(a[0], b[0]), max(a[1], b[1])),
    "neg": lambda a: (-a[1], -a[0]),
    "abs": lambda a: (max(a[0], -a[1], 0), max(-a[0], a[1])),
}
_FORMS: Mapping[str, Callable[[_Unit, Call], int]] = {
    "mul": lambda unit, expr: unit._product(expr, *expr.args),
    "div": _Unit._divided,
    "pow": _Unit._power,
    "floor": _Unit._floor,
    "spike": _Unit._spike,
    "and": _Unit._logic,
    "or": _Unit._logic,
    **dict.fromkeys(COMPARISONS, _Unit._compare),
}
