"""What simulators with native cells cannot take, or change: the same for PyNEST and PyNN."""

from __future__ import annotations

from collections.abc import Iterator

from engine.compile.diagnostics import Diagnostic, declare
from engine.export.freeze import outside_of
from engine.export.targets._cells import changes, unsupported
from engine.export.targets._readouts import after_the_run
from engine.program import Op, Program, Source

CELL = declare("MYL262", "error", "A population that the simulator has no native cell for.")
BETWEEN = declare("MYL263", "error", "A node that a simulator of cells and synapses has no place for.")
GRADED = declare("MYL264", "error", "A projection that sends something other than spikes.")
CHANGED = declare("MYL265", "warning", "A native cell does something otherwise.")
THROUGH = (
    "structure.batch_norm",
    "structure.dropout",
    "structure.scale",
    "structure.flatten",
    "encoder.direct",
)


def check(program: Program) -> list[Diagnostic]:
    """Errors for what has no place, warnings for what changes."""
    outside, found = outside_of(program), []
    for op in program.of_role("population"):
        if op.id not in outside:
            found += [CELL((op.id,), words) for words in unsupported(op, program.dt)]
            found += [CHANGED((op.id,), f"'{op.name}' {words}") for _, words in changes(op).values()]
    for op, words in between(program):
        found.append((GRADED if op.role == "projection" else BETWEEN)((op.id,), words))
    return found


def between(program: Program) -> Iterator[tuple[Op, str]]:
    """Nodes that have no place in a network of cells and synapses, and why."""
    outside, late = outside_of(program), after_the_run(program)
    for op in program.ops.values():
        if op.id in outside | late or op.role in ("loss", "probe", "population"):
            continue
        if op.role == "projection":
            for source in op.inputs["input"]:
                yield from _graded(op, source, program, outside)
        elif op.role == "encoder" and op.inputs.get("input"):
            yield op, f"'{op.name}' turns a value into a current; what comes from outside must be spikes"
        elif op.type not in THROUGH:
            yield op, f"'{op.name}' ({op.spec.label}) is neither a population nor a projection"


def _graded(op: Op, source: Source, program: Program, outside: set[str]) -> Iterator[tuple[Op, str]]:
    """Look through flattening and dropout for what a projection reads."""
    origin = program.ops[source.op]
    spikes = origin.spec.outputs[source.port].kinds == ("spikes",)
    if spikes and (source.op in outside or origin.role == "population"):
        return
    if origin.type in ("structure.flatten", "structure.dropout"):
        for before in origin.inputs["input"]:
            yield from _graded(op, before, program, outside)
        return
    yield op, f"'{op.name}' reads {source.port} of '{origin.name}', which are no spikes"
