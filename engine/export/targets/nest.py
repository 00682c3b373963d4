"""PyNEST: a script of native NEST models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic
from engine.export.frozen import Frozen
from engine.export.simulate import Signals, simulate
from engine.export.target import Converted, Target, target
from engine.export.targets._native import check
from engine.export.targets._nest import code
from engine.export.targets._plan import convert, plan
from engine.export.targets._script import run_script
from engine.program import Program, Source
from nodes.spec import Values

SCRIPT, ARRAYS = "network.py", "arrays.npz"


@target("nest", label="NEST script")
class Nest(Target):
    """A PyNEST script that gives the spikes of our reference in double precision."""

    group: ClassVar[str] = "Simulators"
    software: ClassVar[str] = "NEST"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        return check(program)

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        return convert(frozen)

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        (folder / SCRIPT).write_text(code.script(frozen, ARRAYS), "utf-8")
        np.savez_compressed(folder / ARRAYS, **code.arrays(frozen))  # type: ignore[arg-type]

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return simulate(frozen, inputs, steps, dtype=np.float64)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return run_script("nest", artefact / SCRIPT, frozen, inputs, steps)

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, int]:
        return plan(frozen).figures()
