"""What targets that write scripts share: names, equations as lines of code, and runs in peer environments."""

from __future__ import annotations

import builtins
import keyword
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from engine.codegen.expr import Call, Constant, Expr, Symbol, order, symbols
from engine.codegen.printer import readable
from engine.codegen.trace import Traced
from engine.errors import MyelinError
from engine.export.frozen import Frozen, Unit
from engine.export.peers import MissingPeer, PeerError, peer
from engine.export.simulate import Signals
from engine.export.target import NotExecutable
from engine.program import Op, Source

# how tightly an expression holds together in Python, loosest first
OR, AND, COMPARE, ADD, MUL, NEG, POW, ATOM = range(8)
_INFIX = {
    "or": ("or", OR, OR, AND),
    "and": ("and", AND, AND, COMPARE),
    "lt": ("<", COMPARE, ADD, ADD),
    "le": ("<=", COMPARE, ADD, ADD),
    "gt": (">", COMPARE, ADD, ADD),
    "ge": (">=", COMPARE, ADD, ADD),
    "add": ("+", ADD, ADD, MUL),
    "sub": ("-", ADD, ADD, MUL),
    "mul": ("*", MUL, MUL, NEG),
    "div": ("/", MUL, MUL, NEG),
    "pow": ("**", POW, ATOM, ATOM),
}  # sign, its own tightness, and what its left and right operands need
RESERVED = {
    *dir(builtins), "np", "ms", "sim", "nest", "net", "brian2", "neuron", "inputs", "outputs", "steps",
    "run", "arrays", "build", "main", "argparse", "path", "monitors", "data", "found", "given", "parts",
    "plan", "time", "delay", "network", "signals", "index", "project", "fires", "raster", "softmax",
    "log_softmax", "bias", "cells", "connect", "generators", "sources", "trace", "seen", "value", "begin",
    "ahead", "as_published", "segment", "more", "recorders", "importlib", "prefs",
}  # fmt: skip
CONDITIONS = ("lt", "le", "gt", "ge", "and", "or")
ELEMENTWISE = {
    *_INFIX, "neg", "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "floor", "minimum", "maximum", "where",
    "cast", "detach", "spike", "reshape",
    "batch_norm",
}  # fmt: skip
Form = Callable[[Callable[[Expr, int], str], Call], tuple[str, int]]


MAIN = '''

def main():
    """Read inputs, run, write outputs."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--inputs", type=Path, help="an .npz file")
    options.add_argument("--steps", type=int, default=1000)
    options.add_argument("--outputs", type=Path, default=Path("outputs.npz"))
    given = options.parse_args()
    inputs = dict(np.load(given.inputs)) if given.inputs else {}
    np.savez_compressed(given.outputs, **run(inputs, given.steps))


if __name__ == "__main__":
    main()
'''
"""What a script does that is run: `run(inputs, steps)` from a file to a file."""


