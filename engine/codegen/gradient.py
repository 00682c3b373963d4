"""Reverse-mode derivatives of a graph, as a graph: the backward step that belongs to a traced step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr, Symbol, as_expr, call, number, order
from engine.codegen.ops import TracerOps
from nodes.surrogates import SURROGATES

Grads = tuple[Expr | None, ...]
OPS = TracerOps()


class NotElementwiseError(ValueError):
    """A graph has an operation that mixes elements, or whose derivative nobody has needed yet."""


def pullback(seeds: Mapping[Expr, Expr]) -> dict[Symbol, Expr]:
    """The gradient of ``sum over roots of seed * root`` to every symbol it depends on.

    ``seeds``: root -> the gradient that arrives at it.  Ties of minimum and maximum share their gradient, as
    in torch; a spike passes its surrogate's.  Raises NotElementwiseError for any operation between elements.
    """
    arriving = dict(seeds)
    for expr in reversed(order(seeds)):
        if not isinstance(expr, Call) or expr not in arriving:
            continue
        if expr.op not in _RULES:
            raise NotElementwiseError(f"no derivative of {expr.op}")
        for arg, gradient in zip(expr.args, _RULES[expr.op](expr, arriving[expr]), strict=False):
            if gradient is not None:
                arriving[arg] = arriving[arg] + gradient if arg in arriving else gradient
    return {expr: gradient for expr, gradient in arriving.items() if isinstance(expr, Symbol)}


def _power(expr: Call, g: Expr) -> Grads:
    base, exponent = expr.args
    if not isinstance(exponent, Constant):
        raise NotElementwiseError("no derivative of a power with a variable exponent")
    return g * exponent * base ** as_expr(exponent.value - 1), None


def _extreme(expr: Call, g: Expr) -> Grads:
    """Of minimum and maximum."""
    a, b = expr.args
    to_a, to_b = (a < b, b < a) if expr.op == "minimum" else (b < a, a < b)
    shared, nothing = g * 0.5, number(0.0)
    return (
        call("where", to_a, g, call("where", to_b, nothing, shared)),
        call("where", to_b, g, call("where", to_a, nothing, shared)),
    )


def _where(expr: Call, g: Expr) -> Grads:
    condition = expr.args[0]
    nothing = number(0.0)
    return None, call("where", condition, g, nothing), call("where", condition, nothing, g)


def _absolute(expr: Call, g: Expr) -> Grads:
    (x,) = expr.args
    return (call("where", x > 0, g, call("where", x < 0, -g, number(0.0))),)


def _spike(expr: Call, g: Expr) -> Grads:
    (x, alpha), (_, surrogate) = expr.args, expr.options
    assert isinstance(alpha, Constant) and isinstance(surrogate, str)
    return g * SURROGATES[surrogate](OPS, x, alpha.value), None


def _nothing(expr: Call, g: Expr) -> Grads:
    return ()


_RULES: dict[str, Callable[[Call, Expr], Grads]] = {
    "add": lambda e, g: (g, g),
    "sub": lambda e, g: (g, -g),
    "mul": lambda e, g: (g * e.args[1], g * e.args[0]),
    "div": lambda e, g: (g / e.args[1], -(g * e / e.args[1])),
    "pow": _power,
    "neg": lambda e, g: (-g,),
    "exp": lambda e, g: (g * e,),
    "log": lambda e, g: (g / e.args[0],),
    "sqrt": lambda e, g: (g * 0.5 / e,),
    "tanh": lambda e, g: (g * (1 - e * e),),
    "sigmoid": lambda e, g: (g * e * (1 - e),),
    "abs": _absolute,
    "minimum": _extreme,
    "maximum": _extreme,
    "where": _where,
    "spike": _spike,
    **dict.fromkeys((*COMPARISONS, "and", "or", "floor", "cast", "detach"), _nothing),
}
