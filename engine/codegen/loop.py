"""A traced elementwise step as the source of two loops over time for numba: forward and backward.

Every array is float32: signals ``[time, batch, units]``, state ``[batch, units]``, coefficients ``[units]``.
The loops take what a step reads in single precision and in the order in which torch would, so that they spike
at the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from engine.codegen.expr import Call, Constant, Expr, Symbol, order, symbol, symbols
from engine.codegen.gradient import NotElementwiseError, pullback
from engine.codegen.trace import Traced

Lines = list[str]


@dataclass(frozen=True)
class Loops:
    """``source`` defines two functions; the tuples name their arguments, in order.

    ``forward(*inputs, *coefficients, *state, *outputs, *history)`` runs the state on in place, fills the
    outputs, and in ``history`` the state before every step.
    ``backward(*inputs, *coefficients, *history, *to_outputs, *to_state, *to_inputs, *to_coefficients)`` runs
    the gradient to the state back in place, fills that to the inputs, and adds to that to the coefficients
    ``[batch, units]``.
    """

    source: str
    inputs: tuple[str, ...]
    coefficients: tuple[str, ...]
    state: tuple[str, ...]
    outputs: tuple[str, ...]


def loops(traced: Traced, outputs: tuple[str, ...]) -> Loops:
    """The loops of a step, with the outputs that somebody wants.

    Raises NotElementwiseError where the step has random numbers, no input, or mixes elements.
    """
    roots = [*traced.new_state.values(), *(traced.outputs[name] for name in outputs)]
    read = symbols(roots)
    inputs = [found for found in read if found.role == "input"]
    own = [found for found in read if found.role in ("constant", "tensor")]
    if not inputs or any(found.role == "noise" for found in read):
        raise NotElementwiseError("nothing arrives step by step, or random numbers do")
    names = {found: f"i{k}[t, b, n]" for k, found in enumerate(inputs)}
    names |= {found: f"c{k}[n]" for k, found in enumerate(own)}
    shape = _Shape(len(inputs), len(own), len(traced.state), len(outputs))
    source = _forward(traced, outputs, names, shape) + _backward(traced, outputs, names, shape, inputs, own)
    return Loops(
        source,
        tuple(found.name for found in inputs),
        tuple(found.name for found in own),
        tuple(traced.state),
        outputs,
    )


@dataclass(frozen=True)
class _Shape:
    """How many arrays of each sort there are."""

    inputs: int
    coefficients: int
    state: int
    outputs: int

    def arguments(self, **sorts: int) -> str:
        return ", ".join(f"{letter}{k}" for letter, count in sorts.items() for k in range(count))


def _forward(traced: Traced, outputs: tuple[str, ...], names: Mapping[Symbol, str], shape: _Shape) -> str:
    known = {found: f"s{k}[b, n]" for k, found in enumerate(traced.state.values())}
    kept = [f"h{k}[t, b, n] = s{k}[b, n]" for k in range(shape.state)]
    results = {f"s{k}[b, n]": traced.new_state[name] for k, name in enumerate(traced.state)}
    results |= {f"o{k}[t, b, n]": traced.outputs[name] for k, name in enumerate(outputs)}
    arguments = shape.arguments(
        i=shape.inputs, c=shape.coefficients, s=shape.state, o=shape.outputs, h=shape.state
    )
    lines = [*kept, *_assignments(results, {**names, **known})]
    return _function("forward", arguments, "range(i0.shape[0])", lines)


def _backward(
    traced: Traced,
    outputs: tuple[str, ...],
    names: Mapping[Symbol, str],
    shape: _Shape,
    inputs: list[Symbol],
    own: list[Symbol],
) -> str:
    known = {found: f"h{k}[t, b, n]" for k, found in enumerate(traced.state.values())}
    seeds: dict[Expr, Expr] = {}
    arriving: dict[Symbol, str] = {}
    roots = [(f"gs{k}[b, n]", traced.new_state[name]) for k, name in enumerate(traced.state)]
    roots += [(f"go{k}[t, b, n]", traced.outputs[name]) for k, name in enumerate(outputs)]
    for place, root in roots:
        seed = symbol("gradient", place)
        arriving[seed] = place
        seeds[root] = seeds[root] + seed if root in seeds else seed
    found = pullback(seeds)
    results = {f"gs{k}[b, n]": found.get(s) for k, s in enumerate(traced.state.values())}
    results |= {f"gi{k}[t, b, n]": found.get(s) for k, s in enumerate(inputs)}
    results |= {f"gc{k}[b, n] +": found[s] for k, s in enumerate(own) if s in found}
    counts = {"i": shape.inputs, "c": shape.coefficients, "h": shape.state}
    counts |= {"go": shape.outputs, "gs": shape.state, "gi": shape.inputs, "gc": shape.coefficients}
    lines = _assignments(results, {**names, **known, **arriving})
    return _function("backward", shape.arguments(**counts), "range(i0.shape[0] - 1, -1, -1)", lines)


def _function(name: str, arguments: str, steps: str, lines: Iterable[str]) -> str:
    head = [
        f"def {name}({arguments}):",
        f"    for t in {steps}:",
        "        for b in range(i0.shape[1]):",
        "            for n in range(i0.shape[2]):",
    ]
    return "\n".join([*head, *(f"                {line}" for line in lines), ""])


def _assignments(results: Mapping[str, Expr | None], symbols: Mapping[Symbol, str]) -> Lines:
    """All is read and computed before the first result is written, which may overwrite what was read."""
    names: dict[Expr, str] = {}
    lines: Lines = []
    for expr in order(expr for expr in results.values() if expr is not None):
        if isinstance(expr, Constant):
            names[expr] = f"f4({float(expr.value)!r})"
            continue
        names[expr] = f"x{len(names)}"
        assert isinstance(expr, (Symbol, Call))
        value = symbols[expr] if isinstance(expr, Symbol) else _text(expr, [names[a] for a in expr.args])
        lines.append(f"{names[expr]} = {value}")
    return [*lines, *(f"{place}= {'f4(0)' if e is None else names[e]}" for place, e in results.items())]


def _text(expr: Call, args: list[str]) -> str:
    if expr.op not in _TEXTS:
        raise NotElementwiseError(f"{expr.op} mixes elements")
    text = _TEXTS[expr.op]
    return text(expr, args) if callable(text) else text.format(*args)


def _power(expr: Call, args: list[str]) -> str:
    exponent = expr.args[1]
    if isinstance(exponent, Constant) and exponent.value in (1, 2, 3):
        return " * ".join([args[0]] * int(exponent.value))
    return f"np.power({args[0]}, {args[1]})"


def _spike(expr: Call, args: list[str]) -> str:
    return f"f4(1) if {args[0]} {'>' if expr.options[0] else '>='} f4(0) else f4(0)"


_TEXTS: dict[str, str | Callable[[Call, list[str]], str]] = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "pow": _power,
    "neg": "-{}",
    "lt": "{} < {}",
    "le": "{} <= {}",
    "gt": "{} > {}",
    "ge": "{} >= {}",
    "and": "{} and {}",
    "or": "{} or {}",
    "exp": "np.exp({})",
    "log": "np.log({})",
    "sqrt": "np.sqrt({})",
    "tanh": "np.tanh({})",
    "floor": "np.floor({})",
    "abs": "abs({})",
    "sigmoid": "f4(1) / (f4(1) + np.exp(-{}))",
    "minimum": "{0} if {0} < {1} else {1}",
    "maximum": "{0} if {0} > {1} else {1}",
    "where": "{1} if {0} else {2}",
    "cast": "f4(1) if {} else f4(0)",
    "detach": "{}",
    "spike": _spike,
}
