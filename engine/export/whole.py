"""Which signals and values of a frozen network are whole numbers, and between what: spikes, counts, flags.

What is whole needs no fraction in integer arithmetic and no float in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr, Symbol
from engine.export.frozen import Frozen, Unit
from engine.program import Source

Range = tuple[float, float]  # least and most, both possible
_ROUNDS = 8
_ANY: Range = (-math.inf, math.inf)
_FLAG: Range = (0.0, 1.0)


def is_events(frozen: Frozen, source: Source) -> bool:
    """Whether an input of the network carries spikes, 0, 1 or a count, and not real numbers."""
    return "spikes" in frozen.program.ops[source.op].spec.outputs[source.port].kinds


def whole_signals(frozen: Frozen, most: int) -> dict[Source, Range]:
    """The signals that are always whole; ``most``: spikes that an input can bring in one step."""
    found = {source: (0.0, float(most)) for source in frozen.inputs if is_events(frozen, source)}
    for unit in frozen.units:  # in the order of a step, and a current is not taken as whole
        known = whole_values(unit, found)
        for port, expr in unit.traced.outputs.items():
            if expr in known:
                found[Source(unit.id, port)] = known[expr]
    return found


def whole_values(unit: Unit, signals: Mapping[Source, Range]) -> dict[Expr, Range]:
    """The values of a unit's step that are always whole, its state included."""
    given = {port: _summed(sources, signals) for port, sources in unit.inputs.items()}
    state: dict[str, Range | None] = {name: _of_array(first) for name, first in unit.first.items()}
    for round_ in range(_ROUNDS + len(state) + 1):
        known = _propagated(unit, given, state)
        grown = {name: _joined(old, known.get(unit.traced.new_state[name])) for name, old in state.items()}
        if grown == state:
            break
        if round_ >= _ROUNDS:  # it counts on and on
            grown = {n: new if new in (None, state[n]) else _ANY for n, new in grown.items()}
        state = grown
    return known


def _summed(sources: tuple[Source, ...], signals: Mapping[Source, Range]) -> Range | None:
    if any(source not in signals for source in sources):
        return None
    return sum(signals[s][0] for s in sources) + 0.0, sum(signals[s][1] for s in sources) + 0.0


def _propagated(
    unit: Unit, given: Mapping[str, Range | None], state: Mapping[str, Range | None]
) -> dict[Expr, Range]:
    known: dict[Expr, Range] = {}
    for expr in unit.traced.order():
        found = _of(expr, known, unit, given, state)
        if found is not None:
            known[expr] = found
    return known


def _of(
    expr: Expr,
    known: Mapping[Expr, Range],
    unit: Unit,
    given: Mapping[str, Range | None],
    state: Mapping[str, Range | None],
) -> Range | None:
    match expr:
        case Constant(value=value):
            return _of_array(value)
        case Symbol(role="input", name=name):
            return given[name]
        case Symbol(role="state", name=name):
            return state[name]
        case Symbol(name=name):
            return _of_array(unit.values[name])
        case Call(op=op) if op in COMPARISONS or op in ("and", "or", "cast", "spike"):
            return _FLAG
        case Call(op="floor"):
            return _ANY
        case Call(op=op, operands=args) if op in _RANGES:
            ranges = [known[arg] for arg in args if arg in known]
            needed = args[1:] if op == "where" else args
            return _RANGES[op](*ranges[-len(needed) :]) if all(arg in known for arg in needed) else None
    return None


def _of_array(value: Any) -> Range | None:
    array = np.asarray(value, np.float64)
    whole = array.size and (array == np.rint(array)).all()
    return (float(array.min()), float(array.max())) if whole else None


def _joined(old: Range | None, new: Range | None) -> Range | None:
    return None if old is None or new is None else (min(old[0], new[0]), max(old[1], new[1]))


def _product(a: Range, b: Range) -> Range:
    ends = [x * y if x and y else 0.0 for x in a for y in b]
    return min(ends), max(ends)


def _absolute(a: Range) -> Range:
    return max(a[0], -a[1], 0.0), max(-a[0], a[1])


_RANGES: dict[str, Callable[..., Range]] = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "mul": _product,
    "neg": lambda a: (-a[1], -a[0]),
    "abs": _absolute,
    "minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "where": lambda a, b: (min(a[0], b[0]), max(a[1], b[1])),
    "detach": lambda a: a,
    "reshape": lambda a: a,
}
