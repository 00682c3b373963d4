"""SONATA: the network as files that simulators and analysis tools of the field exchange."""



from __future__ import annotations

import tempfile
from collections.abc import Mapping
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
from engine.export.targets import _sonata_files as files
from engine.export.targets._plan import convert, plan, wire_names
from engine.export.targets._readouts import after_the_run
from engine.export.targets._script import part_names
from engine.program import Program, Source
from nodes.spec import Param, Values

HOST = declare("MYL295", "warning", "A readout is left out of the network files.")
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
    software: ClassVar[str] = "libsonata"
    options: ClassVar[dict[str, Param]] = {
        "steps": Param(
            200, low=1, high=100_000, unit="steps", doc="length of the stimulus and spikes that come along"
        )
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        late = after_the_run(program)
        words = "'{}' is left out: SONATA files hold cells and synapses"
        left = [HOST((key,), words.format(program.ops[key].name)) for key in program.ops if key in late]
        return [*native.check(program), *left]

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
        raise NotExecutable(
            "NEST reads SONATA only where it was built with HDF5, and the NEST of PyPI is not"
        )

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


def _read(artefact: Path) -> dict[str, np.ndarray]:
    """What libsonata reads, by path."""
    try:
        home = peer("sonata")
    except MissingPeer as missing:
        raise NotExecutable(str(missing)) from None
    with tempfile.TemporaryDirectory(prefix="myelin-") as folder:
        taken = Path(folder, "found.npz")
        try:
            home.run(_READ, str(artefact.absolute()), str(taken))
        except PeerError as error:
            raise MyelinError(f"libsonata cannot read the files: {error}") from None
        with np.load(taken) as stored:
            return dict(stored)
