"""Expressions: immutable nodes of a graph in which equal sub-expressions are one object.

Build them with ``number``, ``symbol``, ``call`` and the operators ``+ - * / ** < <= > >= & |``; compare them
with ``is``.  All act elementwise but ``linear``, ``conv``, ``pool``, ``sum``, ``softmax`` and ``batch_norm``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakValueDictionary

import numpy as np

Role = Literal["state", "input", "noise", "tensor", "parameter", "constant", "gradient"]
Number = int | float

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
}
COMPARISONS = ("lt", "le", "gt", "ge")
# x + 0 is x but for the sign of a zero, which no step equation can see
_NEUTRAL = {"add": 0, "sub": 0, "mul": 1, "div": 1, "pow": 1}


class TraceError(TypeError):
    """A step does with an array what an equation cannot say, such as a Python branch on it."""


class Expr:
    """Base of all expressions.  Equality is identity, since equal expressions are one object.

    A comparison gives a truth value per element, everything else a number per element.
    """

    __array_ufunc__ = None  # so that a numpy scalar on the left leaves the operation to us

    @property
    def args(self) -> tuple[Expr, ...]:
        """The operands."""
        return ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, of a symbol that has a fixed one."""
        raise TraceError(f"the shape of {self} is not known before the run; read p.shapes")

    def __add__(self, other: Expr | Number) -> Expr:
        return _binary("add", self, other)

    def __radd__(self, other: Number) -> Expr:
        return _binary("add", other, self)

    def __sub__(self, other: Expr | Number) -> Expr:
        return _binary("sub", self, other)

    def __rsub__(self, other: Number) -> Expr:
        return _binary("sub", other, self)

    def __mul__(self, other: Expr | Number) -> Expr:
        return _binary("mul", self, other)

    def __rmul__(self, other: Number) -> Expr:
        return _binary("mul", other, self)

    def __truediv__(self, other: Expr | Number) -> Expr:
        return _binary("div", self, other)

    def __rtruediv__(self, other: Number) -> Expr:
        return _binary("div", other, self)

    def __pow__(self, other: Expr | Number) -> Expr:
        return _binary("pow", self, other)

    def __rpow__(self, other: Number) -> Expr:
        return _binary("pow", other, self)

    def __lt__(self, other: Expr | Number) -> Expr:
        return _binary("lt", self, other)

    def __le__(self, other: Expr | Number) -> Expr:
        return _binary("le", self, other)

    def __gt__(self, other: Expr | Number) -> Expr:
        return _binary("gt", self, other)

    def __ge__(self, other: Expr | Number) -> Expr:
        return _binary("ge", self, other)

    def __and__(self, other: Expr) -> Expr:
        return _binary("and", self, other)

    def __or__(self, other: Expr) -> Expr:
        return _binary("or", self, other)

    def __neg__(self) -> Expr:
        if isinstance(self, Call) and self.op == "neg":
            return self.args[0]
        return call("neg", self)

    def __float__(self) -> float:
        """The value of an expression of parameters; TraceError where it depends on an array."""
        return float(_known(self))

    def __bool__(self) -> bool:
        """Lets a step branch on a parameter, which fixes the branch; TraceError for arrays."""
        return bool(_known(self))

    def __int__(self) -> int:
        return int(_known(self))

    def __round__(self, digits: int | None = None) -> Number:
        return round(float(self), digits)


@dataclass(frozen=True, eq=False)
class Constant(Expr):
    """A number written in the equations, or a parameter that is not symbolic."""

    value: Number


@dataclass(frozen=True, eq=False)
class Symbol(Expr):
    """A name to be given a value: a state variable, an input, a tensor, a parameter ...

    ``role`` and ``name`` together are unique in a graph.  ``fixed_shape``: of a tensor.  ``value``: of a
    parameter.
    """

    role: Role
    name: str
    fixed_shape: tuple[int, ...] | None = None
    value: Number | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a tensor; TraceError for others."""
        return super().shape if self.fixed_shape is None else self.fixed_shape

    def __str__(self) -> str:
        return f"the {self.role} {self.name}"


@dataclass(frozen=True, eq=False)
class Call(Expr):
    """An operation on operands: a key of ``OPERATORS``, a method of ``nodes.ops.Ops`` or ``sparse_linear``.

    ``options`` are its plain arguments that follow the operands, such as the rank of a sum.
    """

    op: str
    operands: tuple[Expr, ...]
    options: tuple[Hashable, ...] = ()

    @property
    def args(self) -> tuple[Expr, ...]:
        """The operands."""
        return self.operands

    def __str__(self) -> str:
        return f"a result of {self.op}"


# Holds only what somebody still uses; the key keeps the operands alive as long as their result.
_ALIVE: WeakValueDictionary[Hashable, Expr] = WeakValueDictionary()


def number(value: Number) -> Constant:
    """A number as an expression; 1, 1.0 and -0.0, 0.0 are told apart."""
    made = Constant(value)
    found = _ALIVE.setdefault(("number", type(value), repr(value)), made)
    assert isinstance(found, Constant)
    return found


def symbol(
    role: Role, name: str, shape: tuple[int, ...] | None = None, value: Number | None = None
) -> Symbol:
    """The symbol of that role and name."""
    made = Symbol(role, name, shape, value)
    found = _ALIVE.setdefault(("symbol", role, name, shape, repr(value)), made)
    assert isinstance(found, Symbol)
    return found


def call(op: str, *operands: Any, options: tuple[Hashable, ...] = ()) -> Expr:
    """An operation on expressions and numbers."""
    args = tuple(as_expr(operand) for operand in operands)
    return _ALIVE.setdefault((op, args, options), Call(op, args, options))


def as_expr(value: Any) -> Expr:
    """An expression, or a plain number as one; TraceError for anything else."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, (int, float)):
        raise TraceError(f"a {type(value).__name__} cannot stand in an equation; declare it in tensors()")
    return number(value)


def _binary(op: str, left: Any, right: Any) -> Expr:
    a, b = as_expr(left), as_expr(right)
    neutral = _NEUTRAL.get(op)
    if neutral is not None and isinstance(b, Constant) and b.value == neutral:
        return a
    if op in ("add", "mul") and isinstance(a, Constant) and a.value == neutral:
        return b
    return call(op, a, b)


def order(roots: Iterable[Expr]) -> list[Expr]:
    """Every expression below ``roots`` once, operands before what uses them."""
    found: dict[Expr, None] = {}

    def visit(expr: Expr) -> None:
        if expr not in found:
            for arg in expr.args:
                visit(arg)
            found[expr] = None

    for root in roots:
        visit(root)
    return list(found)


def symbols(roots: Iterable[Expr]) -> list[Symbol]:
    """The symbols below ``roots``, in order of appearance."""
    return [expr for expr in order(roots) if isinstance(expr, Symbol)]


def _known(expr: Expr) -> Any:
    """The value of an expression of numbers and parameters."""
    from engine.codegen.interpret import interpret  # which needs this module
    from nodes.ops import NumpyOps

    def value(found: Symbol) -> Any:
        if found.value is None:
            raise TraceError(f"an equation cannot branch on {found}; use ops.where")
        return found.value

    return interpret(NumpyOps(), [expr], value)[expr]
