"""SONATA: the network as files that simulators and analysis tools of the field exchange."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.frozen import Frozen
from engine.export.peers import MissingPeer, PeerError, peer
from engine.export.simulate import Signals, simulate
from engine.export.target import Conversion, Converted, NotExecutable, Target, target
from engine.export.targets import _native as native
from engine.export.targets._cells import IZHIKEVICH
from engine.export.targets._plan import Plan, convert, plan, wire_names
from engine.export.targets._readouts import after_the_run
from engine.export.targets._script import part_names
from engine.export.targets._sonata import files
from engine.export.targets._sonata.run import SCRIPT
from engine.program import Program, Source
from nodes.spec import Param, Values

HOST = declare("MYL295", "warning", "A readout is left out of the network files.")
TEMPLATE = declare("MYL296", "error", "A population that no SONATA template says.")
_READ = """
import sys
from pathlib import Path
import libsonata
import numpy as np

folder, found = Path(sys.argv[1]), {}
nodes = libsonata.NodeStorage(str(folder / "nodes.h5"))
edges = libsonata.EdgeStorage(str(folder / "edges.h5"))
for name in nodes.population_names:
    found[f"nodes/{name}"] = nodes.open_population(name).size
for name in edges.population_names:
    population = edges.open_population(name)
    chosen = population.select_all()
    found[f"edges/{name}/pre"] = population.source_nodes(chosen)
    found[f"edges/{name}/post"] = population.target_nodes(chosen)
    found[f"edges/{name}/weight"] = population.get_attribute("syn_weight", chosen)
    found[f"edges/{name}/delay"] = population.get_attribute("delay", chosen)
for file in ("inputs.h5", "spikes.h5"):
    reader = libsonata.SpikeReader(str(folder / file))
    for name in reader.get_population_names():
        found[f"{file}/{name}"] = len(reader[name].get())
np.savez(sys.argv[2], **found)
"""


@target("sonata", label="SONATA network")
class Sonata(Target):
    """Nodes and edges with weights and delays, types, configurations, a stimulus and the spikes it gives."""

    group: ClassVar[str] = "Exchange"
    software: ClassVar[str] = "NEST, from the files"
    options: ClassVar[dict[str, Param]] = {
        "steps": Param(
            200, low=1, high=100_000, unit="steps", doc="length of the stimulus and spikes that come along"
        )
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        late = after_the_run(program)
        words = "'{}' is left out: SONATA files hold cells and synapses"
        left = [HOST((key,), words.format(program.ops[key].name)) for key in program.ops if key in late]
        return [*native.check(program), *left, *_half_steps(program)]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        found = convert(frozen)
        late = after_the_run(frozen.program)
        said = [Conversion(f"'{frozen.program.ops[key].name}' is left out", (key,)) for key in sorted(late)]
        kept = found.frozen.with_parts(part for part in found.frozen.parts if part.id not in late)
        return Converted(kept, (*found.conversions, *said))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        files.write(plan(frozen), part_names(frozen), options["steps"], folder)

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        return simulate(frozen, inputs, steps, dtype=np.float64)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        made, names = plan(frozen), part_names(frozen)
        if any(np.any((x < 0) | (x != np.rint(x))) for x in inputs.values()):
            raise MyelinError("the inputs of a SONATA network are numbers of spikes, not analog values")
        with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
            here = Path(folder)
            for name in (files.NODES, files.NODE_TYPES, files.EDGES, files.EDGE_TYPES):
                shutil.copy(artefact / name, here / name)
            files.stimulus(made, names, dict(inputs), steps, here)
            wanted = [(names[source.op], source.port) for source in frozen.outputs]
            found = _in_peer("nest", SCRIPT, folder, str(here / "found.npz"), json.dumps(wanted))
        return {source: _signal(found, made, names, source, steps) for source in frozen.outputs}

    def read_back(self, artefact: Path, frozen: Frozen, options: Values) -> str:
        found, made, names = _read(artefact), plan(frozen), part_names(frozen)
        called = wire_names(made, names)
        for wires in made.wires:
            own = {"pre": wires.pre, "post": wires.post, "weight": wires.weight}
            own["delay"] = np.round(wires.delay * frozen.dt, 6)
            for what, wanted in own.items():
                if not np.array_equal(found[f"edges/{called[wires.name]}/{what}"], wanted):
                    raise MyelinError(
                        f"libsonata reads another {what} of {called[wires.name]} than was written"
                    )
        for unit in made.units:
            if found[f"nodes/{names[unit.id]}"] != unit.size:
                raise MyelinError(
                    f"libsonata reads another number of nodes of {names[unit.id]} than was written"
                )
        cells = sum(unit.size for unit in made.units)
        synapses = sum(wires.pre.size for wires in made.wires)
        amount = f"{cells:,} cells and {synapses:,} edges"
        return f"libsonata reads all {amount} with their weights and delays as written"

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        return plan(frozen).figures()


def _half_steps(program: Program) -> Iterator[Diagnostic]:
    for op in program.of_role("population"):
        if op.type == IZHIKEVICH:
            words = f"'{op.name}' is an Izhikevich neuron, whose way to integrate SONATA cannot say"
            yield TEMPLATE((op.id,), words)


def _read(artefact: Path) -> dict[str, np.ndarray]:
    """What libsonata reads, by path."""
    with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
        return _in_peer("sonata", _READ, str(artefact.absolute()), str(Path(folder, "found.npz")))


def _in_peer(environment: str, script: str, folder: str, taken: str, *more: str) -> dict[str, np.ndarray]:
    """The arrays that a script leaves."""
    try:
        home = peer(environment)
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None
    try:
        home.run(script, folder, taken, *more, timeout=900)
    except PeerError as error:
        raise MyelinError(f"the SONATA files failed: {error}") from None
    with np.load(taken) as stored:
        return dict(stored)


def _signal(
    found: Mapping[str, np.ndarray], made: Plan, names: Mapping[str, str], source: Source, steps: int
) -> np.ndarray:
    """A recorded signal ``[steps, *shape]``, moved back by the shift of its population."""
    shape, key = made.frozen.shape(source), f"{names[source.op]}.{source.port}"
    signal = np.zeros((steps, math.prod(shape)))
    step = np.rint(found[f"{key}.times"] / made.frozen.dt).astype(int) - files.FIRST - made.shift[source.op]
    inside = (step >= 0) & (step < steps)
    values = np.ones(step.size) if source.port == "spikes" else found[f"{key}.values"]
    signal[step[inside], found[f"{key}.neurons"][inside]] = values[inside]
    return signal.reshape(steps, *shape)
