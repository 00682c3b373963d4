"""Runs the test bench of an exported folder in Icarus Verilog or Verilator, and asks Yosys for figures."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import MyelinError
from engine.export.peers import MissingPeer, command, tool
from engine.export.target import NotExecutable
from engine.export.targets._verilog.bench import vectors
from engine.export.targets._verilog.plan import Plan
from engine.program import Source

TIMEOUT = 600.0  # seconds of a simulation
SYNTHESIS_TIMEOUT = 40.0  # seconds of Yosys
SYNTHESIS_LARGEST = 2_000  # synapses and neurons that are synthesised for the figures


def replay(
    folder: Path, plan: Plan, inputs: Mapping[Source, np.ndarray], steps: int, simulator: str
) -> dict[Source, np.ndarray]:
    """What the folder's network gives for whole numbers ``[time, *shape]``: int64 ``[steps, size]``.

    Raises NotExecutable without the simulator, MyelinError on failure.
    """
    program = _tool("verilator" if simulator == "verilator" else "iverilog")
    with tempfile.TemporaryDirectory(prefix="myelin-verilog-") as name:
        work = Path(name) / "network"
        shutil.copytree(folder, work)
        (work / "given.txt").write_text(vectors(plan.inputs, inputs, steps), "ascii")
        bench = _verilated(program, work) if simulator == "verilator" else _compiled(program, work)
        said = command([*bench, "+stimulus=given.txt", "+output=found.txt"], work)
        if "DONE" not in said:
            raise MyelinError(f"the test bench did not come to its end: {said.strip()[-200:]}")
        return _parsed((work / "found.txt").read_text("ascii"), plan, steps)


def _tool(name: str) -> str:
    try:
        return tool(name)
    except MissingPeer as reason:
        raise NotExecutable(str(reason)) from None


def sources(work: Path) -> list[str]:
    """The Verilog files without the test bench."""
    return sorted(path.name for path in work.glob("*.v") if path.name != "tb.v")


def _compiled(iverilog: str, work: Path) -> list[str]:
    command([iverilog, "-g2005", "-s", "tb", "-o", "replay.vvp", "tb.v", *sources(work)], work)
    vvp = Path(iverilog).with_name("vvp")
    return [str(vvp) if vvp.exists() else "vvp", "-n", "replay.vvp"]


def _verilated(verilator: str, work: Path) -> list[str]:
    flags = ["--binary", "--timing", "-O3", "-Wno-fatal", "--top-module", "tb", "-Mdir", "verilated_files"]
    command([verilator, *flags, "-o", "tb", "tb.v", *sources(work)], work)
    return ["./verilated_files/tb"]


def _parsed(text: str, plan: Plan, steps: int) -> dict[Source, np.ndarray]:
    """The values of all outputs from lines of step, signal, element, value."""
    found = {w.name: np.zeros((steps, w.size), np.int64) for w in plan.outputs}
    for line in text.splitlines():
        step, name, element, value = line.split()
        found[name][int(step), int(element)] = int(value)
    return {w.source: found[w.name] for w in plan.outputs}


def synthesis(family: str) -> str:
    """The commands that Yosys counts cells after."""
    if family == "ice40":
        return "synth_ice40 -top network -noflatten; stat"
    mapped = "opt -fast -full; techmap; opt -fast; abc -fast -lut 4; opt -fast; stat"
    return f"synth -top network -run begin:fine; {mapped}"  # memories stay what they are


def parse_check(folder: Path) -> str:
    """Let Yosys read the folder; a sentence.  Raises NotExecutable without it."""
    said = _yosys(folder, "hierarchy -check -top network; proc; check; stat", SYNTHESIS_TIMEOUT)
    return f"Yosys read {said.count('=== ')} modules"


def cells(folder: Path, family: str) -> dict[str, Any]:
    """What Yosys counts after synthesis; nothing without it, or where it takes too long."""
    try:
        said = _yosys(folder, synthesis(family), SYNTHESIS_TIMEOUT)
    except (NotExecutable, MyelinError) as reason:
        return {"synthesis": f"not done: {reason}"}
    last = said[said.rindex("Number of cells:") :]
    counts = {name: int(n) for name, n in re.findall(r"^\s+(\$?\w+)\s+(\d+)\s*$", last, re.MULTILINE)}
    total = re.search(r"Number of cells:\s+(\d+)", last)
    luts = sum(n for name, n in counts.items() if "lut" in name.lower())
    flops = sum(n for name, n in counts.items() if "dff" in name.lower())
    rams = sum(n for name, n in counts.items() if "ram" in name.lower() or name.startswith("$mem"))
    where = "iCE40" if family == "ice40" else "a device with 4-input tables"
    found = {
        f"cells on {where}": int(total.group(1)) if total else 0,
        "look-up tables": luts,
        "flip-flops": flops,
    }
    return found | ({"block RAMs" if family == "ice40" else "memories": rams} if rams else {})


def _yosys(folder: Path, commands: str, timeout: float) -> str:
    yosys = _tool("yosys")
    with tempfile.TemporaryDirectory(prefix="myelin-verilog-") as name:
        work = Path(name) / "network"
        shutil.copytree(folder, work)
        script = f"read_verilog -defer {' '.join(sources(work))}; {commands}"
        return command([yosys, "-p", script], work, timeout)
