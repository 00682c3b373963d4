"""C99 for microcontrollers and embedding: a folder with one .c, one .h, test vectors and a makefile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.codegen.expr import Call
from engine.compile.diagnostics import Diagnostic, declare
from engine.export.freeze import outside_of, random, traced_step
from engine.export.frozen import Frozen
from engine.export.simulate import Signals, simulate
from engine.export.target import Converted, Target, target
from engine.export.targets import _c_replay as texts
from engine.export.targets._c_program import Code, assemble, float_parts
from engine.export.targets._c_run import BOARDS, replay, sizes
from engine.export.targets._c_units import SUPPORTED
from engine.program import Op, Program, Source
from nodes.spec import Param, Values

CANNOT = declare("MYL240", "error", "C export: the step of a node does what the exporter cannot write in C.")
_LINEAR = ("linear", "sparse_linear", "conv")  # a projection of these is frozen as synapses
_FORMATS = {"uint8_t": "%d", "uint16_t": "%d", "float": "%.9g"}


@target("c", label="C (C99)")
class C(Target):
    """Static buffers, no allocation, tables in flash; bit for bit what the engine does, or integers."""

    group: ClassVar[str] = "Code"
    software: ClassVar[str] = "gcc"
    options: ClassVar[dict[str, Param]] = {
        "double_sums": Param(
            True, doc="add up the inputs of a neuron in double precision, as the engine does"
        ),
        "processor": Param("host", choices=tuple(BOARDS), doc="where it is verified: here, or in QEMU"),
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """Names every node whose step has no C."""
        outside = outside_of(program)
        inside = [
            op for op in program.ops.values() if op.id not in outside and op.role not in ("loss", "probe")
        ]
        return [found for op in inside if not random(op, program.dt) for found in _unknown(op, program.dt)]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        """Nothing changes."""
        return Converted(frozen)

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """What the C must print."""
        return simulate(frozen, inputs, steps)

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """The whole folder."""
        code = _code(frozen, options)
        layout = code.layout
        steps = texts.test_steps(layout)
        inputs = texts.test_inputs(layout, steps)
        shaped = {s: x.reshape(steps, *frozen.shape(s)).astype(np.float32) for s, x in inputs.items()}
        expected = self.predict(frozen, shaped, steps, options)
        files = {
            "network.h": code.header,
            "network.c": code.source,
            "main.c": texts.main(layout, _FORMATS, 1e-4),
            "test_vectors.h": texts.test_vectors(layout, shaped, expected),
            "Makefile": texts.MAKEFILE,
            "arm/startup.c": texts.STARTUP,
            **{f"arm/{board}.ld": texts.linker(board) for board in texts.BOARDS},
        }
        (folder / "arm").mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, "ascii")

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Build it with gcc and replay the inputs, here or on a Cortex-M in QEMU."""
        found = replay(artefact, _code(frozen, options).layout, inputs, steps, options.processor)
        return {s: x.reshape(steps, *frozen.shape(s)).astype(np.float32) for s, x in found.items()}

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        """Memory and work."""
        code = _code(frozen, options)
        return {
            "bytes of tables": code.flash,
            "bytes of buffers": code.ram,
            **sizes(artefact),
            "additions per step at most": code.additions,
            "additions per spike at most": code.per_spike,
            "operations of neurons per step": code.operations,
        }


def _code(frozen: Frozen, options: Values) -> Code:
    sums = "double precision and rounded once" if options.double_sums else "single precision"
    notes = ["", "All numbers are single precision (float); inputs of neurons are added up in " + sums + "."]
    return assemble(float_parts(frozen, options.double_sums), notes)


def _unknown(op: Op, dt: float) -> list[Diagnostic]:
    known = {*SUPPORTED, *(_LINEAR if op.role == "projection" else ()), "batch_norm"}
    used = {expr.op for expr in traced_step(op, dt).order() if isinstance(expr, Call)}
    hint = "leave it on the host, or replace the node"
    return [
        CANNOT((op.id,), f"'{op.name}' uses {name}, which has no C", hint=hint)
        for name in sorted(used - known)
    ]
