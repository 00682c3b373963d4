"""NeuroML 2: populations and projections, with cell types in LEMS that step as ours do."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.freeze import outside_of, traced_step
from engine.export.frozen import Frozen
from engine.export.peers import MissingPeer, PeerError, peer, tool
from engine.export.simulate import Signals, simulate
from engine.export.target import Conversion, Converted, NotExecutable, Target, target
from engine.export.targets._native import between
from engine.export.targets._neuroml_files import INPUTS, NETWORK, SIMULATION, TYPES, Files
from engine.export.targets._plan import simplified
from engine.export.targets._readouts import after_the_run, of_cells, readouts
from engine.export.targets._script import is_elementwise
from engine.program import Op, Program, Source
from nodes.spec import Values

CELL = declare("MYL290", "error", "A population that LEMS cannot say, or fires too often in a step.")
PLACE = declare("MYL291", "error", "A node that NeuroML has no place for.")
HOST = declare("MYL292", "info", "A readout is left to the host.")
MANY = 30_000  # synapses that jNeuroML runs in reasonable time
_VALIDATE = "import sys\nfrom neuroml.utils import validate_neuroml2\nvalidate_neuroml2(sys.argv[1])\n"
_RUN = (
    "import subprocess, sys\nfrom pathlib import Path\nimport pyneuroml\n"
    "jar = next((Path(pyneuroml.__file__).parent / 'lib').glob('jNeuroML*.jar'))\n"
    "done = subprocess.run([sys.argv[1], '-Xmx2g', '-jar', str(jar), sys.argv[2], '-nogui'], "
    "capture_output=True, text=True)\n"
    "lines = (done.stdout + done.stderr).splitlines()\n"
    "said = [line for line in lines if 'ERROR' in line or 'Exception' in line]\n"
    "sys.exit(said[0] if said else done.returncode)\n"
)


@target("neuroml", label="NeuroML 2")
class NeuroML(Target):
    """A NeuroML 2 network with delays per synapse; jNeuroML gives the spikes of our reference."""

    group: ClassVar[str] = "Exchange"
    software: ClassVar[str] = "jNeuroML"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        late = after_the_run(program)
        found = [d for op in program.of_role("population") for d in _cell(op, program)]
        found += [PLACE((op.id,), words) for op, words in between(program)]
        return found + [
            HOST((op.id,), f"'{op.name}' is left to the host, which works it out from what is recorded")
            for op in program.ops.values()
            if op.id in late
        ]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        made, conversions = simplified(frozen)
        host = [f"'{unit.op.name}' is left to the host" for unit in readouts(made)]
        said = [Conversion(words, exact=True) for words in host]
        double = Conversion("computed in double precision instead of single")
        return Converted(made, (double, *conversions, *said))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        files = Files(frozen)
        (folder / TYPES).write_text(files.types(), "utf-8")
        (folder / INPUTS).write_text(files.inputs({}, 1000), "utf-8")
        (folder / SIMULATION).write_text(files.simulation(1000), "utf-8")
        with (folder / NETWORK).open("w", encoding="utf-8") as file:
            file.writelines(files.network())

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return simulate(frozen, inputs, steps, dtype=np.float64)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        if sum(synapses.pre.size for synapses in frozen.synapses) > MANY:
            raise NotExecutable(f"jNeuroML takes too long for more than {MANY:,} synapses")
        if any(np.any((x < 0) | (x != np.rint(x))) for x in inputs.values()):
            raise MyelinError("the inputs of a NeuroML network are numbers of spikes, not analog values")
        files = Files(frozen)
        with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
            here = Path(folder)
            for name in (TYPES, NETWORK):
                shutil.copy(artefact / name, here / name)
            (here / INPUTS).write_text(files.inputs(inputs, steps), "utf-8")
            (here / SIMULATION).write_text(files.simulation(steps), "utf-8")
            _in_peer(_RUN, _java(), SIMULATION, folder=here)
            found = {source: _read(here, files, source, steps) for source in of_cells(frozen)}
        return _with_readouts(frozen, {**inputs, **found}, steps)

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        _in_peer(_VALIDATE, str((artefact / NETWORK).absolute()), folder=artefact)
        return "the network is valid against the schema of NeuroML 2.3"

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        made = Files(frozen)
        synapses = sum(part.pre.size for part in frozen.synapses)
        return {"cells": sum(unit.size for unit in made.units), "connections": synapses}


def _cell(op: Op, program: Program) -> Iterator[Diagnostic]:
    if op.id in outside_of(program):
        return
    if not is_elementwise(traced_step(op, program.dt)):
        yield CELL((op.id,), f"'{op.name}' mixes the neurons of a step, which a LEMS cell cannot")
    if op.p.get("max_spikes", 1) > 1:
        words = (
            f"'{op.name}' may fire {op.p.max_spikes} times in a step, but an event of NeuroML is one spike"
        )
        yield CELL((op.id,), words, hint="set max_spikes to 1")


def _java() -> str:
    try:
        return tool("java")
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None


def _in_peer(script: str, *arguments: str, folder: Path) -> None:
    try:
        home = peer("neuroml")
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None
    try:
        home.run(script, *arguments, cwd=folder, timeout=900)
    except PeerError as error:
        raise MyelinError(f"the NeuroML files failed: {error}") from None


def _read(folder: Path, files: Files, source: Source, steps: int) -> np.ndarray:
    """A recorded signal ``[steps, *shape]``; the step of index t ends at t + 1 times dt."""
    shape, name = files.frozen.shape(source), files.names[source.op]
    found = np.zeros((steps, math.prod(shape)))
    if source.port != "spikes":
        rows = np.loadtxt(folder / f"{name}.{source.port}", ndmin=2)
        return np.asarray(rows[1 : steps + 1, 1:].reshape(steps, *shape))
    file = folder / f"{name}.spikes"
    events = np.loadtxt(file, ndmin=2).reshape(-1, 2) if file.stat().st_size else np.zeros((0, 2))
    step = np.rint(events[:, 1] * 1000 / files.frozen.dt).astype(int) - 1
    inside = step < steps
    np.add.at(found, (step[inside], events[inside, 0].astype(int)), 1)
    return found.reshape(steps, *shape)


def _with_readouts(frozen: Frozen, signals: Signals, steps: int) -> Signals:
    late = tuple(readouts(frozen))
    read = {source: frozen.shape(source) for unit in late for source in unit.sources}
    outputs = tuple(Source(unit.id, port) for unit in late for port in unit.traced.outputs)
    host = simulate(Frozen(frozen.program, late, read, outputs), signals, steps, dtype=np.float64)
    return {source: {**signals, **host}[source] for source in frozen.outputs}
