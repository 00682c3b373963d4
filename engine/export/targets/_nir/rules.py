"""What a NIR dialect can say of a program, and what has to change for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.codegen.expr import Symbol, symbol
from engine.codegen.ops import TracerOps
from engine.compile.diagnostics import Diagnostic, declare
from engine.export.folding import fold
from engine.export.freeze import outside_of, traced_step
from engine.export.frozen import Frozen, Part, Unit
from engine.export.nir.dialects import AUTO, DIALECTS, Dialect
from engine.export.target import Conversion, Converted
from engine.export.targets._lif import inside, is_constant, refractory, split
from engine.program import Op, Program
from nodes.ops import NumpyOps
from nodes.spec import Values

NO_WORDS = declare("MYL230", "error", "NIR, or the chosen dialect of it, has no words for a node.")
NO_RULE = declare("MYL231", "error", "The readers of a NIR dialect know no such rule of a neuron.")
NO_DELAY = declare("MYL232", "error", "The readers of a NIR dialect know no delays.")
NO_LOOP = declare("MYL233", "error", "The readers of a NIR dialect know no such recurrence.")
HELD = declare("MYL234", "warning", "NIR has no refractory time.")
SPIKES = declare("MYL235", "warning", "The readers of a NIR dialect let neurons fire more often in a step.")
MOVED = declare("MYL236", "info", "A threshold is moved by a millionth, for a reader compares otherwise.")
KINDS: Mapping[str, str] = {
    "population.integrator": "I",
    "population.leaky_integrator": "LI",
    "population.if": "IF",
    "population.lif": "LIF",
    "population.cuba_li": "CubaLI",
    "population.cuba": "CubaLIF",
}
PLAIN = (
    "structure.batch_norm",
    "structure.dropout",
    "structure.flatten",
    "structure.pool",
    "structure.scale",
)
BOUNDED = declare("MYL237", "warning", "sinabs keeps v of a neuron without leak above minus its threshold.")
MARGIN = 2.0**-20
"""What a threshold moves by, in parts of itself: above the rounding of any reader, below any weight."""
FREE = ("nirtorch", "textbook", "nir104")  # our own node map runs them in nirtorch


def dialect_of(program: Program, asked: str) -> str:
    """The name of a dialect; ``auto`` is settled."""
    if asked != AUTO:
        return asked
    refused = any(d.severity == "error" for d in problems(program, "universal"))
    return "nirtorch" if refused else "universal"


def problems(program: Program, name: str) -> list[Diagnostic]:
    """Everything that a dialect cannot take or changes."""
    dialect = DIALECTS[name]
    found: list[Diagnostic] = []
    for op in inside(program, outside_of(program)):
        if op.role == "population":
            found += _of_neurons(op, name, dialect, program.dt)
        elif op.role == "projection":
            found += _of_projection(op, name, dialect, program)
        elif op.role != "readout" and not _said(op, name, program):
            found.append(
                NO_WORDS((op.id,), f"'{op.name}' ({op.spec.label}) has no words in NIR, dialect {name}")
            )
    return found


def _said(op: Op, name: str, program: Program) -> bool:
    """Whether a node without neurons can be told: a constant is a bias, a factor on weights is theirs."""
    if op.type in PLAIN or _steady(op):
        return True
    fed = [program.ops[source.op].role for sources in op.inputs.values() for source in sources]
    if op.type == "structure.scale":
        return name in FREE or all(role == "projection" for role in fed)
    return op.type == "encoder.threshold" and name in FREE


def _steady(op: Op) -> bool:
    """Whether it gives a constant, which becomes a bias."""
    return op.role == "encoder" and not any(op.inputs.values()) and not op.spec.state_of(op.p)


def _of_neurons(op: Op, name: str, dialect: Dialect, dt: float) -> Iterator[Diagnostic]:
    kind = KINDS.get(op.type)
    if kind is None:
        yield NO_WORDS((op.id,), f"'{op.name}' ({op.spec.label}) has no words in NIR")
        return
    if kind not in dialect.types:
        hint = f"choose a dialect that has it: {', '.join(k for k, d in DIALECTS.items() if kind in d.types)}"
        message = f"'{op.name}' would be a {kind}, which dialect {name} does not have"
        yield NO_RULE((op.id,), message, "", hint)
        return
    for message, hint in _rules(op, name, dialect):
        yield NO_RULE((op.id,), f"'{op.name}' {message} in dialect {name}", "", hint)
    if refractory(op, dt):
        message = (
            f"'{op.name}' loses its refractory time of {op.p.refractory:g} ms, for which NIR has no words"
        )
        yield HELD((op.id,), message, "refractory")
    if dialect.rule == "sinabs" and kind == "IF":
        yield BOUNDED((op.id,), f"sinabs keeps v of '{op.name}' above minus its threshold")
    most = most_spikes(dialect)
    if "max_spikes" in op.p and op.p.max_spikes != most:
        message = f"'{op.name}' may fire {most:,} times in a step in dialect {name}, not {op.p.max_spikes:,}"
        yield SPIKES((op.id,), message, "max_spikes")
    if "compare" in op.p and op.p.compare != compare(dialect):
        message = (
            f"the threshold of '{op.name}' moves by a millionth, for v {compare(dialect)} threshold fires"
        )
        yield MOVED((op.id,), message, "compare")


def most_spikes(dialect: Dialect) -> int:
    """How often a neuron may fire in a step."""
    return {"rockpool": 65_536, "sinabs": 1_000_000}.get(dialect.rule, 1)


def compare(dialect: Dialect) -> str:
    """When a neuron fires."""
    return ">" if dialect.rule in ("nir", "spyx") else ">="


def _rules(op: Op, name: str, dialect: Dialect) -> Iterator[tuple[str, str]]:
    p = op.p
    subtracts = dialect.reset == "subtract"
    if "reset" in p:
        if (p.reset == "subtract") != subtracts or p.reset == "none":
            done = "subtracts the threshold" if subtracts else "sets v to v_reset"
            yield f"cannot have the reset `{p.reset}`: a spike {done}", "choose another dialect or reset"
        if p.reset_step == "next":
            yield "cannot reset in the next step", "let it reset in the same"
    if p.get("current", "new") == "old":
        yield "cannot use the synaptic current of the step before", "set its current to `new`"
    if dialect.still and (p.get("v_leak", 0.0) or _resets_elsewhere(p) or "v_leak" in p.get("train", ())):
        yield "cannot have v_leak or v_reset other than 0", "choose dialect nirtorch"
    varied = [param for param in p.get("train", ()) if dialect.uniform]
    if varied:
        yield f"cannot have a {varied[0]} for every neuron", "choose dialect nirtorch or norse"


def _resets_elsewhere(p: Values) -> bool:
    return p.get("reset") == "value" and bool(p.v_reset)


def _of_projection(op: Op, name: str, dialect: Dialect, program: Program) -> Iterator[Diagnostic]:
    if op.type == "projection.pool" and op.p.mode == "max":
        yield NO_WORDS((op.id,), f"'{op.name}' takes the largest of a window, for which NIR has no words")
    loops = closed_by(program)
    own = op.largest_delay - (1 if op.id in loops else 0)
    if own > 0 and not dialect.delays:
        message = f"the delays of '{op.name}' would be dropped: no reader of dialect {name} knows Delay"
        yield NO_DELAY((op.id,), message, "", "choose dialect nirtorch or textbook, or remove the delays")
    if op.id not in loops or name in FREE:
        return
    if dialect.nested is None:
        hint = "choose norse (nested), spikingjelly (flat) or nirtorch (flat)"
        message = f"'{op.name}' is recurrent, which not all readers of dialect {name} can run"
        yield NO_LOOP((op.id,), message, "", hint)
    elif not loops[op.id]:
        message = f"'{op.name}' is in a loop over several populations; dialect {name} has loops over one"
        yield NO_LOOP((op.id,), message, "", "choose dialect nirtorch")


def closed_by(program: Program) -> dict[str, bool]:
    """The projections inside loops: whether each leads from one population straight back to it."""
    found = {}
    for stage in program.stages:
        ops = [program.ops[key] for key in stage.ops] if stage.chunk is not None else []
        for op in (op for op in ops if op.role == "projection"):
            readers = {o.id for o in ops if any(s.op == op.id for v in o.inputs.values() for s in v)}
            found[op.id] = readers == {source.op for source in op.inputs["input"]}
    return found


@dataclass(frozen=True)
class Deployed:
    """What the file holds, and what is left to the host."""

    frozen: Frozen
    parts: tuple[Part, ...]
    host: Frozen


def deployed(frozen: Frozen) -> Deployed:
    """A converted network in what the file holds and what it does not."""
    chip, host = split(frozen)
    return Deployed(frozen, chip, host)


def convert(frozen: Frozen, name: str) -> Converted:
    """The network that the file will hold: norms folded, neurons by the rule of the dialect."""
    dialect = DIALECTS[name]
    frozen, folded = fold(frozen)
    changes = [Conversion(f"written in dialect {name}: {dialect.doc}", (), exact=True)]
    changes += folded
    parts: list[Part] = []
    for part in frozen.parts:
        if isinstance(part, Unit) and part.op.type in KINDS:
            part, said = _ruled(part, dialect, frozen.dt)
            changes += said
        parts.append(part)
    made = frozen.with_parts(parts)
    changes += _left_behind(made)
    return Converted(made, tuple(changes))


def _left_behind(frozen: Frozen) -> Iterator[Conversion]:
    for part in deployed(frozen).host.parts:
        yield Conversion(
            f"'{part.op.name}' is not in the file: its reader has to work it out", (part.id,), True
        )
    for part in frozen.parts:
        if is_constant(part):
            yield Conversion(f"the constant current of '{part.op.name}' is a bias", (part.id,), True)


def _ruled(unit: Unit, dialect: Dialect, dt: float) -> tuple[Unit, list[Conversion]]:
    p, said = unit.op.p, list[str]()
    changes, values = dict[str, Any](), dict[str, Any]()
    if refractory(unit.op, dt):
        changes["refractory"] = 0.0
        said.append(f"'{unit.op.name}' has no refractory time any more (it was {p.refractory:g} ms)")
    if "max_spikes" in p and p.max_spikes != most_spikes(dialect):
        changes["max_spikes"] = most_spikes(dialect)
        said.append(f"'{unit.op.name}' may fire {most_spikes(dialect):,} times in a step")
    if "compare" in p and p.compare != compare(dialect):
        changes["compare"] = compare(dialect)
        sign = -1 if compare(dialect) == ">" else 1
        v_th = np.asarray(unit.values.get("v_th", p.v_th), np.float64)
        moved = v_th + sign * MARGIN * np.maximum(np.abs(v_th), 1e-3)
        if moved.ndim:
            values["v_th"] = moved.astype(np.float32)
        else:
            changes["v_th"] = float(moved)
        said.append(
            f"the threshold of '{unit.op.name}' is {'lowered' if sign < 0 else 'raised'} by a millionth: its "
            f"reader fires at v {compare(dialect)} threshold"
        )
    made = retraced(unit, dt, changes, values) if said else unit
    if dialect.rule == "sinabs" and KINDS[unit.op.type] == "IF":
        made = _bounded(made)
        said.append(f"sinabs keeps v of '{unit.op.name}' above minus its threshold")
    return made, [Conversion(text, (unit.id,)) for text in said]


def _bounded(unit: Unit) -> Unit:
    """A population whose v ends no step below minus its threshold."""
    v_th = symbol("tensor", "v_th") if "v_th" in unit.values else float(unit.op.p.v_th)
    bounded = TracerOps().maximum(unit.traced.new_state["v"], -v_th)
    return replace(unit, traced=replace(unit.traced, new_state={**unit.traced.new_state, "v": bounded}))


def retraced(unit: Unit, dt: float, changes: Mapping[str, Any], values: Mapping[str, Any]) -> Unit:
    """A unit with other parameters and arrays."""
    op = replace(unit.op, p=Values({**unit.op.p, **changes}))
    traced = traced_step(op, dt)
    known = {**op.spec.constants(NumpyOps(), op.p, dt), **unit.values, **values}
    symbols = [found for found in traced.order() if isinstance(found, Symbol)]
    wanted = {found.name for found in symbols if found.role in ("tensor", "constant")}
    first = {name: unit.first[name] for name in op.spec.state_of(op.p)}
    return replace(unit, op=op, traced=traced, values={n: known[n] for n in wanted}, first=first)
