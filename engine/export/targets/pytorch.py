"""PyTorch: a readable file that runs and trains the network with nothing but torch and numpy."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from engine.codegen.expr import Call, TraceError, order
from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.frozen import Frozen
from engine.export.quantise import Quantisation
from engine.export.simulate import Signals
from engine.export.target import Target, target
from engine.export.targets._torch.code import attribute, node_of
from engine.export.targets._torch.file import File, inside_of
from engine.export.targets._torch.pieces import LOSSES
from engine.export.targets._torch.print import PRINTABLE
from engine.program import Op, Program, Source
from nodes.spec import Values

OPERATION = declare("MYL220", "error", "A node does something that no line of PyTorch is known for.")
NOISE = declare("MYL221", "error", "A node with state draws random numbers for a sequence.")
LOSS = declare("MYL222", "info", "A loss stays behind: the exported file does not train with it.")
QUANTISED = declare("MYL223", "info", "The exported file goes on training without the recipe's rounding.")
OWN = ("engine", "nodes", "studio")
TIMEOUT = 600  # s
_ALONE = f"""
import runpy, sys
script, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = script
runpy.run_path(script, run_name="__main__")
mine = {{name.partition(".")[0] for name in sys.modules}} & {set(OWN)!r}
assert not mine, mine
"""


@target("pytorch", label="PyTorch source")
class PyTorch(Target):
    """``network.py`` with ``weights.npz`` beside it: streaming, whole sequences and training."""

    group = "Code"
    software = "PyTorch alone"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        """What no line of PyTorch is known for, and losses that it cannot say."""
        return check(program)

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        """The two files."""
        write(File(frozen), folder)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        """Stream the inputs through the file in a Python without ours."""
        file = File(frozen)
        with tempfile.TemporaryDirectory(prefix="myelin-") as scratch:
            given, answer = Path(scratch, "inputs.npz"), Path(scratch, "outputs.npz")
            np.savez(given, **arrays_of(file, inputs, steps))  # type: ignore[arg-type]
            alone(_ALONE, artefact / "network.py", given, answer)
            with np.load(answer) as found:
                return {s: found[file.signals[s]][:, 0] for s in frozen.outputs}


def check(program: Program) -> list[Diagnostic]:
    """What the source of a PyTorch file cannot say."""
    found = [problem for op in inside_of(program) for problem in _problems(op, program.dt)]
    left = [op for op in program.of_role("loss") if op.type not in LOSSES]
    found += [LOSS((op.id,), f"the loss '{op.name}' stays behind: train with one of your own") for op in left]
    q = Quantisation.of(program.recipes)
    if q.weights or q.neurons or q.state or q.delays:
        found.append(QUANTISED((), "the file holds rounded weights, and goes on training without rounding"))
    return found


def _problems(op: Op, dt: float) -> Iterator[Diagnostic]:
    try:
        node = node_of(op, dt, "node", "Node", ())
    except TraceError as error:
        yield OPERATION((op.id,), f"'{op.name}' cannot be written as equations: {error}")
        return
    roots = [
        e for t in node.steps for e in (*t.new_state.values(), *t.outputs.values(), *t.constants.values())
    ]
    used = {expr.op for expr in order(roots) if isinstance(expr, Call)}
    for name in sorted(used - PRINTABLE):
        yield OPERATION((op.id,), f"'{op.name}' computes '{name}', which no line of PyTorch is known for")
    if node.stateful and node.masks:
        yield NOISE((op.id,), f"'{op.name}' has state and draws random numbers for a whole sequence")


def write(file: File, folder: Path) -> None:
    """``network.py`` and ``weights.npz``."""
    (folder / "network.py").write_text(file.text(), "utf-8")
    np.savez(folder / "weights.npz", **weights(file))  # type: ignore[arg-type]


def weights(file: File) -> dict[str, np.ndarray]:
    """Every array by the name that it has in the file's ``state_dict``."""
    given = file.frozen.arrays
    return {
        f"{node.name}.{attribute(name)}": np.asarray(given[node.op.id][name], _dtype(name))
        for node in file.nodes.values()
        for name in node.tensors
    }


def _dtype(name: str) -> type:
    return np.int64 if name in ("pre", "post") else np.float32


def arrays_of(file: File, inputs: Mapping[Source, np.ndarray], steps: int) -> dict[str, np.ndarray]:
    """The inputs by name, ``[steps, 1, *shape]``."""
    found = {}
    for source, shape in file.frozen.inputs.items():
        full = np.zeros((steps, 1, *shape), np.float32)
        known = inputs[source][:steps]
        full[: len(known), 0] = known
        found[file.signals[source]] = full
    return found or {"steps": np.asarray(steps)}


def alone(script: str, *arguments: Path | str) -> str:
    """Run Python source in a process of its own, without our folder; what it prints."""
    command = [sys.executable, "-I", "-c", script, *map(str, arguments)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, cwd=tempfile.gettempdir()
        )
    except subprocess.TimeoutExpired:
        raise MyelinError(f"the exported network did not finish within {TIMEOUT} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise MyelinError(f"the exported network failed: {last}")
    return done.stdout
