"""What Xylo cannot take, or takes otherwise, as diagnostics of a program."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from engine.compile.diagnostics import Diagnostic, declare
from engine.errors import MyelinError
from engine.export.freeze import outside_of
from engine.export.targets._lif import (
    FOLDED,
    PASSED,
    SILENT,
    SYNAPTIC,
    counted,
    inside,
    refractory,
    unread,
)
from engine.export.targets._through import POOL, fits
from engine.export.targets._xylo.specified import MOST_SPIKES, latencies
from engine.program import Op, Program

UNKNOWN = declare("MYL285", "error", "Xylo's neurons and synapses cannot do what this node does.")
DELAYED = declare("MYL286", "error", "Xylo has no delays.")
SHAPED = declare("MYL287", "error", "The network is larger than Xylo, or wired otherwise.")
ROUNDED = declare("MYL288", "warning", "Weights, thresholds and decays become Xylo's whole numbers.")
HOST = declare("MYL289", "info", "What a decision needs is worked out on the host.")


@dataclass(frozen=True)
class Chip:
    """Sizes of a chip (rockpool.ai/devices/xylo-overview, family table; rockpool 3.1.0, xylo_mapper.py).

    ``reached``: hidden neurons that input can reach, or that a readout can hear.
    """

    name: str
    inputs: int
    hidden: int
    outputs: int
    fan_out: int
    reached: int


CHIPS = {
    "audio2": Chip("Xylo Audio 2", 16, 1000, 8, 64, 1000),
    "audio3": Chip("Xylo Audio 3", 16, 992, 32, 1024, 128),
}


def rules(program: Program, chip: Chip) -> list[Diagnostic]:
    """Everything that matters on Xylo."""
    outside = outside_of(program)
    ops = inside(program, outside)
    found = [problem for op in ops for problem in _op(op, program)]
    found += _delays(program, outside)
    found += _sizes(program, ops, outside, chip)
    changed = tuple(op.id for op in ops if op.role in ("population", "projection"))
    words = (
        "weights become 8-bit numbers, decays shifts of bits, states 16-bit numbers; a channel takes at most "
        "15 events a step"
    )
    return [*found, ROUNDED(changed, words)]


def _op(op: Op, program: Program) -> Iterator[Diagnostic]:
    if op.role in ("readout", "structure"):
        for name in unread(op, program):
            yield UNKNOWN((op.id,), f"'{op.name}' reads '{name}', which is not read from Xylo")
    if op.role == "population":
        yield from _population(op, program)
    elif op.role == "readout":
        yield HOST((op.id,), f"'{op.name}' is worked out on the host")
    elif op.role == "projection":
        for source in (s for group in op.inputs.values() for s in group):
            sender = program.ops[source.op]
            if sender.role == "projection" or (sender.role == "population" and source.port != "spikes"):
                words = f"'{op.name}' reads '{sender.name}.{source.port}', and Xylo's synapses read spikes"
                yield UNKNOWN((op.id, sender.id), words)
    elif op.type == POOL and fits(op, program):
        return
    elif op.type not in (*FOLDED, *PASSED) and any(op.inputs.values()):
        yield UNKNOWN((op.id,), f"Xylo has nothing that does what '{op.name}' ({op.spec.label}) does")


def _population(op: Op, program: Program) -> Iterator[Diagnostic]:
    p, name, dt = op.p, op.name, program.dt
    if op.type not in SYNAPTIC:
        words = f"'{name}' is {op.spec.label}; Xylo's neurons have a synaptic current"
        yield UNKNOWN((op.id,), words, hint="take CuBa LIF (or CuBa LI to read out) and train again")
        return
    for tau in ("tau_mem", "tau_syn"):
        if p[tau] <= dt:
            yield UNKNOWN((op.id,), f"{tau} of '{name}' is not above one step of {dt:g} ms", tau)
    if op.type in SILENT:
        return
    if p.reset != "subtract" or p.reset_step != "same":
        words = f"'{name}' resets by `{p.reset}` in the {p.reset_step} step; Xylo subtracts at once"
        yield UNKNOWN((op.id,), words, "reset", "set reset to `subtract` and train again")
    if refractory(op, dt):
        words = f"'{name}' is refractory; Xylo's neurons are not"
        yield UNKNOWN((op.id,), words, "refractory", "set it to 0")
    if p.compare == ">":
        yield ROUNDED(
            (op.id,), f"'{name}' fires above its threshold; on Xylo at its threshold, too", "compare"
        )
    inner = _read(op, list(program.of_role("projection")))
    most = MOST_SPIKES if inner else 1
    if p.max_spikes != most:
        given = counted(p.max_spikes, "spike")
        kind = "hidden" if inner else "readout"
        words = f"'{name}' gives up to {given} in a step; on Xylo {kind} neurons give up to {most}"
        yield ROUNDED((op.id,), words, "max_spikes", f"set it to {most}")


def _delays(program: Program, outside: set[str]) -> Iterator[Diagnostic]:
    """Delays that differ, or that the chip's own steps cannot stand for."""
    found = []
    for op in program.of_role("projection"):
        if op.smallest_delay != op.largest_delay:
            found.append(op)
    hops = {op.id: list(_senders(op, program, outside)) for op in _populations(program, outside)}
    try:
        latencies(hops)
    except MyelinError:
        found += [op for op in program.of_role("projection") if op.largest_delay and op not in found]
    for op in found:
        most = counted(op.largest_delay, "step")
        words = f"'{op.name}' delays its spikes by up to {most}: Xylo has no delays"
        yield DELAYED((op.id,), words, "delays", "train without delays, or choose Loihi 2")
    try:
        latencies(hops)
    except MyelinError:
        if not found:
            ids = tuple(op.id for op in _populations(program, outside))
            words = "paths of different length meet, and on Xylo each hop but that of the input takes a step"
            yield DELAYED(ids, words, "delays", "give every projection between neurons a lag of 1")


