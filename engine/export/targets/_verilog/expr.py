"""Whole numbers as expressions of Verilog: every operand is brought to the width of the result in words.

Nothing is left to the widths that the language works out for itself, so that linters have nothing to say and
what is written is what is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.export.fixed.network import Format, Node


@dataclass(frozen=True)
class Value:
    """A wire by its name, or a constant by its number."""

    name: str
    width: int
    signed: bool
    number: int | None = None

    @property
    def declared(self) -> str:
        """What stands before the name where it is declared."""
        return span(self.width, self.signed)


def span(width: int, signed: bool = False) -> str:
    """``signed [7:0] `` of a declaration, with a space behind; nothing for a plain bit."""
    sign = "signed " if signed else ""
    return f"{sign}[{width - 1}:0] " if width > 1 else sign


def width_of(low: int, high: int) -> tuple[int, bool]:
    """Bits that hold ``low..high``, and whether one is a sign."""
    return Format(0, low, high).bits, low < 0


def between(name: str, low: int, high: int) -> Value:
    """A wire that holds ``low..high``."""
    return Value(name, *width_of(low, high))


def constant(number: int) -> Value:
    """A number."""
    return Value("", *width_of(min(number, 0), max(number, 0)), number)


def literal(number: int, width: int, signed: bool = True) -> str:
    """A number of so many bits; what does not fit is cut off."""
    number &= 2**width - 1
    if not signed:
        return f"{width}'d{number}"
    if number < 2 ** (width - 1):
        return f"{width}'sd{number}"
    least = number == 2 ** (width - 1)
    return f"{width}'sh{number:x}" if least else f"-{width}'sd{2**width - number}"


def fit(value: Value, width: int) -> str:
    """The value in exactly so many bits: its sign is extended, or its upper bits are cut off."""
    if value.number is not None:
        return literal(value.number, width, value.signed or value.number < 2 ** (width - 1))
    if width == value.width:
        return value.name
    if width < value.width:
        return f"{value.name}[{width - 1}:0]" if width > 1 else f"{value.name}[0]"
    more = width - value.width
    top = value.name if value.width == 1 else f"{value.name}[{value.width - 1}]"
    filling = top if value.signed else "1'b0"
    return f"{{{{{more}{{{filling}}}}}, {value.name}}}"


def compared(a: Value, operator: str, b: Value) -> str:
    """The comparison of two numbers as a bit."""
    if not (a.signed or b.signed):
        width = max(a.width, b.width)
        return f"{fit(a, width)} {operator} {fit(b, width)}"
    width = max(v.width + (not v.signed) for v in (a, b))
    return f"{_as_signed(a, width)} {operator} {_as_signed(b, width)}"


def _as_signed(value: Value, width: int) -> str:
    text = fit(value, width)
    return text if value.number is not None or text == value.name else f"$signed({text})"


def saturated(value: Value, low: int, high: int, form: Format) -> str:
    """A value of ``low..high`` as it is stored in a format."""
    bits = form.bits
    text = fit(value, bits)
    if high > form.high:
        over = compared(value, ">", constant(form.high))
        text = f"{over} ? {literal(form.high, bits, form.low < 0)} : {text}"
    if low < form.low:
        under = compared(value, "<", constant(form.low))
        text = f"{under} ? {literal(form.low, bits, form.low < 0)} : {text}"
    return text


def shifted(name: str, value: Value, low: int, high: int, by: int) -> tuple[list[str], Value]:
    """x 2^-by, halves upwards, of a value of ``low..high``: the lines for it, and the result ``name``."""
    if by < 0:
        result = between(name, low << -by, high << -by)
        text = fit(value, result.width + by) if result.width + by > 0 else ""
        whole = f"{{{text}, {literal(0, -by, False)}}}" if text else literal(0, result.width)
        return [f"wire {result.declared}{name} = {whole};"], result
    half = 1 << (by - 1)
    inside = between(f"{name}_up", low + (half if low >= 0 else 0), high + half)
    up = f"wire {inside.declared}{inside.name} = {fit(value, inside.width)} + {literal(half, inside.width)};"
    lines, result = cut(name, inside, by)
    return [up, *lines], result


def cut(name: str, value: Value, by: int) -> tuple[list[str], Value]:
    """The floor of x 2^-by: the lines for it, and the result ``name``."""
    if by >= value.width:
        top = value.name if value.width == 1 else f"{value.name}[{value.width - 1}]"
        text, left = (top if value.signed else "1'd0"), 1
    else:
        left = value.width - by
        place = f"[{value.width - 1}:{by}]" if left > 1 else f"[{by}]"
        text = f"{value.name}{place}" if value.width > 1 else value.name
    result = Value(name, left, value.signed)
    return [f"wire {result.declared}{name} = {text};"], result


_PLAIN = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|"}
_COMPARED = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def operation(name: str, node: Node, nodes: tuple[Node, ...], args: list[Value]) -> tuple[list[str], Value]:
    """The lines of an operation of a unit, and its result ``name``."""
    result = between(name, node.low, node.high)
    if node.op in ("shift", "floor"):
        source = nodes[node.args[0]]
        if node.op == "floor" or node.by == 0:
            return cut(name, args[0], node.by)
        return shifted(name, args[0], source.low, source.high, node.by)
    text = _text(node.op, args, result.width)
    return [f"wire {result.declared}{name} = {text};"], result


def _text(op: str, args: list[Value], width: int) -> str:
    if op in _COMPARED:
        return compared(args[0], _COMPARED[op], args[1])
    if op in _PLAIN:
        return f"{fit(args[0], width)} {_PLAIN[op]} {fit(args[1], width)}"
    if op in ("min", "max"):
        sign = "<" if op == "min" else ">"
        return f"{compared(args[0], sign, args[1])} ? {fit(args[0], width)} : {fit(args[1], width)}"
    if op == "where":
        condition = compared(args[0], "!=", constant(0))
        return f"{condition} ? {fit(args[1], width)} : {fit(args[2], width)}"
    if op == "neg":
        return f"{literal(0, width)} - {fit(args[0], width)}"
    negative = compared(args[0], "<", constant(0))
    return f"{negative} ? {literal(0, width)} - {fit(args[0], width)} : {fit(args[0], width)}"
