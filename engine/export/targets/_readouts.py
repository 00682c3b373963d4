"""Readouts of scripts: what nothing in the network reads is worked out in numpy when the run is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.codegen.expr import Call, Expr, Symbol
from engine.export.frozen import Frozen, Unit
from engine.export.targets._script import ATOM, MUL, OR, Form, function, sigmoid, step_lines, symbol_names
from engine.program import Program, Source


def after_the_run(program: Program) -> set[str]:
    """The ids of readouts that no other part of the network reads."""
    read = {
        source.op
        for op in program.ops.values()
        if op.role not in ("loss", "probe")
        for sources in op.inputs.values()
        for source in sources
    }
    return {op.id for op in program.ops.values() if op.role == "readout" and op.id not in read}


def readouts(frozen: Frozen) -> list[Unit]:
    """Those among the units of a network."""
    wanted = after_the_run(frozen.program)
    return [unit for unit in frozen.units if unit.id in wanted]


def recorded(frozen: Frozen) -> list[Source]:
    """What a run has to record: the outputs that it gives itself and what its readouts read."""
    late = {unit.id for unit in readouts(frozen)}
    own = [source for source in frozen.outputs if source.op not in late]
    return list(dict.fromkeys([*own, *(source for unit in readouts(frozen) for source in unit.sources)]))


def of_cells(frozen: Frozen) -> list[Source]:
    """Those of them that come from the network itself, not from outside."""
    return [source for source in recorded(frozen) if source not in frozen.inputs]


def arrays(frozen: Frozen, names: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The first states and values of the readouts, by ``name.variable``."""
    found: dict[str, np.ndarray] = {}
    for unit in readouts(frozen):
        for name, value in {**unit.values, **unit.first}.items():
            found[f"{names[unit.id]}.{name}"] = np.asarray(value, np.float64)
    return found


def functions(frozen: Frozen, names: Mapping[str, str]) -> list[str]:
    """The source of a function for each readout, which takes its inputs ``[steps, *shape]``."""
    written = [line for unit in readouts(frozen) for line in [*_function(unit, names[unit.id]), "", ""]]
    used = [name for name in _HELPERS if any(f" {name}(" in line for line in written)]
    return [line for name in used for line in [*_HELPERS[name], "", ""]] + written


def calls(frozen: Frozen, names: Mapping[str, str], signals: Mapping[Source, str]) -> list[str]:
    """Statements that add every readout to ``outputs``."""
    lines = []
    for unit in readouts(frozen):
        (port,) = unit.traced.outputs
        given = ", ".join(" + ".join(f"signals[{signals[s]!r}]" for s in own) for own in unit.inputs.values())
        lines.append(f"outputs[{signals[Source(unit.id, port)]!r}] = {names[unit.id]}({given})")
    return lines


def _function(unit: Unit, name: str) -> list[str]:
    symbols = symbol_names(unit, ("np", "found", "ARRAYS"))
    (port,) = unit.traced.outputs
    ports = [symbols[unit.traced.inputs[port]] for port in unit.inputs]
    known = {symbols[s]: s for s in unit.traced.state.values()}
    known |= {text: s for s, text in symbols.items() if s.name in unit.values}
    lines = [f"def {name}({', '.join(f'all_{port}' for port in ports)}):"]
    lines.append(f'    """{(unit.op.spec.__doc__ or unit.op.name).splitlines()[0]}"""')
    lines += [f"    {text} = ARRAYS[{f'{name}.{s.name}'!r}]" for text, s in known.items()]
    lines += [
        "    found = []",
        f"    for {', '.join(ports)}, in zip({', '.join(f'all_{p}' for p in ports)}):",
    ]
    body = step_lines(unit.traced, symbols, {port: f"output_{port}"}, NUMPY)
    lines += [f"        {target} = {value}" for target, value in body]
    shown = (
        f"output_{port}" if any(made == f"output_{port}" for made, _ in body) else _same(unit, symbols, port)
    )
    return [*lines, f"        found.append({shown})", "    return np.array(found)"]


def _same(unit: Unit, symbols: Mapping[Symbol, str], port: str) -> str:
    """The name of the state variable that an output is."""
    output = unit.traced.outputs[port]
    return next(symbols[unit.traced.state[n]] for n, expr in unit.traced.new_state.items() if expr is output)


def _sum(text: Callable[[Expr, int], str], expr: Call) -> tuple[str, int]:
    (rank,) = expr.options
    axes = tuple(range(-int(str(rank)), 0))
    return f"np.sum({text(expr.args[0], OR)}, axis={axes})", ATOM


_HELPERS = {
    "softmax": [
        "def softmax(x):",
        '    """Shares of the last axis that sum to 1."""',
        "    e = np.exp(x - x.max(axis=-1, keepdims=True))",
        "    return e / e.sum(axis=-1, keepdims=True)",
    ],
    "log_softmax": [
        "def log_softmax(x):",
        '    """Their logarithms."""',
        "    x = x - x.max(axis=-1, keepdims=True)",
        "    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))",
    ],
}
NUMPY: dict[str, Form] = {
    **{name: function(f"np.{name}") for name in ("exp", "log", "sqrt", "abs", "tanh", "floor", "where")},
    "minimum": function("np.minimum"),
    "maximum": function("np.maximum"),
    "cast": lambda text, expr: (f"1.0*({text(expr.args[0], OR)})", MUL),
    "and": function("np.logical_and"),
    "or": function("np.logical_or"),
    "sum": _sum,
    "sigmoid": lambda text, expr: (sigmoid(text, expr)[0].replace("exp", "np.exp", 1), MUL),
}
