"""The maths protocol on expressions: what a step writes with it becomes a graph."""

# ruff: noqa: D102  (says as a graph what nodes/ops.py declares and explains)

from __future__ import annotations

from typing import Any

from engine.codegen.expr import Expr, call
from nodes.ops import Array, Sparse


class TracerOps:
    """``nodes.ops.Ops`` that computes nothing and remembers everything."""

    def exp(self, x: Array) -> Expr:
        return call("exp", x)

    def log(self, x: Array) -> Expr:
        return call("log", x)

    def sqrt(self, x: Array) -> Expr:
        return call("sqrt", x)

    def abs(self, x: Array) -> Expr:
        return call("abs", x)

    def tanh(self, x: Array) -> Expr:
        return call("tanh", x)

    def sigmoid(self, x: Array) -> Expr:
        return call("sigmoid", x)

    def floor(self, x: Array) -> Expr:
        return call("floor", x)

    def minimum(self, a: Array, b: Array) -> Expr:
        return call("minimum", a, b)

    def maximum(self, a: Array, b: Array) -> Expr:
        return call("maximum", a, b)

    def where(self, condition: Array, a: Array, b: Array) -> Expr:
        return call("where", condition, a, b)

    def cast(self, condition: Array) -> Expr:
        return call("cast", condition)

    def detach(self, x: Array) -> Expr:
        return call("detach", x)

    def spike(self, x: Array, strict: bool, surrogate: str, alpha: float) -> Expr:
        return call("spike", x, alpha, options=(strict, surrogate))

    def sum(self, x: Array, rank: int) -> Expr:
        return call("sum", x, options=(rank,))

    def softmax(self, x: Array) -> Expr:
        return call("softmax", x)

    def log_softmax(self, x: Array) -> Expr:
        return call("log_softmax", x)

    def reshape(self, x: Array, rank: int, shape: tuple[int, ...]) -> Expr:
        return call("reshape", x, options=(rank, tuple(shape)))

    def linear(self, x: Array, weight: Array) -> Expr:
        if isinstance(weight, Sparse):
            return call("sparse_linear", x, weight.weight, weight.pre, weight.post, options=(weight.shape,))
        return call("linear", x, weight)

    def conv(self, x: Array, weight: Array, stride: int, padding: int) -> Expr:
        return call("conv", x, weight, options=(stride, padding))

    def pool(self, x: Array, window: int, rank: int, mode: str) -> Expr:
        return call("pool", x, options=(window, rank, mode))

    def batch_norm(self, x: Array, rank: int, p: Any, training: bool) -> Expr:
        own = (p.gamma, p.beta, p.mean, p.var, p.eps, p.momentum)
        return call("batch_norm", x, *own, options=(rank, training))
