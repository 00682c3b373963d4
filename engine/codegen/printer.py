"""Expressions as plain text, with as few parentheses as the usual rules of reading allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.codegen.expr import OPERATORS, Call, Constant, Expr, call, number, order

MINUS = "−"
# how tightly an expression holds together, loosest first
COND, OR, AND, COMPARE, ADD, NEG, MUL, POW, ATOM = range(9)
_INFIX = {
    "or": (" or ", OR, OR, OR),
    "and": (" and ", AND, AND, AND),
    "lt": (" < ", COMPARE, ADD, ADD),
    "le": (" ≤ ", COMPARE, ADD, ADD),
    "gt": (" > ", COMPARE, ADD, ADD),
    "ge": (" ≥ ", COMPARE, ADD, ADD),
    "add": (" + ", ADD, ADD, ADD),
    "sub": (f" {MINUS} ", ADD, ADD, MUL),
    "mul": ("·", MUL, NEG, MUL),
    "div": ("/", MUL, NEG, POW),
}  # sign, its own tightness, and what its left and right operands need
_POWERS = {2: "²", 3: "³"}
_FUNCTIONS = {"minimum": "min", "maximum": "max"}
_ASCII = str.maketrans(
    {"←": "<-", "·": "*", "−": "-", "≤": "<=", "≥": ">=", "²": "^2", "³": "^3", "⌊": "floor(", "⌋": ")"}
)


def fitting(line: str, encoding: str) -> str:
    """The line, in ASCII signs where ``encoding`` has not all of its own."""
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return line.translate(_ASCII)
    return line


def readable(roots: Iterable[Expr]) -> dict[Expr, Expr]:
    """The same values for a reader, without gradients, shapes and terms that are there for them alone."""
    found: dict[Expr, Expr] = {}
    for expr in order(roots):
        found[expr] = _simpler(expr, [found[arg] for arg in expr.args]) if isinstance(expr, Call) else expr
    return found


def _simpler(expr: Call, args: list[Expr]) -> Expr:
    if expr.op in _READABLE:
        return _READABLE[expr.op](expr, args)
    if expr.op in OPERATORS:
        return _folded(expr.op, args)
    return call(expr.op, *args, options=expr.options)


def _folded(op: str, args: list[Expr]) -> Expr:
    if all(isinstance(arg, Constant) for arg in args):
        return number(OPERATORS[op](*(arg.value for arg in args if isinstance(arg, Constant))))
    if op == "mul" and any(isinstance(arg, Constant) and arg.value == 0 for arg in args):
        return number(0)  # 0·x is there for the shape of x
    made: Expr = OPERATORS[op](*args)
    return made


def _spike(expr: Call, args: list[Expr]) -> Expr:
    x, strict = args[0], expr.options[0]
    left, right = x.args if isinstance(x, Call) and x.op == "sub" else (x, number(0))
    return call("cast", left > right if strict else left >= right)


def _batch_norm(expr: Call, args: list[Expr]) -> Expr:
    if expr.options[-1]:  # in training the statistics are those of the batch
        return call("batch_norm", *args)
    x, gamma, beta, mean, var, eps, _ = args
    return gamma * (x - mean) / call("sqrt", var + eps) + beta


def _first(expr: Call, args: list[Expr]) -> Expr:
    return args[0]


_READABLE: dict[str, Callable[[Call, list[Expr]], Expr]] = {
    "detach": _first,
    "reshape": _first,
    "spike": _spike,
    "batch_norm": _batch_norm,
}


def body(expr: Expr, names: Mapping[Expr, str]) -> str:
    """What stands right of the ``=`` that defines ``expr``; other expressions in ``names`` go by name."""
    shown = expr.args[0] if isinstance(expr, Call) and expr.op == "cast" else expr
    return _render(shown, names, top=True)[0]


def text(expr: Expr, names: Mapping[Expr, str], least: int = COND) -> str:
    """``expr`` as part of something that needs operands at least as tight as ``least``."""
    shown, tightness = _render(expr, names)
    return shown if tightness >= least else f"({shown})"


def _render(expr: Expr, names: Mapping[Expr, str], top: bool = False) -> tuple[str, int]:
    if expr in names and not (top and isinstance(expr, Call)):
        return names[expr], ATOM
    if isinstance(expr, Constant):
        return number_text(expr.value), NEG if expr.value < 0 else ATOM
    assert isinstance(expr, Call), "every symbol has a name"
    if expr.op in _INFIX:
        return _infix(expr, names)
    if expr.op in _FORMS:
        return _FORMS[expr.op](expr, names)
    inside = ", ".join([text(arg, names) for arg in expr.args] + [str(option) for option in expr.options])
    return f"{_FUNCTIONS.get(expr.op, expr.op)}({inside})", ATOM


def number_text(value: float) -> str:
    """Six digits of a real number, all of a whole one."""
    whole = abs(value) < 1e9 and value == int(value)
    return (str(int(value)) if whole else f"{value:.6g}").replace("-", MINUS)


def _infix(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    sign, tightness, least_left, least_right = _INFIX[expr.op]
    left, right = expr.args
    shown = text(left, names, least_left)
    opposite = _opposite(right, names) if expr.op == "add" else None
    if opposite is not None:
        return f"{shown} {MINUS} {text(opposite, names, MUL)}", tightness
    operand = text(right, names, least_right)
    return f"{shown}{sign}({operand})" if operand.startswith(MINUS) else f"{shown}{sign}{operand}", tightness


def _opposite(expr: Expr, names: Mapping[Expr, str]) -> Expr | None:
    """What a sum may subtract instead of adding ``expr``."""
    if isinstance(expr, Constant):
        return number(-expr.value) if expr.value < 0 else None
    return expr.args[0] if isinstance(expr, Call) and expr.op == "neg" and expr not in names else None


def _neg(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    return f"{MINUS}{text(expr.args[0], names, MUL)}", NEG


def _pow(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    base, exponent = expr.args
    sign = (
        _POWERS.get(int(exponent.value))
        if isinstance(exponent, Constant) and exponent.value in _POWERS
        else None
    )
    return f"{text(base, names, ATOM)}{sign or '^' + text(exponent, names, ATOM)}", POW


def _where(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    condition, yes, no = expr.args
    return f"{text(yes, names, OR)} if {text(condition, names, OR)} else {text(no, names)}", COND


def _enclosed(left: str, right: str) -> Callable[[Call, Mapping[Expr, str]], tuple[str, int]]:
    return lambda expr, names: (f"{left}{text(expr.args[0], names)}{right}", ATOM)


def _linear(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    x, weight = expr.args[:2]
    return f"{text(weight, names, MUL)} @ {text(x, names, POW)}", MUL


def _pool(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    window, _, mode = expr.options
    return f"{mode} of {text(expr.args[0], names, ATOM)} over windows of {window}", COND


def _conv(expr: Call, names: Mapping[Expr, str]) -> tuple[str, int]:
    x, weight = expr.args
    return f"conv({text(x, names)}, {text(weight, names)})", ATOM


_FORMS: dict[str, Callable[[Call, Mapping[Expr, str]], tuple[str, int]]] = {
    "neg": _neg,
    "pow": _pow,
    "where": _where,
    "cast": _enclosed("[", "]"),
    "abs": _enclosed("|", "|"),
    "floor": _enclosed("⌊", "⌋"),
    "linear": _linear,
    "sparse_linear": _linear,
    "pool": _pool,
    "conv": _conv,
}
