"""Verilog: a folder to synthesise for an FPGA, in whole numbers, with a test bench that checks itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.fixed.lowering import SUPPORTED
from engine.export.fixed.network import (
    FixedFrozen,
    FixedNetwork,
    FixedSynapses,
    Widths,
    real_signals,
    simulate_fixed,
)
from engine.export.fixed.words import converted
from engine.export.freeze import outside_of, random, traced_step
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Converted, Target, target
from engine.export.targets._c.check import beyond
from engine.export.targets._verilog.bench import bench, makefile, test_inputs, test_steps, vectors
from engine.export.targets._verilog.library import LIBRARY
from engine.export.targets._verilog.lists import write_lists
from engine.export.targets._verilog.plan import LARGEST_POPULATION, Plan, plan
from engine.export.targets._verilog.readme import readme
from engine.export.targets._verilog.run import (
    SYNTHESIS_LARGEST,
    cells,
    parse_check,
    replay,
    synthesis,
)
from engine.export.targets._verilog.synapses import Projection
from engine.export.targets._verilog.top import network
from engine.export.targets._verilog.units import Unit, Written
from engine.program import Op, Program, Source
from nodes.spec import Param, Values

NO_INTEGERS = declare("MYL250", "error", "Verilog export: the step of a node cannot be computed in integers.")
TOO_LARGE = declare("MYL251", "error", "Verilog export: a population is larger than the export takes.")
INTEGERS = declare("MYL252", "warning", "Verilog export: neurons are computed in integers, which rounds.")
DECISION = declare("MYL253", "warning", "Verilog export: the decision is left to the host.")
SHARED = declare("MYL254", "info", "Verilog export: neurons take turns in one circuit.")


_SIMULATORS = {"icarus": "Icarus Verilog", "verilator": "Verilator"}


@target("verilog", label="Verilog (FPGA)")
class Verilog(Target):
    """Synthesizable Verilog-2005: neurons in parallel, or in turn where they are many; spikes in rings."""

    group: ClassVar[str] = "Code"
    software: ClassVar[str] = "Icarus Verilog or Verilator"
    options: ClassVar[dict[str, Param]] = {
        "weight_bits": Param(8, low=2, high=16, doc="bits of a weight"),
        "state_bits": Param(16, low=8, high=32, doc="bits of a state variable or potential"),
        "input_range": Param(8.0, low=1e-6, high=1e6, doc="largest real number that arrives"),
        "input_spikes": Param(
            255, low=1, high=255, doc="most spikes that an input brings in one step and channel"
        ),
        "parallel": Param(
            32, low=0, high=256, doc="neurons of a population that are computed in parallel; beyond, in turn"
        ),
        "simulator": Param("icarus", choices=("icarus", "verilator"), doc="where it is verified"),
        "synthesis": Param(
            "generic", choices=("generic", "ice40", "none"), doc="for what Yosys counts cells, if it is there"
        ),
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """Names every node that whole numbers cannot compute, and what becomes of the others."""
        outside = outside_of(program)
        inside = [
            op for op in program.ops.values() if op.id not in outside and op.role not in ("loss", "probe")
        ]
        steady = [op for op in inside if not random(op, program.dt)]
        return [found for op in steady for found in _checked(op, program.dt, options)]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        """Everything in whole numbers."""
        return converted(frozen, _widths(options))

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """What the circuit must give."""
        fixed = _fixed(frozen)
        return real_signals(fixed, simulate_fixed(fixed, inputs, steps))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """The whole folder."""
        fixed = _fixed(frozen)
        made = plan(fixed, options.parallel)
        written = _written(made)
        steps = test_steps(made)
        given = {s: x.reshape(steps, *frozen.shape(s)) for s, x in test_inputs(made, steps).items()}
        expected = simulate_fixed(fixed, given, steps)
        whole = {source: fixed.signals[source].nearest(x) for source, x in given.items()}
        files = {"network.v": network(made, written)}
        for one in written.values():
            files |= one.files
        files |= {name: text for name, text in LIBRARY.items() if _uses(files, name)}
        sources = sorted(name for name in files if name.endswith(".v"))
        files |= {
            "tb.v": bench(made),
            "stimulus.txt": vectors(made.inputs, whole, steps),
            "expected.txt": vectors(made.outputs, expected, steps),
            "Makefile": makefile(sources, synthesis(options.synthesis)),
            "README.md": readme(made, written, sources),
        }
        for name, text in files.items():
            (folder / name).write_text(text, "ascii")

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Replay the inputs in the folder's test bench, clock cycle by clock cycle."""
        fixed = _fixed(frozen)
        given = {source: fixed.signals[source].nearest(x) for source, x in inputs.items()}
        found = replay(artefact, plan(fixed, options.parallel), given, steps, options.simulator)
        return real_signals(fixed, {s: x.reshape(steps, *frozen.shape(s)) for s, x in found.items()})

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        """Let Yosys read it."""
        return parse_check(artefact)

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        """Memory and clock cycles of the layout; cells where Yosys counts them in short time."""
        fixed = _fixed(frozen)
        made = plan(fixed, options.parallel)
        simulator = {"simulator": _SIMULATORS[options.simulator]}
        return {**simulator, **figures(made, _written(made)), **_cells(artefact, fixed, options)}


