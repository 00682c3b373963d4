"""A ``torch.export`` program of one step, made from the exported PyTorch source in a process of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.compile.diagnostics import Diagnostic
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Target, target
from engine.export.targets._torch.file import File
from engine.export.targets.pytorch import alone, arrays_of, check, write
from engine.program import Program, Source
from nodes.spec import Values

_MAKE = """
import json, runpy, sys
import torch

folder, path, about = sys.argv[1:]
network = runpy.run_path(folder + "/network.py")["load"](folder)
about = json.loads(about)


class Step(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.network = network

    def forward(self, inputs, state):
        given = {name: x[None] for name, x in inputs.items()} or {"steps": 1, "batch": samples(state)}
        outputs, after = self.network.stream(**given, state=state)
        return {name: x[0] for name, x in outputs.items()}, after


def samples(state):
    kept = next(iter(state.values()))
    return next(iter(kept.values())).shape[0] if isinstance(kept, dict) else kept.shape[1]


def each(kept, past, neurons):
    return {name: neurons(x) for name, x in kept.items()} if isinstance(kept, dict) else past(kept)


def told(x):
    x = x[0]
    same = bool((x == x.flatten()[0]).all())
    return {"shape": list(x.shape), "first": float(x.flatten()[0]) if same else x.flatten().tolist()}


def past(x):
    return {"past": [len(x), *x.shape[2:]]}


batch = torch.export.Dim("batch")
inputs, state = {name: torch.zeros(2, *shape) for name, shape in about["inputs"].items()}, network.begin(2)
dynamic = (
    {name: {0: batch} for name in inputs},
    {name: each(kept, lambda x: {1: batch}, lambda x: {0: batch}) for name, kept in state.items()},
)
about["state"] = {name: each(kept, past, told) for name, kept in state.items()}
with torch.no_grad():
    program = torch.export.export(Step().eval(), (inputs, state), dynamic_shapes=dynamic)
torch.export.save(program, path, extra_files={"about.json": json.dumps(about)})
"""

_RUN = """
import json, sys
import numpy as np
import torch

path, given, answer = sys.argv[1:]
files = {"about.json": ""}
step = torch.export.load(path, extra_files=files).module()
about = json.loads(files["about.json"])


def first(kept):
    if "past" in kept:
        steps, *shape = kept["past"]
        return torch.zeros(steps, 1, *shape)
    return {name: begin(**said) for name, said in kept.items()}


def begin(shape, first):
    value = torch.tensor(first)
    return torch.zeros(1, *shape) + (value.reshape(shape) if value.ndim else value)


state = {name: first(kept) for name, kept in about["state"].items()}
with np.load(given) as arrays:
    signals = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
steps = int(signals.pop("steps")) if "steps" in signals else len(next(iter(signals.values())))
found = []
with torch.no_grad():
    for t in range(steps):
        outputs, state = step({name: x[t] for name, x in signals.items()}, state)
        found.append({name: x[0].numpy() for name, x in outputs.items()})
np.savez(answer, **{name: np.stack([one[name] for one in found]) for name in found[0]})
"""


@target("pt2", label="PyTorch program (.pt2)")
class Pt2(Target):
    """``program(inputs, state) -> outputs, state``: one step, for any batch.

    ``inputs`` and ``outputs`` are dictionaries of signals ``[batch, *shape]``.  ``state`` holds, for every
    node that keeps something, the variables of neurons ``[batch, *shape]``, or the past of delays
    ``[steps, batch, *shape]``; ``about.json`` inside the file says the shapes and the first values.
    """

    group = "Code"
    file = ".pt2"
    software = "torch.export"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """As for the PyTorch source, whose step it is."""
        return [problem for problem in check(program) if problem.severity == "error"]

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """``network.pt2``."""
        file = File(frozen)
        about = {
            "title": frozen.program.title,
            "dt_ms": frozen.dt,
            "inputs": {file.signals[source]: list(shape) for source, shape in frozen.inputs.items()},
            "outputs": {file.signals[source]: list(frozen.shape(source)) for source in file.outputs},
        }
        with tempfile.TemporaryDirectory(prefix="myelin-") as scratch:
            write(file, Path(scratch))
            alone(_MAKE, scratch, folder / "network.pt2", json.dumps(about))

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Load it in a fresh process and step."""
        file = File(frozen)
        with tempfile.TemporaryDirectory(prefix="myelin-") as scratch:
            given, answer = Path(scratch, "inputs.npz"), Path(scratch, "outputs.npz")
            np.savez(given, **arrays_of(file, inputs, steps))  # type: ignore[arg-type]
            alone(_RUN, artefact, given, answer)
            with np.load(answer) as found:
                return {source: found[file.signals[source]] for source in frozen.outputs}
