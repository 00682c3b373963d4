"""Expressions of single precision as C, computed in the order in which the engine does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr
from engine.export.targets._c.tables import literal

# how tightly an expression of C holds together, loosest first
CHOICE, LOGIC, COMPARE, ADD, MUL, UNARY, ATOM = range(7)
_INFIX = {
    "lt": (" < ", COMPARE, ADD, ADD),
    "le": (" <= ", COMPARE, ADD, ADD),
    "gt": (" > ", COMPARE, ADD, ADD),
    "ge": (" >= ", COMPARE, ADD, ADD),
    "and": (" && ", LOGIC, COMPARE, COMPARE),
    "or": (" || ", LOGIC, COMPARE, COMPARE),
    "add": (" + ", ADD, ADD, MUL),
    "sub": (" - ", ADD, ADD, MUL),
    "mul": (" * ", MUL, MUL, UNARY),
    "div": (" / ", MUL, MUL, UNARY),
}  # sign, its own tightness, and what its left and right operands need
_FUNCTIONS = {
    "exp": "expf",
    "log": "logf",
    "sqrt": "sqrtf",
    "tanh": "tanhf",
    "floor": "floorf",
    "abs": "fabsf",
    "sigmoid": "sigmoid",
    "minimum": "minimum",
    "maximum": "maximum",
}
HELPERS = {
    "minimum": "static float minimum(float a, float b)\n{\n    return a < b ? a : b;\n}\n",
    "maximum": "static float maximum(float a, float b)\n{\n    return a > b ? a : b;\n}\n",
    "squared": "static float squared(float a)\n{\n    return a * a;\n}\n",
    "cubed": "static float cubed(float a)\n{\n    return a * a * a;\n}\n",
    "sigmoid": "static float sigmoid(float a)\n{\n    return 1.0f / (1.0f + expf(-a));\n}\n",
}
TRUTH = (*COMPARISONS, "and", "or")
ELEMENTWISE = {*_INFIX, *_FUNCTIONS, "pow", "neg", "where", "cast", "spike", "detach", "reshape"}


@dataclass(frozen=True)
class Printer:
    """Prints expressions; those in ``names`` go by name."""

    names: Mapping[Expr, str]

    def value(self, expr: Expr) -> str:
        """What stands right of the ``=`` that defines ``expr``, even where it has a name."""
        assert isinstance(expr, Call)
        return self._call(expr)[0]

    def text(self, expr: Expr, least: int = CHOICE) -> str:
        """``expr`` as part of something that needs operands at least as tight as ``least``."""
        shown, tightness = self._shown(expr)
        return shown if tightness >= least else f"({shown})"

    def _shown(self, expr: Expr) -> tuple[str, int]:
        if expr in self.names:
            return self.names[expr], ATOM
        if isinstance(expr, Constant):
            return literal(expr.value, "float"), UNARY if expr.value < 0 else ATOM
        assert isinstance(expr, Call), f"{expr} has a name"
        return self._call(expr)

    def _call(self, expr: Call) -> tuple[str, int]:
        if expr.op in _INFIX:
            sign, tightness, left, right = _INFIX[expr.op]
            return f"{self.text(expr.args[0], left)}{sign}{self.text(expr.args[1], right)}", tightness
        if expr.op in _FUNCTIONS:
            return f"{_FUNCTIONS[expr.op]}({', '.join(self.text(arg) for arg in expr.args)})", ATOM
        return _FORMS[expr.op](self, expr)

    def flag(self, condition: Expr, sign: str = "") -> tuple[str, int]:
        """1 where a condition holds, else 0."""
        return f"{self.text(condition, LOGIC)}{sign} ? 1.0f : 0.0f", CHOICE


def _spike(printer: Printer, expr: Call) -> tuple[str, int]:
    sign = ">" if expr.options[0] else ">="
    return f"{printer.text(expr.args[0], ADD)} {sign} 0.0f ? 1.0f : 0.0f", CHOICE


def _where(printer: Printer, expr: Call) -> tuple[str, int]:
    condition, yes, no = expr.args
    return (
        f"{printer.text(condition, LOGIC)} ? {printer.text(yes, LOGIC)} : {printer.text(no, LOGIC)}",
        CHOICE,
    )


def _pow(printer: Printer, expr: Call) -> tuple[str, int]:
    base, exponent = expr.args
    named = {1: "", 2: "squared", 3: "cubed", 0.5: "sqrtf"}
    if isinstance(exponent, Constant) and exponent.value in named:
        return f"{named[exponent.value]}({printer.text(base)})", ATOM
    return f"powf({printer.text(base)}, {printer.text(exponent)})", ATOM


_FORMS: dict[str, Callable[[Printer, Call], tuple[str, int]]] = {
    "spike": _spike,
    "where": _where,
    "pow": _pow,
    "neg": lambda printer, expr: (f"-{printer.text(expr.args[0], ATOM)}", UNARY),
    "cast": lambda printer, expr: printer.flag(expr.args[0]),
    "detach": lambda printer, expr: printer._shown(expr.args[0]),
    "reshape": lambda printer, expr: printer._shown(expr.args[0]),
}
