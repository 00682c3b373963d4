"""The update equations of a traced step as lines of text, in the order in which they may be computed.

``v ← ...`` overwrites a state variable, and later lines read the new value; ``x = ...`` names a value.
``[condition]`` is 1 where it holds, else 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.codegen.expr import COMPARISONS, Call, Constant, Expr, Symbol, TraceError, order, symbols
from engine.codegen.printer import body, number_text, readable, text
from engine.codegen.trace import Traced

_SMALL = 3  # a shared expression of so many nodes is clearer written out than named
_LONG = 14  # a coefficient beyond this is told by its value and what it depends on


@dataclass
class _Line:
    """``name = expr``.  ``defines``: the right side is written out, else it goes by its own name."""

    name: str
    expr: Expr
    defines: bool
    final: bool  # the last value of a state variable in this step


def equations(traced: Traced) -> list[str]:
    """Coefficients first, with their value where it is known, then the step line by line."""
    seen = readable([*traced.new_state.values(), *traced.outputs.values()])
    new_state = {name: seen[expr] for name, expr in traced.new_state.items()}
    outputs = {name: seen[expr] for name, expr in traced.outputs.items()}
    roots = [*new_state.values(), *outputs.values()]
    names = _symbol_names(traced, new_state, outputs)
    lines = _named_lines(traced, new_state, outputs, roots, set(names.values()))
    position = {expr: place for place, expr in enumerate(order(roots))}
    lines.sort(key=lambda line: position[line.expr])
    return [*_coefficients(traced, names), *_Schedule(traced, names, lines).run()]


def _symbol_names(
    traced: Traced, new_state: Mapping[str, Expr], outputs: Mapping[str, Expr]
) -> dict[Expr, str]:
    """Every symbol by its own name; a parameter that is called like a variable gets its role as a suffix."""
    names: dict[Expr, str] = {symbol: name for name, symbol in traced.state.items()}
    taken = {*new_state, *outputs}
    for symbol in (*traced.inputs.values(), *traced.parameters.values(), *_constants(traced)):
        names[symbol] = f"{symbol.name}_{symbol.role}" if symbol.name in taken else symbol.name
        taken.add(names[symbol])
    return names


def _constants(traced: Traced) -> list[Symbol]:
    return [expr for expr in traced.order() if isinstance(expr, Symbol) and expr.role == "constant"]


def _coefficients(traced: Traced, names: Mapping[Expr, str]) -> list[str]:
    """Each coefficient by its formula, in which earlier ones go by name."""
    wanted = {found.name: names[found] for found in _constants(traced)}
    seen = readable(traced.constants.values())
    made = {seen[expr]: wanted[name] for name, expr in traced.constants.items()}
    first = [expr for expr in order(made) if expr in made]
    return [" = ".join([made[expr], *_right_sides(expr, {**names, **made})]) for expr in first]


def _right_sides(expr: Expr, names: Mapping[Expr, str]) -> list[str]:
    """Formula, or what goes into a long one, and the value unless trained tensors decide it."""
    long = len(order([expr])) > _LONG
    formula = f"f({', '.join(names[found] for found in symbols([expr]))})" if long else body(expr, names)
    try:
        value = number_text(float(expr))
    except TraceError:
        return [formula]
    return [formula] if formula == value else [formula, value]


def _named_lines(
    traced: Traced,
    new_state: Mapping[str, Expr],
    outputs: Mapping[str, Expr],
    roots: Iterable[Expr],
    taken: set[str],
) -> list[_Line]:
    """State variables, then outputs, then what several of them share."""
    lines: list[_Line] = []
    named: dict[Expr, str] = {}

    def add(name: str, expr: Expr, final: bool = False) -> None:
        lines.append(_Line(name, expr, isinstance(expr, Call) and expr not in named, final))
        named.setdefault(expr, name)

    changed = {name: expr for name, expr in new_state.items() if expr is not traced.state[name]}
    developed = [name for name, expr in changed.items() if traced.state[name] in _quantities(expr)]
    for name in developed:
        add(name, changed[name], final=True)
    for name, expr in outputs.items():
        if new_state.get(name) is not expr:
            add(f"{name}_output" if name in new_state else name, expr)
    for name in [
        name for name in changed if name not in developed
    ]:  # such as a memory of the spikes, better called spikes first
        add(name, changed[name], final=True)
    for expr in _shared(roots):
        if expr not in named:
            add(_version_of(expr, traced, new_state, named) or _fresh("h", taken), expr)
    return lines


def _shared(roots: Iterable[Expr]) -> list[Expr]:
    """What is used more than once and is not obvious, operands first."""
    found = order(roots)
    uses = Counter(arg for expr in found for arg in expr.args)
    return [expr for expr in found if uses[expr] > 1 and len(order([expr])) > _SMALL]


def _version_of(
    expr: Expr, traced: Traced, new_state: Mapping[str, Expr], named: Mapping[Expr, str]
) -> str | None:
    """The state variable on whose way from old to new value ``expr`` lies."""
    below = set(order([expr]))
    for name, symbol in traced.state.items():
        if symbol in below and expr in _way(new_state[name], named):
            return name
    return None


def _way(last: Expr, named: Mapping[Expr, str]) -> set[Expr]:
    """The values that sums, choices and factors change step by step into ``last``; it ends at other names."""
    found: set[Expr] = set()
    ahead = _carried(last)
    while ahead:
        expr = ahead.pop()
        if expr not in found and expr not in named:
            found.add(expr)
            ahead += _carried(expr)
    return found


def _quantities(expr: Expr) -> set[Expr]:
    """What goes into ``expr`` other than to decide a condition."""
    found: set[Expr] = set()
    ahead = [expr]
    while ahead:
        expr = ahead.pop()
        if expr not in found and not (isinstance(expr, Call) and expr.op in COMPARISONS):
            found.add(expr)
            ahead += expr.args
    return found


def _carried(expr: Expr) -> list[Expr]:
    match expr:
        case Call(op="add" | "sub"):
            return list(expr.args)
        case Call(op="where"):
            return list(expr.args[1:])
        case Call(op="mul", operands=(left, right)):
            return [left if isinstance(left, Call) else right]
    return []


def _fresh(stem: str, taken: set[str]) -> str:
    name = next(f"{stem}{n}" for n in range(1, len(taken) + 2) if f"{stem}{n}" not in taken)
    taken.add(name)
    return name


class _Schedule:
    """Orders the lines so that no state variable is overwritten while its older value is still wanted."""

    def __init__(self, traced: Traced, names: dict[Expr, str], lines: list[_Line]) -> None:
        self.names, self.pending = names, lines
        self.waiting = {line.expr for line in lines if line.defines}
        self.held: dict[str, Expr] = dict(traced.state)
        self.reads = {id(line): _reads(line, self.waiting) for line in lines}
        self.taken = {*names.values(), *(line.name for line in lines)}
        self.written: list[str] = []

    def run(self) -> list[str]:
        """The text of all lines."""
        while self.pending:
            ready = [line for line in self.pending if not self.reads[id(line)] & self.waiting]
            line = next((line for line in ready if not self._destroys(line)), ready[0])
            right = self._right(line)
            if self._destroys(line):
                self._rescue(line)
            self._write(line, right)
        return self.written

    def _destroys(self, line: _Line) -> bool:
        """Whether others still want the value that the name of ``line`` stands for now."""
        held = self.held.get(line.name)
        return any(held in self.reads[id(other)] for other in self.pending if other is not line)

    def _rescue(self, line: _Line) -> None:
        """Keep the old value by another name, or give a passing value a name of its own."""
        if not line.final:
            line.name = _fresh("h", self.taken)
            return
        old = _fresh(f"{line.name}_old", self.taken)
        self.names[self.held[line.name]] = old
        self.written.append(f"{old} = {line.name}")

    def _right(self, line: _Line) -> str:
        return body(line.expr, self.names) if line.defines else text(line.expr, self.names)

    def _write(self, line: _Line, right: str) -> None:
        sign = "←" if line.name in self.held else "="
        self.written.append(f"{line.name} {sign} {right}")
        self.pending.remove(line)
        if sign == "←":
            self.held[line.name] = line.expr
        if line.defines:
            self.waiting.discard(line.expr)
            self.names[line.expr] = line.name


def _reads(line: _Line, defined: set[Expr]) -> set[Expr]:
    """The named expressions and symbols in the text of a line."""
    found: set[Expr] = set()
    ahead = list(line.expr.args) if line.defines else [line.expr]
    while ahead:
        expr = ahead.pop()
        if expr in defined or isinstance(expr, (Symbol, Constant)):
            found.add(expr)
        else:
            ahead += expr.args
    return found
