"""Builds and runs an exported C folder, here or on a Cortex-M in QEMU, and reads what it prints."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.errors import MyelinError
from engine.export.peers import command
from engine.export.target import NotExecutable
from engine.export.targets._c.layout import Layout, Signal
from engine.program import Source

BOARDS = {"host": "", "cortex-m4": "mps2-an386", "cortex-m3": "lm3s6965evb"}
_NEEDED = {"host": ("make", "cc"), "arm": ("make", "arm-none-eabi-gcc", "qemu-system-arm")}


def replay(
    folder: Path,
    layout: Layout,
    inputs: Mapping[Source, np.ndarray],
    steps: int,
    processor: str,
) -> dict[Source, np.ndarray]:
    """What the folder's program prints for ``inputs [steps, *shape]``: arrays of the outputs' own types.

    Raises NotExecutable without the tools, MyelinError on failure.
    """
    _require("host" if processor == "host" else "arm")
    with tempfile.TemporaryDirectory(prefix="myelin-c-") as name:
        work = Path(name) / "network"
        shutil.copytree(folder, work)
        (work / "stimulus.txt").write_text(stimulus(layout, inputs, steps), "ascii")
        text = _native(work) if processor == "host" else _board(work, BOARDS[processor])
    return parse(text, layout, steps)


def stimulus(layout: Layout, inputs: Mapping[Source, np.ndarray], steps: int) -> str:
    """The stimulus file: the number of steps, then a line for every step.

    Ten digits give every number of single precision and every integer of 32 bits back.
    """
    lines = [str(steps)]
    columns = [np.zeros((steps, 0), np.float64)]
    for signal in layout.inputs:
        values = np.asarray(inputs[signal.source], np.float64)[:steps].reshape(-1, signal.size)
        _require_counts(signal, values)
        columns.append(np.concatenate([values, np.zeros((steps - len(values), signal.size))]))
    lines += [" ".join(f"{value:.10g}" for value in row) for row in np.concatenate(columns, 1).tolist()]
    return "\n".join(lines) + "\n"


def _require_counts(signal: Signal, values: np.ndarray) -> None:
    if (
        signal.whole
        and values.size
        and ((values != np.rint(values)).any() or values.min() < 0 or values.max() > 255)
    ):
        raise MyelinError(f"{signal.title} is exported as spikes: 0 to 255 in a step, and whole")


def _native(work: Path) -> str:
    command(["make", "--silent", "replay"], work)
    return command(["./replay", "stimulus.txt"], work)


def _board(work: Path, board: str) -> str:
    elf = f"replay-{board}.elf"
    define = '-DNETWORK_STIMULUS=\\"stimulus.txt\\"'
    command(["make", "--silent", elf, f"BOARD={board}", f"DEFINES={define}"], work)
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    return command(["qemu-system-arm", "-M", board, "-nographic", *semihosting, "-kernel", elf], work)


def parse(text: str, layout: Layout, steps: int) -> dict[Source, np.ndarray]:
    """The printed signals ``[steps, size]``; MyelinError where a line is missing."""
    known = {signal.name: signal for signal in layout.outputs}
    kinds: dict[str, type[np.generic]] = {
        name: np.float32 if s.ctype == "float" else np.int64 for name, s in known.items()
    }
    found = {name: np.zeros((steps, signal.size), kinds[name]) for name, signal in known.items()}
    lines = 0
    for line in text.splitlines():
        step, name, *values = line.split(" ")
        lines += 1
        if not known[name].whole:
            found[name][int(step)] = [kinds[name](value) for value in values]
            continue
        for value in values:
            neuron, _, count = value.partition(":")
            found[name][int(step), int(neuron)] = int(count)
    if lines != steps * len(known):
        raise MyelinError(f"the program printed {lines} lines instead of {steps * len(known)}")
    return {signal.source: found[name] for name, signal in known.items()}


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of network.o where it can be built: code and tables, and memory, here and on a Cortex-M4."""
    found: dict[str, int] = {}
    arm = ["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
    tools = {"": (["cc"], "size"), " on a Cortex-M4": (arm, "arm-none-eabi-size")}
    for where, (compiler, size) in tools.items():
        if not (shutil.which(compiler[0]) and shutil.which(size)):
            continue
        with tempfile.TemporaryDirectory(prefix="myelin-c-") as name:
            built = str(Path(name) / "network.o")
            flags = ["-std=c99", "-O2", "-ffp-contract=off", "-c", "network.c", "-o", built]
            try:
                command([*compiler, *flags], folder)
            except MyelinError:
                continue  # a compiler without a C library; whoever runs the folder will say more
            text, data, bss = map(int, command([size, built], folder).splitlines()[1].split()[:3])
        found |= {f"bytes of flash{where}": text + data, f"bytes of RAM{where}": data + bss}
    return found


def _require(kind: str) -> None:
    missing = [tool for tool in _NEEDED[kind] if shutil.which(tool) is None]
    if missing:
        raise NotExecutable(f"{missing[0]} is not installed here")
