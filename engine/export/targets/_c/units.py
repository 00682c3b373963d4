"""The step of neurons and other units as C in single precision."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.codegen.equations import equations
from engine.codegen.expr import Call, Constant, Expr, Symbol, order
from engine.codegen.interpret import interpret
from engine.codegen.printer import body, fitting
from engine.export.frozen import Unit
from engine.export.live import live_state
from engine.export.targets._c.collective import COLLECTIVES, call_of
from engine.export.targets._c.expr import ELEMENTWISE, HELPERS, TRUTH, Printer
from engine.export.targets._c.layout import Layout
from engine.export.targets._c.names import Names, comment
from engine.export.targets._c.tables import literal, table
from engine.program import Source
from nodes.ops import NumpyOps
from nodes.spec import Shape

SUPPORTED = {*ELEMENTWISE, *COLLECTIVES}


@dataclass
class Step:
    """A unit as C: what stands before the function ``name``, the function, and lines of the reset.

    ``helpers``: the functions it calls.  ``flash``, ``ram``: bytes of tables and of state.  ``operations``:
    of one step.
    """

    name: str
    tables: str = ""
    function: str = ""
    reset: str = ""
    helpers: set[str] = field(default_factory=set)
    flash: int = 0
    ram: int = 0
    operations: int = 0


def write_unit(unit: Unit, layout: Layout) -> Step:
    """A unit in single precision."""
    return _Writer(unit, layout).write()


@dataclass(frozen=True)
class _Place:
    """An array that a value goes to, as C with the index n; ``name``: what to call the value on its way."""

    target: str
    ctype: str
    shape: Shape
    expr: Expr
    name: str

    @property
    def size(self) -> int:
        """How many elements."""
        return math.prod(self.shape)


class _Writer:
    """Loops over elements, with arrays between them where a step mixes elements or changes their number."""

    def __init__(self, unit: Unit, layout: Layout) -> None:
        self.unit, self.layout = unit, layout
        self.prefix = layout.names[unit.id]
        self.out = Step(layout.taken.of(f"step_{self.prefix}"))
        ports = [port for port in unit.traced.outputs if Source(unit.id, port) in layout.signals]
        live = live_state(unit, ports)
        self.states = {name: layout.taken.of(f"{self.prefix}_state_{name}") for name in live}
        self.places = [*self._outputs(), *self._new_state()]
        self.live = order(place.expr for place in self.places)
        self.scalar = self._scalars()
        self.shape = self._shapes()
        self.known: dict[Expr, str] = {}  # constants and tables by name
        self.array: dict[Expr, str] = {}  # values between loops by the name of their array

    def write(self) -> Step:
        """The whole unit."""
        self._constants()
        loops = [self._between(expr) for expr in self._arrays()]
        sizes = dict.fromkeys(place.size for place in self.places)
        loops += [self._loop([p for p in self.places if p.size == size], size) for size in sizes]
        self._state()
        head = f"/* {comment(self.unit.op.type)} '{comment(self.unit.op.name)}'"
        lines = "".join(f"\n *     {comment(fitting(line, 'ascii'))}" for line in equations(self.unit.traced))
        counter = "    uint32_t n;\n" if any("n++" in loop for loop in loops) else ""
        text = f"{head}{lines}\n */\nstatic void {self.out.name}(void)\n{{\n{counter}{''.join(loops)}}}\n"
        self.out.function = text
        self.out.helpers |= {name for name in HELPERS if f"{name}(" in text}
        return self.out

    def _outputs(self) -> Iterable[_Place]:
        for port, expr in self.unit.traced.outputs.items():
            signal = self.layout.signals.get(Source(self.unit.id, port))
            if signal is not None:
                yield _Place(f"{signal.present}[n]", signal.ctype, self.unit.shape, expr, port)

    def _new_state(self) -> Iterable[_Place]:
        for name in self.states:
            expr = self.unit.traced.new_state[name]
            if expr is not self.unit.traced.state[name]:
                shape = self.unit.first[name].shape
                yield _Place(f"{self.states[name]}[n]", "float", shape, expr, f"new_{name}")

    def _scalars(self) -> dict[Expr, Any]:
        """What is made of plain numbers alone, which the engine computes in double precision."""
        found: dict[Expr, Any] = {}
        for expr in self.live:
            if isinstance(expr, Symbol) and isinstance(self.unit.values.get(expr.name), (int, float)):
                if expr.role in ("tensor", "constant"):
                    found[expr] = self.unit.values[expr.name]
            elif isinstance(expr, Constant):
                found[expr] = expr.value
            elif expr.args and all(arg in found for arg in expr.args):
                found[expr] = interpret(NumpyOps(), [expr], self._given)[expr]
        return found

    def _given(self, symbol: Symbol) -> Any:
        return self.unit.values[symbol.name]

    def _shapes(self) -> dict[Expr, Shape]:
        found: dict[Expr, Shape] = {}
        for expr in self.live:
            match expr:
                case _ if expr in self.scalar:
                    found[expr] = ()
                case Symbol(role="input", name=name):
                    found[expr] = tuple(self.unit.op.shapes.get(name) or self.unit.shape)
                case Symbol(role="state", name=name):
                    found[expr] = self.unit.first[name].shape
                case Symbol(name=name):
                    found[expr] = np.shape(self.unit.values[name])
                case Call(op="reshape", operands=(arg,), options=(int(rank), tuple(shape))):
                    found[expr] = (*found[arg][: len(found[arg]) - rank], *shape)
                case Call(op=op) if op in COLLECTIVES:
                    found[expr] = COLLECTIVES[op].shape(expr, found[expr.args[0]])
                case _:
                    found[expr] = np.broadcast_shapes(*(found[arg] for arg in expr.args))
        return found

    def _constants(self) -> None:
        """Numbers and tables of the parameters, by name."""
        read = {arg for expr in self.live if expr not in self.scalar for arg in expr.args}
        read |= {place.expr for place in self.places}
        names: dict[Expr, str] = {expr: expr.name for expr in self.live if isinstance(expr, Symbol)}
        for expr in self.live:
            if expr not in read or isinstance(expr, Constant):
                continue
            if expr in self.scalar:
                said = comment(fitting(body(expr, names), "ascii")) if isinstance(expr, Call) else ""
                self.known[expr] = self._number(names.get(expr, "factor"), self.scalar[expr], said)
            elif isinstance(expr, Symbol) and expr.role in ("tensor", "constant"):
                self.known[expr] = self._table(expr.name, np.asarray(self.unit.values[expr.name], np.float32))

    def _number(self, name: str, value: Any, said: str = "") -> str:
        own = self.layout.taken.of(f"{self.prefix}_{name}")
        text = f"static const float {own} = {literal(value, 'float')};"
        self.out.tables += text + (f"  /* {said} */\n" if said else "\n")
        return own

    def _table(self, name: str, values: np.ndarray) -> str:
        """The name of an array, which is a number where all of it is the same."""
        if values.size == 1 or (values == values.flat[0]).all():
            return self._number(name, values.flat[0])
        own = self.layout.taken.of(f"{self.prefix}_{name}")
        self.out.tables += table("float", own, values.ravel())
        self.out.flash += 4 * values.size
        return f"{own}[n]"

    def _state(self) -> None:
        """The buffers of the state, and how they begin."""
        for name, own in self.states.items():
            values = self.unit.first[name].ravel()
            self.out.tables += f"static float {own}[{values.size}];\n"
            self.out.ram += 4 * values.size
            value = literal(values[0], "float")
            if (values != values[0]).any():
                start = self.layout.taken.of(f"{own}_first")
                self.out.tables += table("float", start, values)
                self.out.flash += 4 * values.size
                value = f"{start}[n]"
            self.out.reset += (
                f"    for (n = 0; n < {values.size}; n++) {{\n        {own}[n] = {value};\n    }}\n"
            )

    def _arrays(self) -> list[Expr]:
        """What has to lie in an array between two loops, in the order of computation."""
        several = len({place.size for place in self.places}) > 1
        wanted = {p.expr for p in self.places if several or self._size(p.expr) not in (p.size, 1)}
        for expr in self.live:
            if isinstance(expr, Call) and expr not in self.scalar:
                mixed = expr.op in COLLECTIVES
                wanted |= {expr} if mixed else set()
                wanted |= {a for a in expr.args if mixed or self._size(a) not in (self._size(expr), 1)}
        return [expr for expr in self.live if expr in wanted and self._stored(expr)]

    def _stored(self, expr: Expr) -> bool:
        """Whether the values of ``expr`` can change within a step, or do not lie in an array of numbers."""
        constant = expr in self.scalar or (isinstance(expr, Symbol) and expr.role in ("tensor", "constant"))
        return not constant

    def _size(self, expr: Expr) -> int:
        return math.prod(self.shape[expr])

    def _between(self, expr: Expr) -> str:
        """Compute an array that later loops read."""
        name, size = self.layout.taken.of(f"{self.prefix}_part"), self._size(expr)
        self.out.tables += f"static float {name}[{size}];\n"
        self.out.ram += 4 * size
        if isinstance(expr, Call) and expr.op in COLLECTIVES:
            source = expr.args[0]
            text = call_of(expr, self.array[source], name, self.shape[source])
            self.out.helpers.add(COLLECTIVES[expr.op].helper(expr))
            self.out.operations += size
        else:
            text = self._loop([_Place(f"{name}[n]", "float", self.shape[expr], expr, "x")], size)
        self.array[expr] = name
        return text

    def _loop(self, places: list[_Place], size: int) -> str:
        """One pass over elements: read state and input, compute, write."""
        inside = self._inside(places)
        local = Names(("x",) if len(places) > 1 else ())
        ready = [expr for expr in inside if expr in self.known or expr in self.array]
        readers: list[tuple[Shape, tuple[Expr, ...]]] = [(place.shape, (place.expr,)) for place in places]
        readers += [(self.shape[expr], expr.args) for expr in inside if self._size(expr) == size]
        names = {expr: self._read(expr, readers, size) for expr in ready}
        names |= {
            expr: literal(value, "float") for expr, value in self.scalar.items() if isinstance(expr, Constant)
        }
        lines = [
            self._load(expr, names, local)
            for expr in inside
            if isinstance(expr, Symbol) and expr not in names
        ]
        uses = Counter(arg for expr in inside for arg in expr.args)
        wished = {place.expr: place.name for place in reversed(places)}
        for expr in inside:
            if isinstance(expr, Call) and expr not in names and (expr in wished or uses[expr] > 1):
                own = local.of(wished.get(expr, "part"))
                kind = "int" if expr.op in TRUTH else "float"
                lines.append(f"const {kind} {own} = {Printer(names).value(expr)};")
                names[expr] = own
        self.out.operations += size * sum(isinstance(expr, Call) for expr in inside if expr not in self.known)
        for place in places:
            text = Printer(names).text(place.expr)
            lines.append(f"{place.target} = {text if place.ctype == 'float' else f'({place.ctype}){text}'};")
        text = "".join(f"        {line}\n" for line in lines)
        return f"    for (n = 0; n < {size}; n++) {{\n{text}    }}\n"

    def _inside(self, places: Iterable[_Place]) -> list[Expr]:
        """What a loop has to know for its places, operands first; it ends at what is known."""
        found: dict[Expr, None] = {}

        def visit(expr: Expr) -> None:
            if expr in found:
                return
            if expr not in self.known and expr not in self.array:
                for arg in expr.args:
                    visit(arg)
            found[expr] = None

        for place in places:
            visit(place.expr)
        return list(found)

    def _read(self, expr: Expr, readers: list[tuple[Shape, tuple[Expr, ...]]], size: int) -> str:
        """A known value where the loop is at element n of ``size``, spread as numpy spreads it."""
        name = self.known.get(expr) or f"{self.array[expr]}[n]"
        if not name.endswith("[n]") or self._size(expr) == size:
            return name
        full = next((shape for shape, read in readers if expr in read), self.shape[expr])
        return f"{name.removesuffix('[n]')}[{spread(self.shape[expr], full)}]"

    def _load(self, expr: Symbol, names: dict[Expr, str], local: Names) -> str:
        names[expr] = local.of(expr.name)
        if expr.role == "state":
            return f"const float {names[expr]} = {self.states[expr.name]}[n];"
        signals = [self.layout.signals[source] for source in self.unit.inputs[expr.name]]
        texts = [f"{'(float)' if s.whole else ''}{s.present}[n]" for s in signals]
        return f"const float {names[expr]} = {' + '.join(texts) or '0.0f'};"


def spread(shape: Shape, full: Shape) -> str:
    """Where element n of an array of shape ``full`` lies in one of ``shape`` that is spread over it, in C."""
    terms, stride, within = [], 1, 1
    own = (1,) * (len(full) - len(shape)) + shape
    for axis in reversed(range(len(full))):
        if own[axis] > 1:
            at = f"n / {within}" if within > 1 else "n"
            at = f"{at} % {full[axis]}" if within * full[axis] < math.prod(full) else at
            terms.append(f"({at}) * {stride}" if stride > 1 else at)
        stride, within = stride * own[axis], within * full[axis]
    return " + ".join(reversed(terms)) or "0"
