"""Evaluates expressions with any implementation of the maths protocol: the reference for generated code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine.codegen.expr import OPERATORS, Call, Constant, Expr, Symbol, order
from nodes.ops import Array, Ops, Sparse
from nodes.spec import Values


def interpret(ops: Ops, roots: Iterable[Expr], value: Callable[[Symbol], Array]) -> dict[Expr, Array]:
    """The value of every expression below ``roots``; ``value`` gives those of symbols."""
    found: dict[Expr, Array] = {}
    for expr in order(roots):
        match expr:
            case Constant():
                found[expr] = expr.value
            case Symbol():
                found[expr] = value(expr)
            case Call():
                found[expr] = _apply(ops, expr, [found[arg] for arg in expr.args])
    return found


def _apply(ops: Ops, expr: Call, args: list[Array]) -> Array:
    if expr.op in OPERATORS:
        return OPERATORS[expr.op](*args)
    if expr.op in _SPECIAL:
        return _SPECIAL[expr.op](ops, args, expr.options)
    return getattr(ops, expr.op)(*args, *expr.options)


def _spike(ops: Ops, args: list[Array], options: tuple[Any, ...]) -> Array:
    (x, alpha), (strict, surrogate) = args, options
    return ops.spike(x, strict, surrogate, alpha)


def _sparse_linear(ops: Ops, args: list[Array], options: tuple[Any, ...]) -> Array:
    x, *own = args
    return ops.linear(x, Sparse(*own, *options))


def _batch_norm(ops: Ops, args: list[Array], options: tuple[Any, ...]) -> Array:
    x, *own = args
    names = ("gamma", "beta", "mean", "var", "eps", "momentum")
    rank, training = options
    return ops.batch_norm(x, rank, Values(zip(names, own, strict=True)), training)


# where operands and options do not stand in the order of the protocol
_SPECIAL: dict[str, Callable[[Ops, list[Array], tuple[Any, ...]], Array]] = {
    "spike": _spike,
    "sparse_linear": _sparse_linear,
    "batch_norm": _batch_norm,
}
