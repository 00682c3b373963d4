"""README.md of an exported folder of Verilog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.export.targets._c.names import comment
from engine.export.targets._verilog.plan import Plan, Wires
from engine.export.targets._verilog.units import Written


def readme(plan: Plan, written: Mapping[str, Written], files: Sequence[str]) -> str:
    """What is in the folder, the ports, the numbers, and how long a step takes."""
    frozen = plan.fixed.frozen
    signals = "\n".join(line for w in plan.inputs for line in _input(w))
    signals += "\n" + "\n".join(line for w in plan.outputs for line in _output(w))
    parts = "\n".join(_part(plan, key, one) for key, one in written.items())
    return _TEXT.format(
        title=comment(frozen.program.title),
        dt=f"{frozen.dt:g}",
        signals=signals.strip("\n"),
        parts=parts,
        files=", ".join(f"`{name}`" for name in files),
    )


def _input(w: Wires) -> Iterator[str]:
    what = f"{comment(w.title)}: {w.size} elements of {_kind(w)}"
    if w.vector:
        yield f"- `{w.name}_in`: {what}, element n in bits n*{w.width} and up; taken with `start`."
    else:
        yield f"- `{w.name}_write`, `_write_address`, `_write_data`: {what}."
        yield "  While `ready`, write those elements of the step to come that are not 0."


def _output(w: Wires) -> Iterator[str]:
    what = f"{comment(w.title)}: {w.size} elements of {_kind(w)}"
    if w.vector:
        yield f"- `{w.name}_out`: {what}, element n in bits n*{w.width} and up."
    else:
        yield f"- `{w.name}_address`, `{w.name}_data`: {what}; the data come a clock cycle after the address."


def _kind(w: Wires) -> str:
    sign = "two's complement, " if w.signed else ""
    scale = f", q stands for q 2^{-w.form.fraction}" if w.form.fraction else ""
    return f"{w.width} bit{'s' if w.width > 1 else ''} ({sign}{w.form.low} to {w.form.high}{scale})"


def _part(plan: Plan, key: str, one: Written) -> str:
    how = "in parallel" if key in plan.parallel else "in turn"
    return f"| `{plan.names[key]}.v` | {how} | {one.idle} | {one.busy} | {one.rom} | {one.ram} |"


_TEXT = """\
# {title}

A spiking neural network in Verilog-2005, exported by Myelin Studio.  A step is {dt} ms of the network's time.
The top module is `network` in `network.v`; files: {files}.  The `.hex` files are read by `$readmemh` and
belong beside them.  `make` replays `stimulus.txt` in Icarus Verilog and compares with `expected.txt`;
`make verilated`, `make lint` and `make synthesis` need Verilator and Yosys.

## Ports

- `clk`, `rst`: everything happens at the rising edge; `rst` is synchronous.  After it, memories are put into
  their first state; then `ready` rises.
- `start`: while `ready`, one clock cycle of `start` does one step.  `ready` falls, and when the step is over,
  `done` is 1 for a cycle and `ready` rises.  Outputs keep their values until the next `start`.
{signals}

## Numbers

All numbers are integers; sums and products are exact, shifts round to nearest, halves upwards, and what is
stored saturates.  Weights, constants and state are in the comments of every module.

## Parts, in the order of a step

Clock cycles of each where nothing fires, and where every source fires; bits of its memories.

| module | neurons | cycles at rest | cycles at most | ROM bits | RAM bits |
|---|---|---|---|---|---|
{parts}

Where neurons take turns, each takes one clock cycle, whose longest path is the arithmetic of `*_core`.
Synapses in lists are walked through spike by spike: a cycle for each source and delay that is looked at, and
one for every synapse that a spike meets.  Late spikes are looked up in the ring of their signal.
"""
