"""Lava: a script of processes for Loihi 2, with the integers of the chip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Converted, Target, target
from engine.export.targets._lif import decide, whole_numbers
from engine.export.targets._loihi import script as code
from engine.export.targets._loihi.deployed import Deployed, deploy
from engine.export.targets._loihi.rules import rules
from engine.export.targets._loihi.run import run
from engine.export.targets._peer_run import run_in
from engine.program import Program, Source
from nodes.spec import Values

SCRIPT, ARRAYS = "network.py", "arrays.npz"


@target("lava", label="Lava process script (Loihi 2)")
class Lava(Target):
    """LIF, Dense and DelayDense processes in the whole numbers that Loihi computes with."""

    group: ClassVar[str] = "Hardware"
    software: ClassVar[str] = "Lava's bit-accurate model of Loihi"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        return rules(program)

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        return Converted(*deploy(frozen))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        assert isinstance(frozen, Deployed)
        (folder / SCRIPT).write_text(code.script(frozen), "utf-8")
        np.savez_compressed(folder / ARRAYS, **code.arrays(frozen))  # type: ignore[arg-type]

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Deployed)
        return run(frozen, inputs, steps)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Deployed) and frozen.host is not None
        named = code.Names(frozen).signals
        given = {named[s]: whole_numbers(x, frozen.name(s), "Loihi") for s, x in inputs.items()}
        gave = run_in("lava", artefact / SCRIPT, given, str(steps))
        everything = decide(frozen.host, {s: gave[named[s]] for s in frozen.shown}, steps)
        return {source: everything[source] for source in frozen.outputs}

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        assert isinstance(frozen, Deployed)
        return {
            "neurons": sum(cells.size for cells in frozen.cells),
            "synapses": sum(int(np.count_nonzero(wires.weight)) for wires in frozen.wires),
            "longest delay in steps": max(
                (int(wires.delay.max(initial=0)) for wires in frozen.wires), default=0
            ),
            "steps of latency": frozen.latest,
        }