def identifiers(wanted: Mapping[str, str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A Python identifier of its own for every key, close to the name it has; none of ``taken``."""
    used, found = set(taken), {}
    for key, name in wanted.items():
        plain = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_") or "part"
        plain = f"n_{plain}" if plain[0].isdigit() or keyword.iskeyword(plain) else plain
        number, made = 2, plain
        while made in used:
            number, made = number + 1, f"{plain}_{number}"
        used.add(made)
        found[key] = made
    return found


def part_names(frozen: Frozen) -> dict[str, str]:
    """An identifier for every part and every op whose signal is an input, by the id of the op."""
    ops = [frozen.program.ops[source.op] for source in frozen.inputs] + [part.op for part in frozen.parts]
    return identifiers({op.id: op.name for op in ops}, RESERVED)


def signal_names(frozen: Frozen, names: Mapping[str, str]) -> dict[Source, str]:
    """``name.port`` of every input and output: the keys of the files that a script reads and writes."""
    return {source: f"{names[source.op]}.{source.port}" for source in (*frozen.inputs, *frozen.outputs)}


def signal_key(source: Source, names: Mapping[str, str]) -> str:
    """What a script calls a signal among those it has recorded."""
    return f"{names[source.op]}.{source.port}"


def is_wide(value: np.ndarray) -> bool:
    """Whether neurons differ in a parameter."""
    return bool(np.ndim(value)) and bool(np.any(value != value.flat[0]))


def number(value: np.ndarray) -> str:
    """A parameter that all neurons share."""
    return repr(float(np.ravel(value)[0]))


def is_elementwise(traced: Traced) -> bool:
    """Whether each element depends on the same element of the inputs alone."""
    calls = {expr.op for expr in traced.order() if isinstance(expr, Call)}
    return calls <= ELEMENTWISE


def binary(op: Op, port: str) -> bool:
    """Whether a signal holds nothing but 0 and 1."""
    return op.role == "population" and port == "spikes" and op.p.get("max_spikes", 1) == 1


class Writer:
    """Writes expressions as Python code; ``forms``: how a language writes what differs from the others."""

    def __init__(self, names: Mapping[Symbol, str], forms: Mapping[str, Form]) -> None:
        self.names: dict[Expr, str] = dict(names.items())
        self.forms = forms

    def text(self, expr: Expr, least: int = OR) -> str:
        """An expression as an operand that must hold together at least as tightly as ``least``."""
        shown, tightness = self._render(expr)
        return shown if tightness >= least else f"({shown})"

    def body(self, expr: Expr) -> str:
        """The right side that defines an expression which goes by name elsewhere."""
        return self._call(expr)[0] if isinstance(expr, Call) else self.text(expr)

    def _render(self, expr: Expr) -> tuple[str, int]:
        if expr in self.names:
            return self.names[expr], ATOM
        if isinstance(expr, Constant):
            return (repr(expr.value), NEG if expr.value < 0 else ATOM)
        assert isinstance(expr, Call), f"{expr} has no name"
        return self._call(expr)

    def _call(self, expr: Call) -> tuple[str, int]:
        if expr.op in self.forms:
            return self.forms[expr.op](self.text, expr)
        if expr.op in _INFIX:
            sign, tightness, left, right = _INFIX[expr.op]
            a, b = expr.args
            return f"{self.text(a, left)} {sign} {self.text(b, right)}", tightness
        if expr.op == "neg":
            return f"-{self.text(expr.args[0], POW)}", NEG
        return f"{expr.op}({', '.join(self.text(arg) for arg in expr.args)})", ATOM


def function(name: str) -> Form:
    """A form that calls a function of another name."""
    return lambda text, expr: (f"{name}({', '.join(text(arg, OR) for arg in expr.args)})", ATOM)


def sigmoid(text: Callable[[Expr, int], str], expr: Call) -> tuple[str, int]:
    """1 / (1 + e^-x), as the reference writes it."""
    return f"1.0/(1.0 + exp(-{text(expr.args[0], POW)}))", MUL


def step_lines(
    traced: Traced, names: Mapping[Symbol, str], outputs: Mapping[str, str], forms: Mapping[str, Form]
) -> list[tuple[str, str]]:
    """One step as assignments ``(name, right side)``: state by its names, outputs by those in ``outputs``.

    ``names``: what the symbols are called.  An output that is a new state needs no assignment of its own.
    """
    seen = readable([*traced.new_state.values(), *traced.outputs.values()])
    new_state = {names[traced.state[name]]: seen[expr] for name, expr in traced.new_state.items()}
    given = {outputs[port]: seen[expr] for port, expr in traced.outputs.items() if port in outputs}
    given = {name: expr for name, expr in given.items() if new_state.get(name) is not expr}
    taken = {*names.values(), *outputs.values()}
    writer = Writer(names, forms)
    shared = _shared([*new_state.values(), *given.values()], taken)
    lines = [line for line in shared if line[1] not in given.values()] + list(given.items())
    position = {expr: place for place, expr in enumerate(order(expr for _, expr in lines))}
    written = []
    for name, expr in sorted(lines, key=lambda line: position[line[1]]):
        written.append((name, writer.body(expr) if expr not in writer.names else writer.text(expr)))
        writer.names.setdefault(expr, name)
    return written + _assigned(new_state, writer)


def _shared(roots: list[Expr], taken: set[str]) -> list[tuple[str, Expr]]:
    """What is used more than once, with a name for each."""
    found = order(roots)
    uses = Counter(arg for expr in found for arg in expr.args) + Counter(roots)
    often = [
        expr for expr in found if uses[expr] > 1 and isinstance(expr, Call) and expr.op not in CONDITIONS
    ]
    free = (name for n in range(1, len(often) + len(taken) + 1) if (name := f"h{n}") not in taken)
    return [(next(free), expr) for expr in often]


def _assigned(new_state: Mapping[str, Expr], writer: Writer) -> list[tuple[str, str]]:
    """The new state last, so that nothing is overwritten while its old value is still wanted."""
    old = {name: expr for expr, name in writer.names.items() if isinstance(expr, Symbol)}
    pending = {name: expr for name, expr in new_state.items() if expr is not old[name]}
    written, copies = [], []
    while pending:
        reads = {name: set(_read(expr, writer.names)) for name, expr in pending.items()}
        free = [n for n in pending if not any(old[n] in reads[m] for m in pending if m != n)]
        name = free[0] if free else next(iter(pending))
        expr = pending.pop(name)
        if free:
            written.append((name, writer.text(expr)))
        else:
            written.append((f"new_{name}", writer.text(expr)))
            copies.append((name, f"new_{name}"))
    return written + copies


def _read(expr: Expr, names: Mapping[Expr, str]) -> list[Expr]:
    """What the code of an expression mentions by name."""
    if expr in names:
        return [expr]
    return [found for arg in expr.args for found in _read(arg, names)]


def symbol_names(unit: Unit, reserved: Iterable[str]) -> dict[Symbol, str]:
    """What the symbols of a step are called: state by its own names where the language allows it."""
    taken, names = set(reserved), {}
    found = [
        *unit.traced.state.values(),
        *symbols([*unit.traced.new_state.values(), *unit.traced.outputs.values()]),
    ]
    for symbol in dict.fromkeys(found):
        name = symbol.name if symbol.name not in taken else f"{symbol.name}_{symbol.role}"
        taken.add(name)
        names[symbol] = name
    return names


def run_script(
    environment: str,
    script: Path,
    frozen: Frozen,
    inputs: Mapping[Source, np.ndarray],
    steps: int,
    *more: str,
) -> Signals:
    """Run a script of ours in a peer environment; NotExecutable where that is missing."""
    try:
        home = peer(environment)
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None
    named = signal_names(frozen, part_names(frozen))
    with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
        given, taken = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(given, **{named[s]: x for s, x in inputs.items()})  # type: ignore[arg-type]
        arguments = ["--inputs", str(given), "--outputs", str(taken), "--steps", str(steps), *more]
        try:
            home.run(script, *arguments, cwd=Path(folder), timeout=900)
        except PeerError as error:
            raise MyelinError(f"the exported script failed: {error}") from None
        with np.load(taken) as stored:
            return {source: stored[named[source]] for source in frozen.outputs if named[source] in stored}
