"""Brian2: a script that says each step as Brian2 code, with its arrays beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.export.freeze import outside_of, traced_step
from engine.export.frozen import Frozen
from engine.export.simulate import Signals, simulate
from engine.export.target import Conversion, Converted, Target, target
from engine.export.targets._brian2 import code
from engine.export.targets._readouts import after_the_run
from engine.export.targets._script import is_elementwise, run_script
from engine.program import Op, Program, Source
from nodes.spec import Param, Values

WHOLE = declare("MYL260", "error", "A step that mixes neurons has no Brian2 equation.")
DOUBLE = declare("MYL261", "info", "Brian2 computes in double precision.")
SCRIPT, ARRAYS = "network.py", "arrays.npz"


@target("brian2", label="Brian2 script")
class Brian2(Target):
    """A script of NeuronGroups and Synapses whose spikes are those of our reference in double precision."""

    group: ClassVar[str] = "Simulators"
    software: ClassVar[str] = "Brian2"
    options: ClassVar[dict[str, Param]] = {
        "codegen": Param(
            "numpy", choices=("numpy", "cython"), doc="how Brian2 computes: at once, or compiled first"
        )
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        return [DOUBLE((), "Brian2 computes in double precision"), *_mixing(program)]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        return Converted(frozen, (Conversion("computed in double precision instead of single"),))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        (folder / SCRIPT).write_text(code.script(frozen, ARRAYS, options["codegen"]), "utf-8")
        np.savez_compressed(folder / ARRAYS, **code.arrays(frozen))  # type: ignore[arg-type]

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return simulate(frozen, inputs, steps, dtype=np.float64)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return run_script("brian2", artefact / SCRIPT, frozen, inputs, steps)


def _mixing(program: Program) -> Iterator[Diagnostic]:
    outside, late = outside_of(program), after_the_run(program)
    for op in program.ops.values():
        inside = op.role not in ("projection", "loss", "probe") and op.id not in outside | late
        if inside and not (is_elementwise(traced_step(op, program.dt)) and _same_size(op)):
            yield WHOLE((op.id,), f"'{op.name}' mixes the neurons of a step, which Brian2 equations cannot")


def _same_size(op: Op) -> bool:
    return len({math.prod(shape) for shape in op.shapes.values() if shape is not None}) <= 1