def _populations(program: Program, outside: set[str]) -> list[Op]:
    return [op for op in program.of_role("population") if op.id not in outside]


def _senders(op: Op, program: Program, outside: set[str]) -> Iterator[tuple[str, int]]:
    """(population, or "" for the input, least delay) of what reaches a node; ``old`` currents a step more."""
    own = 1 if op.type in SYNAPTIC and op.p.current == "old" else 0
    for source in (s for group in op.inputs.values() for s in group):
        sender = program.ops[source.op]
        if sender.id in outside:
            yield "", own
        elif sender.role == "population":
            yield sender.id, own
        else:
            for key, delay in _senders(sender, program, outside):
                yield key, delay + sender.smallest_delay + own


def _sizes(program: Program, ops: list[Op], outside: set[str], chip: Chip) -> Iterator[Diagnostic]:
    graph = nx.DiGraph()
    cells = _populations(program, outside)
    graph.add_nodes_from(op.id for op in cells)
    for op in cells:
        graph.add_edges_from((key, op.id) for key, _ in _senders(op, program, outside))
    fed = set(graph.successors("")) if "" in graph else set()
    hidden = [op for op in cells if graph.out_degree(op.id)]
    readouts = [op for op in cells if not graph.out_degree(op.id)]
    channels = sum(_size(op) for op in program.ops.values() if op.id in outside and _read(op, ops))
    yield from _more("input channels", channels, chip.inputs, chip, ())
    yield from _more("hidden neurons", _total(hidden), chip.hidden, chip, hidden)
    yield from _more("readout neurons", _total(readouts), chip.outputs, chip, readouts)
    yield from _more(
        "neurons behind the input", _total([op for op in cells if op.id in fed]), chip.reached, chip, ()
    )
    if not hidden or not readouts:
        words = f"{chip.name} has hidden neurons and readout neurons: it needs two populations in a row"
        yield SHAPED(tuple(op.id for op in cells), words)
    for op in (op for op in readouts if op.id in fed):
        yield SHAPED(
            (op.id,), f"'{op.name}' reads the input and nothing reads it; Xylo has hidden neurons between"
        )
    for op in (op for op in hidden if op.type in SILENT):
        yield UNKNOWN((op.id,), f"'{op.name}' sends no spikes, but others read it")
    for op in hidden:
        fan = sum(
            _fan(o) for o in program.of_role("projection") if any(s.op == op.id for s in o.inputs["input"])
        )
        if fan > chip.fan_out:
            words = f"a neuron of '{op.name}' sends to {fan:.0f} others; {chip.name} has {chip.fan_out}"
            yield SHAPED((op.id,), words, hint="connect fewer, or make the population smaller")


def _more(what: str, found: int, most: int, chip: Chip, ops: list[Op] | tuple[()]) -> Iterator[Diagnostic]:
    if found > most:
        yield SHAPED(
            tuple(op.id for op in ops), f"the network has {found:,} {what}; {chip.name} has {most:,}"
        )


def _total(ops: list[Op]) -> int:
    return sum(_size(op) for op in ops)


def _size(op: Op) -> int:
    shapes = (op.shapes[port] for port in op.spec.outputs if op.spec.outputs[port].kinds[0] != "label")
    return math.prod(next((shape for shape in shapes if shape), ()))


def _read(op: Op, ops: list[Op]) -> bool:
    return any(s.op == op.id for o in ops for group in o.inputs.values() for s in group)


def _fan(op: Op) -> float:
    """Synapses from each source of a projection, on average."""
    if op.type.startswith("projection.conv"):
        return float(op.p.channels * op.p.window ** (len(op.shapes["input"] or ()) - 1))
    return float(op.spec.synapses(op.p, dict(op.shapes))) / max(1, math.prod(op.shapes["input"] or ()))  # type: ignore[attr-defined]