def _uses(files: Mapping[str, str], library: str) -> bool:
    """Whether a module of the library is in use."""
    return any(f"{Path(library).stem} #(" in text for name, text in files.items() if name.endswith(".v"))


def figures(made: Plan, written: Mapping[str, Written]) -> dict[str, int]:
    """Bits of memories and registers, and clock cycles of a step."""
    rings = sum(w.words * w.width for w in made.signals.values() if not w.vector)
    vectors = sum(w.size * w.depth * w.width for w in made.signals.values() if w.vector)
    between = 1 + made.prepared
    return {
        "bits of ROM": sum(one.rom for one in written.values()),
        "bits of RAM": sum(one.ram for one in written.values()) + rings,
        "bits of registers": sum(one.registers for one in written.values()) + vectors,
        "clock cycles per step where nothing fires": sum(one.idle for one in written.values()) + between,
        "clock cycles per step at most": sum(one.busy for one in written.values()) + between,
    }


def _written(made: Plan) -> dict[str, Written]:
    """Every part in Verilog."""
    found = {}
    for part in made.parts:
        if not isinstance(part, FixedSynapses):
            found[part.id] = Unit(part, made).write()
        else:
            own = Projection(part, made)
            found[part.id] = own.write_parallel() if part.id in made.parallel else write_lists(own)
    return found


def _cells(artefact: Path, fixed: FixedNetwork, options: Values) -> dict[str, Any]:
    size = sum(len(p.weight) if isinstance(p, FixedSynapses) else p.unit.size for p in fixed.parts)
    if options.synthesis == "none" or size > SYNTHESIS_LARGEST:
        return {}
    return cells(artefact, options.synthesis)


def _widths(options: Values) -> Widths:
    return Widths(
        options.weight_bits,
        options.state_bits,
        input_range=options.input_range,
        input_spikes=options.input_spikes,
    )


def _fixed(frozen: Frozen) -> FixedNetwork:
    if not isinstance(frozen, FixedFrozen):
        raise MyelinError("the Verilog export takes a network that was converted to integers")
    return frozen.fixed


def _checked(op: Op, dt: float, options: Values) -> Iterable[Diagnostic]:
    if op.role == "readout":
        hint = "the host gets what it reads"
        yield DECISION((op.id,), f"'{op.name}' is not part of the circuit", hint=hint)
        return
    for name in beyond(op, dt, SUPPORTED, integers=True):
        hint = "replace the node, or export in single precision as C"
        yield NO_INTEGERS((op.id,), f"'{op.name}' uses {name}, which integers cannot", hint=hint)
    if traced_step(op, dt).state:
        yield from _population(op, options)


def _population(op: Op, options: Values) -> Iterable[Diagnostic]:
    yield INTEGERS((op.id,), f"'{op.name}' is computed in integers of {options.state_bits} bits")
    size = max((int(np.prod(shape)) for shape in op.shapes.values() if shape), default=1)
    if size > LARGEST_POPULATION:
        words = f"'{op.name}' has {size} neurons; the Verilog export takes {LARGEST_POPULATION}"
        yield TOO_LARGE((op.id,), words, hint="split it, or take fewer")
    elif size > options.parallel:
        yield SHARED((op.id,), f"the {size} neurons of '{op.name}' take turns in one circuit")
