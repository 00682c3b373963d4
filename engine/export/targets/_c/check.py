"""What a node's step does that a target's arithmetic has not."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from engine.codegen.expr import Call, Constant, Expr, Symbol
from engine.codegen.trace import Traced
from engine.export.freeze import traced_step
from engine.program import Op

_LINEAR = ("linear", "sparse_linear", "conv")  # a projection of these is frozen as synapses
_POOLS = ("sum", "mean")  # and so is one of these
_NAMES = {"pool": "the largest of a window"}
_WORDS = {"div": "a division by a variable", "pow": "a power", "reshape": "another number of elements"}


def beyond(op: Op, dt: float, supported: Collection[str], *, integers: bool = False) -> list[str]:
    """The operations of an op's step, by name, that are not in ``supported``.

    ``integers``: nor divisions by what varies, powers but the second and third, and changes of shape.
    """
    traced = traced_step(op, dt)
    calls = [expr for expr in traced.order() if isinstance(expr, Call)]
    if op.role == "projection":
        calls = [expr for expr in calls if expr.op not in (*_LINEAR, "reshape") and not _summing(expr)]
    varying = _varying(traced)
    names = [
        _NAMES.get(expr.op, expr.op)
        for expr in calls
        if expr in varying and expr.op not in (*supported, "batch_norm")
    ]
    if integers:
        names += [_WORDS[expr.op] for expr in calls if expr in varying and _refused(expr, varying, op)]
    return sorted(set(names))


def _summing(expr: Call) -> bool:
    return expr.op == "pool" and expr.options[-1] in _POOLS


def _refused(expr: Call, varying: set[Expr], op: Op) -> bool:
    match expr:
        case Call(op="div", operands=(_, below)):
            return below in varying
        case Call(op="pow", operands=(_, exponent)):
            return not isinstance(exponent, Constant) or exponent.value not in (2, 3)
        case Call(op="reshape"):
            return op.role != "projection" and len({math.prod(s or ()) for s in op.shapes.values()}) > 1
    return False


def _varying(traced: Traced) -> set[Expr]:
    """The values of a step that state or input go into: these alone are computed when it runs."""
    found: set[Expr] = set()
    for expr in traced.order():
        read: Iterator[bool] = (arg in found for arg in expr.args)
        if any(read) or (isinstance(expr, Symbol) and expr.role in ("state", "input")):
            found.add(expr)
    return found
