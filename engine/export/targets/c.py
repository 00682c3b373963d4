"""C99 for microcontrollers and embedding: a folder with one .c, one .h, test vectors and a makefile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.export.fixed.lowering import SUPPORTED as WHOLE
from engine.export.fixed.network import FixedFrozen, Widths, real_signals, simulate_fixed
from engine.export.fixed.words import converted
from engine.export.freeze import PASSIVE, outside_of, random, traced_step
from engine.export.frozen import Frozen
from engine.export.simulate import Signals, simulate
from engine.export.target import Conversion, Converted, Target, target
from engine.export.targets._c import replay as texts
from engine.export.targets._c.check import beyond
from engine.export.targets._c.fixed import fixed_layout, fixed_parts
from engine.export.targets._c.layout import Layout
from engine.export.targets._c.program import Code, assemble, float_layout, float_parts
from engine.export.targets._c.run import BOARDS, replay, sizes
from engine.export.targets._c.single import simulate_single
from engine.export.targets._c.units import SUPPORTED
from engine.program import Op, Program, Source
from nodes.spec import Param, Values

CANNOT = declare("MYL240", "error", "C export: the step of a node does what the exporter cannot write in C.")
NO_INTEGERS = declare("MYL241", "error", "C export: the step of a node cannot be computed in integers.")
INTEGERS = declare("MYL242", "warning", "C export: neurons are computed in integers, which rounds.")
DECISION = declare("MYL243", "warning", "C export in integers: the decision is left to the host.")
SINGLE = Conversion("what arrives at a neuron is added up in single precision, in the order of the sources")
TOLERANCE = 1e-4  # of real numbers in the folder's own check: expf differs between C libraries


@target("c", label="C (C99)")
class C(Target):
    """Static buffers, no allocation, tables in flash; bit for bit what the engine does, or integers."""

    group: ClassVar[str] = "Code"
    software: ClassVar[str] = "gcc"
    options: ClassVar[dict[str, Param]] = {
        "number": Param("float", choices=("float", "fixed"), doc="single precision, or integers throughout"),
        "double_sums": Param(
            True, doc="float: add up what arrives at a neuron in double precision, as we do"
        ),
        "weight_bits": Param(8, low=2, high=16, doc="fixed: bits of a weight"),
        "state_bits": Param(32, low=8, high=32, doc="fixed: bits of a state variable or potential"),
        "input_range": Param(8.0, low=1e-6, high=1e6, doc="fixed: largest real number that arrives"),
        "processor": Param("host", choices=tuple(BOARDS), doc="where it is verified: here, or in QEMU"),
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """Names every node whose step has no C, and in integers what becomes of the others."""
        outside = outside_of(program)
        inside = [op for op in program.ops.values() if op.id not in outside and op.role not in PASSIVE]
        heard = {source.op for op in inside for sources in op.inputs.values() for source in sources}
        steady = [op for op in inside if not random(op, program.dt)]
        if options.number == "float":
            return [found for op in steady for found in _unknown(op, program.dt)]
        return [found for op in steady for found in _in_integers(op, program.dt, options, op.id in heard)]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        """Nothing changes in single precision but, if asked for, the sums; everything in integers."""
        if options.number == "fixed":
            return converted(frozen, _widths(options))
        return Converted(frozen, () if options.double_sums else (SINGLE,))

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """What the C must give."""
        if isinstance(frozen, FixedFrozen):
            return real_signals(frozen.fixed, simulate_fixed(frozen.fixed, inputs, steps))
        return _reference(options)(frozen, inputs, steps)

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """The whole folder."""
        code = _code(frozen, options)
        layout = code.layout
        given, expected = _vectors(frozen, layout, options)
        files = {
            "network.h": code.header,
            "network.c": code.source,
            "main.c": texts.main(layout, TOLERANCE),
            "test_vectors.h": texts.test_vectors(layout, given, expected),
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
        fixed = frozen.fixed if isinstance(frozen, FixedFrozen) else None
        layout = fixed_layout(fixed) if fixed else float_layout(frozen)
        given = {source: fixed.signals[source].nearest(x) if fixed else x for source, x in inputs.items()}
        found = replay(artefact, layout, given, steps, options.processor)
        shaped = {source: x.reshape(steps, *frozen.shape(source)) for source, x in found.items()}
        return real_signals(fixed, shaped) if fixed else {s: x.astype(np.float32) for s, x in shaped.items()}

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


def _reference(options: Values) -> Callable[..., Signals]:
    return simulate if options.double_sums else simulate_single


def _widths(options: Values) -> Widths:
    return Widths(options.weight_bits, options.state_bits, input_range=options.input_range)


def _vectors(frozen: Frozen, layout: Layout, options: Values) -> tuple[Signals, Signals]:
    """A stimulus and what must come of it, as the numbers that stand in C; as long as they are finite."""
    steps = texts.test_steps(layout)
    given = {s: x.reshape(steps, *frozen.shape(s)) for s, x in texts.test_inputs(layout, steps).items()}
    if isinstance(frozen, FixedFrozen):
        expected = simulate_fixed(frozen.fixed, given, steps)
        return {source: frozen.fixed.signals[source].nearest(x) for source, x in given.items()}, expected
    with np.errstate(all="ignore"):
        expected = _reference(options)(frozen, given, steps)
    finite = [np.isfinite(x.reshape(steps, -1)).all(1) for x in expected.values()]
    until = int(np.logical_and.accumulate(np.all(finite, 0)).sum()) if finite else steps
    return {s: x[:until] for s, x in given.items()}, {s: x[:until] for s, x in expected.items()}


def _code(frozen: Frozen, options: Values) -> Code:
    """The C of a converted network."""
    if isinstance(frozen, FixedFrozen):
        fixed = frozen.fixed
        scales = {source: form.fraction for source, form in fixed.signals.items() if form.fraction}
        notes = [
            "",
            "All numbers are integers; products and sums are rounded to nearest, halves upwards, and",
        ]
        return assemble(fixed_parts(fixed), [*notes, "what is stored saturates."], scales)
    sums = "double precision and rounded once" if options.double_sums else "single precision"
    notes = ["", "All numbers are single precision (float); inputs of neurons are added up in " + sums + "."]
    return assemble(float_parts(frozen, options.double_sums), notes)


def _unknown(op: Op, dt: float) -> Iterable[Diagnostic]:
    for name in beyond(op, dt, SUPPORTED):
        hint = "leave it on the host, or replace the node"
        yield CANNOT((op.id,), f"'{op.name}' uses {name}, which has no C", hint=hint)


def _in_integers(op: Op, dt: float, options: Values, heard: bool) -> Iterable[Diagnostic]:
    if op.role == "readout" and not heard:
        hint = "the host gets what it reads"
        yield DECISION((op.id,), f"'{op.name}' is not part of the export in integers", hint=hint)
        return
    for name in beyond(op, dt, WHOLE, integers=True):
        hint = "export in single precision (number = float), or replace the node"
        yield NO_INTEGERS((op.id,), f"'{op.name}' uses {name}, which integers cannot", hint=hint)
    if traced_step(op, dt).state:
        yield INTEGERS((op.id,), f"'{op.name}' is computed in integers of {options.state_bits} bits")
