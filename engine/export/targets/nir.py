"""NIR, the neuromorphic intermediate representation, in the dialect that a reader understands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.bootstrap import ROOT
from engine.compile.diagnostics import Diagnostic
from engine.errors import MyelinError
from engine.export.frozen import Frozen
from engine.export.nir import file as nir_file
from engine.export.nir.dialects import AUTO, DIALECTS
from engine.export.simulate import Signals
from engine.export.target import Converted, NotExecutable, Target, target
from engine.export.targets._lif import decide
from engine.export.targets._nir.rules import convert, deployed, dialect_of, problems
from engine.export.targets._nir.write import Writer, nested
from engine.export.targets._peer_run import run_in
from engine.program import Program, Source
from nodes.spec import Param, Values

WRITTEN = tuple(name for name in DIALECTS if name != "spyx")
READERS: Mapping[str, tuple[str, ...]] = {
    "universal": ("snntorch", "norse", "spikingjelly", "nirtorch"),
    "nirtorch": ("nirtorch",),
    "textbook": ("nirtorch",),
    "nir104": ("nirtorch",),
    "snntorch": ("snntorch",),
    "norse": ("norse",),
    "spikingjelly": ("spikingjelly",),
    "rockpool": ("rockpool",),
    "sinabs": ("sinabs",),
}
"""Who runs a file when it is verified; all of them must give the same."""
HOMES = {"rockpool": "rockpool", "sinabs": "sinabs"}  # peer environments; ``neuro`` else
SCRIPT = ROOT / "resources" / "peers" / "nir_run.py"


@target("nir", label="NIR")
class Nir(Target):
    """A .nir file; verified in every reader of its dialect."""

    group: ClassVar[str] = "Exchange"
    file: ClassVar[str] = ".nir"
    software: ClassVar[str] = "the reader of the dialect"
    tolerance: ClassVar[float] = 1e-4
    options: ClassVar[dict[str, Param]] = {
        "dialect": Param(
            AUTO,
            choices=(AUTO, *WRITTEN),
            doc="who is to read it: auto takes universal where the network allows that, else nirtorch",
        ),
        "recurrence": Param(
            AUTO, choices=(AUTO, "flat", "nested"), doc="recurrent weights as a loop, or a graph of their own"
        ),
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """What the dialect has no words for, and what it changes."""
        return problems(program, dialect_of(program, options.dialect))

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        """By the rules of the dialect."""
        return convert(frozen, dialect_of(frozen.program, options.dialect))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """One file."""
        name = dialect_of(frozen.program, options.dialect)
        graph = Writer(frozen, name).graph()
        inner = DIALECTS[name].nested if options.recurrence == AUTO else options.recurrence == "nested"
        nir_file.write(folder / f"network{self.file}", nested(graph, bool(inner)))

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """The signals on which all readers of the dialect agree; of one that differs, its own."""
        name = dialect_of(frozen.program, options.dialect)
        if name not in READERS:
            raise NotExecutable(f"no reader of dialect {name} runs here")
        writer = Writer(frozen, name)
        writer.graph()
        found = [self._run(reader, artefact, writer, inputs, steps) for reader in READERS[name]]
        odd = (other for other in found[1:] if not _same(found[0], other))
        return decide(deployed(frozen).host, next(odd, found[0]), steps)

    def _run(
        self, reader: str, artefact: Path, writer: Writer, inputs: Mapping[Source, np.ndarray], steps: int
    ) -> Signals:
        frozen, wanted = writer.frozen, writer.signals()
        given = [np.asarray(inputs[source], np.float32)[:steps] for source in frozen.inputs]
        x = (
            given[0]
            if len(given) == 1
            else np.concatenate([*given, np.zeros((steps, 0), np.float32)], axis=1)
        )
        x = x if x.size else np.zeros((steps, writer.width), np.float32)
        names = np.array(list(wanted))
        home = HOMES.get(reader, "neuro")
        given_arrays = {"x": x, "names": names, "steps": np.array(steps), "dt": np.array(writer.step)}
        found = run_in(home, SCRIPT, given_arrays, reader, str(artefact.resolve()), writer.name)
        try:
            return {
                source: found[name].reshape(steps, *frozen.shape(source)) for name, source in wanted.items()
            }
        except (KeyError, ValueError):
            raise MyelinError(f"{reader} gave no signal of some population") from None


def _same(a: Signals, b: Signals) -> bool:
    return all(np.array_equal(a[source], b[source]) for source in a if source.port == "spikes")
