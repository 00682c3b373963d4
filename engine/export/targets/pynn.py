"""PyNN: one script for NEST, NEURON, Brian2 and SpiNNaker."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.export.frozen import Frozen
from engine.export.peers import installed
from engine.export.simulate import Signals, simulate
from engine.export.target import Conversion, Converted, NotExecutable, Target, target
from engine.export.targets import _native as native
from engine.export.targets._plan import convert, plan
from engine.export.targets._pynn import code
from engine.export.targets._script import part_names, run_script, signal_names
from engine.export.targets._spinnaker import cores
from engine.program import Program, Source
from nodes.spec import Param, Values

SCRIPT, ARRAYS = "network.py", "arrays.npz"
STANDARD = declare("MYL266", "error", "PyNN's standard cell has a parameter fixed to another value.")


@target("pynn", label="PyNN script")
class PyNN(Target):
    """A script of PyNN's standard cells; under NEST its spikes are those of our reference."""

    group: ClassVar[str] = "Simulators"
    software: ClassVar[str] = "NEST through PyNN"
    options: ClassVar[dict[str, Param]] = {
        "backend": Param(
            "nest", choices=tuple(code.MODULES), doc="the simulator that runs it unless told another"
        )
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        return [*native.check(program), *(_fixed(program) if options["backend"] != "nest" else ())]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        found = convert(frozen)
        if options["backend"] != "spinnaker":
            return found
        words = (
            f"SpiNNaker computes in 16.15 fixed point; thresholds and time constants end at {code.FIXED:g}"
        )
        return Converted(found.frozen, (*found.conversions, Conversion(words)))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        (folder / SCRIPT).write_text(code.script(frozen, ARRAYS, options["backend"]), "utf-8")
        np.savez_compressed(folder / ARRAYS, **code.arrays(frozen, options["backend"]))  # type: ignore[arg-type]

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return simulate(frozen, inputs, steps, dtype=np.float64)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        if options["backend"] != "nest":
            raise NotExecutable(f"PyNN is executed here with NEST only, not with {options['backend']}")
        return run_script("nest", artefact / SCRIPT, frozen, inputs, steps, "--backend", "nest")

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        if options["backend"] != "spinnaker":
            raise NotExecutable(f"{options['backend']} is not installed here")
        used = cores(artefact / SCRIPT, _channels(frozen))
        return f"sPyNNaker maps it to {used} cores of a virtual board of 48 chips, and writes all tables"

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        found = plan(frozen).figures()
        if options["backend"] == "spinnaker" and installed().get("spynnaker"):
            found["SpiNNaker cores"] = cores(artefact / SCRIPT, _channels(frozen))
        return found


def _channels(frozen: Frozen) -> dict[str, int]:
    """How many channels each input of the script has."""
    named = signal_names(frozen, part_names(frozen))
    return {named[source]: math.prod(shape) for source, shape in frozen.inputs.items()}


def _fixed(program: Program) -> Iterator[Diagnostic]:
    for op in program.of_role("population"):
        if op.type == "population.izhikevich" and op.p.v_peak != 30:
            yield STANDARD(
                (op.id,), f"'{op.name}' is cut off at {op.p.v_peak:g} mV, PyNN's Izhikevich at 30 mV"
            )
