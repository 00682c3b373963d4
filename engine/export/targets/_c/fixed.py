"""Parts of a network in integers as C: what ``engine.export.fixed`` defines, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.codegen.equations import equations
from engine.codegen.printer import fitting
from engine.export.fixed.network import FixedNetwork, FixedSynapses, FixedUnit, Format, Node
from engine.export.targets._c.layout import Layout, lay_out
from engine.export.targets._c.names import Names, comment
from engine.export.targets._c.program import Parts
from engine.export.targets._c.synapses import Arithmetic, write_synapses
from engine.export.targets._c.tables import BYTES, literal, signed, table, unsigned
from engine.export.targets._c.units import Step
from engine.program import Source

_SATURATED = """\
static {t} saturated_{bits}({t} x, {t} low, {t} high)
{{
    return x < low ? low : x > high ? high : x;
}}
"""
HELPERS = {f"saturated_{bits}": _SATURATED.format(t=f"int{bits}_t", bits=bits) for bits in (32, 64)}
_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "and": "&",
    "or": "|",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}
_CHOICES = {
    "min": "{0} < {1} ? {0} : {1}",
    "max": "{0} > {1} ? {0} : {1}",
    "abs": "{0} < 0 ? -{0} : {0}",
    "neg": "-{0}",
    "where": "{0} ? {1} : {2}",
}


def fixed_layout(fixed: FixedNetwork) -> Layout:
    """Buffers of a network in integers."""
    forms = fixed.signals
    return lay_out(fixed.frozen, lambda s: ctype(forms[s]), lambda s: (forms[s].low, forms[s].high) == (0, 1))


def fixed_parts(fixed: FixedNetwork) -> Parts:
    """A network in integers."""
    layout = fixed_layout(fixed)
    widest = max((part.sum.bits for part in fixed.parts if isinstance(part, FixedSynapses)), default=0)
    parts = Parts(layout, "int32_t" if widest <= 32 else "int64_t", HELPERS)
    for part in fixed.parts:
        if isinstance(part, FixedSynapses):
            out = fixed.signals[Source(part.id, "output")]
            finish, helper = _finish(part, out, parts.sum_type)
            maths = Arithmetic(_weight_type(part), parts.sum_type, finish, ctype(out))
            made = write_synapses(part.synapses, part.weight, part.offset, layout, maths)
            parts.synapses[part.id] = made
            parts.needed |= helper
        else:
            parts.units[part.id] = _Writer(part, layout, fixed).write()
    return parts


def ctype(form: Format) -> str:
    """The smallest type that holds a format."""
    return unsigned(form.high) if form.low >= 0 else signed(form.low, form.high)


def wide(low: int, high: int) -> str:
    """The type to compute with."""
    return "int32_t" if low >= -(2**31) and high < 2**31 else "int64_t"


def _weight_type(part: FixedSynapses) -> str:
    return signed(int(part.weight.min(initial=0)), int(part.weight.max(initial=0)))


def _finish(part: FixedSynapses, out: Format, sum_type: str) -> tuple[str, set[str]]:
    """A sum as a current, and the functions that this takes."""
    half = 1 << (part.by - 1) if part.by > 0 else 0
    low, high = part.sum.low, part.sum.high
    ends = (
        ((low + half) >> part.by, (high + half) >> part.by)
        if part.by > 0
        else (low << -part.by, high << -part.by)
    )
    extra = 0 if part.offset is None else int(np.abs(part.offset).max(initial=0))
    least, most = ends[0] - extra, ends[1] + extra
    kind = wide(min(least, low), max(most, high + half))
    cast = "" if kind == sum_type or sum_type == "int64_t" else f"({kind})"
    kind = "int64_t" if sum_type == "int64_t" else kind
    value = f"{cast}{{sum}}"
    if part.by > 0:
        value = f"(({value} + {half}) >> {part.by})"
    elif part.by < 0:
        value = f"{value} * {literal(1 << -part.by, kind)}"
    text = f"{value}{{heard}}"
    if out.holds(least, most):
        return f"({ctype(out)})({text})", set()
    name = f"saturated_{kind[3:5]}"
    return f"({ctype(out)}){name}({text}, {literal(out.low, 'int32_t')}, {out.high})", {name}


class _Writer:
    """The loop over the elements of a unit: a line for every operation."""

    def __init__(self, part: FixedUnit, layout: Layout, fixed: FixedNetwork) -> None:
        self.part, self.layout, self.fixed = part, layout, fixed
        self.prefix = layout.names[part.id]
        self.out = Step(layout.taken.of(f"step_{self.prefix}"))
        self.states = {name: layout.taken.of(f"{self.prefix}_state_{name}") for name in part.state}
        self.local = Names()
        self.names: list[str] = []

    def write(self) -> Step:
        """The whole unit."""
        wished = {new.node: f"new_{name}" for name, new in self.part.state.items()}
        wished |= {place: port for port, place in self.part.outputs.items()}
        lines = [
            line for k, node in enumerate(self.part.nodes) for line in self._node(node, wished.get(k, "x"))
        ]
        lines += self._stores()
        for name, state in self.part.state.items():
            self._state(name, state.first, ctype(state.format))
        unit = self.part.unit
        size = unit.size
        body = "".join(f"        {line}\n" for line in lines)
        said = "".join(f"\n *     {comment(fitting(line, 'ascii'))}" for line in equations(unit.traced))
        what = f"{comment(unit.op.type)} '{comment(unit.op.name)}'"
        head = f"/* {what}; a number n stands for n 2^-f, with f in its comment{said}\n */"
        loop = f"    for (n = 0; n < {size}; n++) {{\n{body}    }}\n"
        self.out.function = f"{head}\nstatic void {self.out.name}(void)\n{{\n    uint32_t n;\n{loop}}}\n"
        self.out.helpers |= {name for name in HELPERS if f"{name}(" in body}
        self.out.operations = size * sum(
            node.op not in ("constant", "state", "signal") for node in self.part.nodes
        )
        return self.out

    def _node(self, node: Node, wish: str) -> Iterator[str]:
        """The line of an operation; none for a constant, which stands where it is used."""
        if node.op == "constant":
            self.names.append(self._constant(node))
            return
        name = self.local.of(node.name or (slug_of(node) if node.op == "signal" else wish))
        kind = wide(node.low, node.high)
        text = self._text(node, kind)
        self.names.append(name)
        yield f"const {kind} {name} = {text};" + (f"  /* {node.fraction} */" if node.fraction else "")

    def _constant(self, node: Node) -> str:
        if isinstance(node.value, int):
            text = literal(node.value, wide(node.low, node.high))
            return f"({text})" if text.startswith("-") else text
        kind = signed(node.low, node.high)
        name = self.layout.taken.of(f"{self.prefix}_factor")
        self.out.tables += table(kind, name, np.asarray(node.value))
        self.out.flash += BYTES[kind] * node.value.size
        return f"{name}[n]"

    def _text(self, node: Node, kind: str) -> str:
        args = [self.names[k] for k in node.args]
        if node.op == "state":
            return f"{self.states[node.name]}[n]"
        if node.op == "signal":
            assert node.source is not None
            return f"{self.layout.signals[node.source].present}[n]"
        if node.op == "saturate":
            wider = self.part.nodes[node.args[0]]
            bits = wide(wider.low, wider.high)[3:5]
            cast = f"({kind})" if bits != kind[3:5] else ""
            return f"{cast}saturated_{bits}({args[0]}, {literal(node.low, kind)}, {literal(node.high, kind)})"
        if node.op in ("shift", "floor"):
            return self._shift(node, args[0], kind)
        if node.op in _CHOICES:
            return _CHOICES[node.op].format(*args)
        compared = node.op in ("lt", "le", "gt", "ge")
        if kind == "int64_t" and not compared and not any(self._wide(k) for k in node.args):
            args[0] = f"(int64_t){args[0]}"
        return f"{args[0]} {_INFIX[node.op]} {args[1]}"

    def _wide(self, place: int) -> bool:
        node = self.part.nodes[place]
        return wide(node.low, node.high) == "int64_t" and node.op != "constant"

    def _shift(self, node: Node, x: str, kind: str) -> str:
        if node.by == 0:
            return x
        if node.by < 0:
            cast = "(int64_t)" if kind == "int64_t" and not self._wide(node.args[0]) else ""
            return f"{cast}{x} * {literal(1 << -node.by, kind)}"
        if node.op == "floor":
            return f"{self._narrowed(kind, node.args[0])}({x} >> {node.by})"
        half, source = 1 << (node.by - 1), self.part.nodes[node.args[0]]
        inside = wide(source.low, source.high + half)
        cast = "(int64_t)" if inside == "int64_t" and not self._wide(node.args[0]) else ""
        narrowed = f"({kind})" if inside != kind else ""
        return f"{narrowed}(({cast}{x} + {literal(half, inside)}) >> {node.by})"

    def _narrowed(self, kind: str, place: int) -> str:
        return "(int32_t)" if kind == "int32_t" and self._wide(place) else ""

    def _stores(self) -> Iterator[str]:
        """Outputs and new state, saturated where they can be too large."""
        for port, place in self.part.outputs.items():
            source = Source(self.part.id, port)
            yield self._store(f"{self.layout.signals[source].present}[n]", place, self.fixed.signals[source])
        for name, state in self.part.state.items():
            yield self._store(f"{self.states[name]}[n]", state.node, state.format)

    def _store(self, target: str, place: int, form: Format) -> str:
        node, value = self.part.nodes[place], self.names[place]
        if not form.holds(node.low, node.high):
            bits = wide(node.low, node.high)[3:5]
            value = f"saturated_{bits}({value}, {literal(form.low, 'int32_t')}, {form.high})"
        return f"{target} = ({ctype(form)}){value};"

    def _state(self, name: str, first: np.ndarray, kind: str) -> None:
        own, size = self.states[name], first.size
        self.out.tables += f"static {kind} {own}[{size}];\n"
        self.out.ram += BYTES[kind] * size
        value = literal(first[0], kind)
        if (first != first[0]).any():
            start = self.layout.taken.of(f"{own}_first")
            self.out.tables += table(kind, start, first)
            self.out.flash += BYTES[kind] * size
            value = f"{start}[n]"
        self.out.reset += f"    for (n = 0; n < {size}; n++) {{\n        {own}[n] = {value};\n    }}\n"


def slug_of(node: Node) -> str:
    """What to call a signal that arrives."""
    assert node.source is not None
    return "input" if node.source.port == "output" else node.source.port
