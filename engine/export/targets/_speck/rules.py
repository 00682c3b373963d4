"""What Speck cannot take, or takes otherwise, as diagnostics of a program."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from engine.compile.diagnostics import Diagnostic, declare
from engine.export.freeze import outside_of
from engine.export.targets._lif import (
    FOLDED,
    PASSED,
    counted,
    inside,
    refractory,
    trained,
    unread,
)
from engine.export.targets._speck.mapped import cores, memory, plane
from engine.export.targets._through import POOL
from engine.program import Op, Program

UNKNOWN = declare("MYL280", "error", "Speck's cores cannot do what this node does.")
DELAYED = declare("MYL281", "error", "Speck has no delays.")
SHAPED = declare("MYL282", "error", "The layers do not fit Speck's cores.")
ROUNDED = declare(
    "MYL283", "warning", "Weights and thresholds become Speck's whole numbers; time has no steps."
)
HOST = declare("MYL284", "info", "What a decision needs is worked out on the host.")
MANY = 1_000_000  # spikes in a step: as good as no limit
STRIDES, POOLS, LARGEST_WINDOW, LARGEST_PADDING = (1, 2, 4, 8), (1, 2, 4), 16, 7


def rules(program: Program) -> list[Diagnostic]:
    """Everything that matters on Speck."""
    ops = inside(program, outside_of(program))
    found = [problem for op in ops for problem in _op(op, program)]
    found += _chain(program, ops)
    if not any(op.role == "population" for op in ops):
        found.append(SHAPED((), "the network has no neurons for Speck"))
    if not found or all(problem.severity != "error" for problem in found):
        found += _memory(ops)
    changed = tuple(op.id for op in ops if op.role in ("population", "projection"))
    words = (
        "weights become 8-bit numbers; on the chip events come one by one and not in steps, and biases act "
        "by its slow clock, which must tick once a step"
    )
    return [*found, ROUNDED(changed, words)]


def _op(op: Op, program: Program) -> Iterator[Diagnostic]:
    if op.role in ("readout", "structure"):
        for name in unread(op, program):
            yield UNKNOWN((op.id,), f"'{op.name}' reads '{name}', which Speck does not give")
    if op.role == "population":
        yield from _population(op, program.dt)
    elif op.role == "projection":
        yield from _projection(op)
    elif op.role == "readout":
        yield HOST((op.id,), f"'{op.name}' is worked out on the host")
    elif op.type == POOL:
        yield from _pool(op)
    elif op.type not in (*FOLDED, *PASSED) and any(op.inputs.values()):
        yield UNKNOWN((op.id,), f"Speck has nothing that does what '{op.name}' ({op.spec.label}) does")


def _population(op: Op, dt: float) -> Iterator[Diagnostic]:
    p, name = op.p, op.name
    if op.type != "population.if":
        words = f"'{name}' is {op.spec.label}; Speck has neurons without leak that fire"
        yield UNKNOWN((op.id,), words, hint="take IF, and train again")
        return
    if p.reset not in ("subtract", "zero") or p.reset_step != "same":
        how = f"resets by `{p.reset}` in the {p.reset_step} step"
        words = f"'{name}' {how}; Speck subtracts or resets to zero at once"
        yield UNKNOWN((op.id,), words, "reset")
    if refractory(op, dt):
        yield UNKNOWN(
            (op.id,), f"'{name}' is refractory; Speck's neurons are not", "refractory", "set it to 0"
        )
    if p.compare == ">":
        yield ROUNDED(
            (op.id,), f"'{name}' fires above its threshold; on Speck at its threshold, too", "compare"
        )
    if p.reset == "subtract" and p.max_spikes < MANY:
        most = counted(p.max_spikes, "spike")
        words = f"'{name}' gives up to {most} in a step; on Speck as many as it holds thresholds"
        yield ROUNDED((op.id,), words, "max_spikes")
    for parameter in trained(op, "v_th", "resistance"):
        yield UNKNOWN(
            (op.id,), f"neurons of '{name}' have a {parameter} each; those of a core share it", parameter
        )


def _projection(op: Op) -> Iterator[Diagnostic]:
    p, name = op.p, op.name
    if op.largest_delay:
        most = counted(op.largest_delay, "step")
        words = f"'{name}' delays its spikes by up to {most}: Speck has no delays"
        yield DELAYED((op.id,), words, "delays", "train without delays, or choose Loihi 2")
    if op.type not in ("projection.dense", "projection.conv2d"):
        hint = "pool between the layers" if op.type == "projection.pool" else "take Dense or Conv 2D"
        yield UNKNOWN((op.id,), f"'{name}' is {op.spec.label}; Speck's cores convolve planes", hint=hint)
    elif op.type == "projection.conv2d":
        if p.stride not in STRIDES:
            yield SHAPED((op.id,), f"'{name}' has stride {p.stride}; Speck has 1, 2, 4 and 8", "stride")
        if p.window > LARGEST_WINDOW:
            yield SHAPED(
                (op.id,), f"the window of '{name}' is {p.window} wide, more than {LARGEST_WINDOW}", "window"
            )
        if p.padding > LARGEST_PADDING:
            yield SHAPED((op.id,), f"'{name}' pads by {p.padding}, more than {LARGEST_PADDING}", "padding")


def _pool(op: Op) -> Iterator[Diagnostic]:
    if op.p.window not in POOLS:
        yield SHAPED((op.id,), f"'{op.name}' pools {op.p.window} wide; Speck pools 1, 2 or 4", "window")
    if op.p.mode == "max":
        yield UNKNOWN(
            (op.id,), f"'{op.name}' takes the largest of a window; Speck sums", "mode", "take `sum`"
        )
    if len(op.shapes["input"] or ()) != 3:
        yield SHAPED((op.id,), f"'{op.name}' pools a line; Speck pools planes")


def _chain(program: Program, ops: list[Op]) -> Iterator[Diagnostic]:
    """Populations that do not follow one another, from one input on."""
    graph = nx.DiGraph()
    for op in (op for op in ops if op.role != "readout"):
        graph.add_node(op.id)
        graph.add_edges_from((s.op, op.id) for group in op.inputs.values() for s in group)
    for key in graph:
        op = program.ops[key]
        before, after = graph.in_degree(key), graph.out_degree(key)
        if before > 1 or after > 1 or (op.role == "population" and op in ops and not before):
            counts = f"{counted(before, 'node')} before and {counted(after, 'node')} after it"
            yield SHAPED((key,), f"'{op.name}' has {counts}; this export to Speck is a chain of layers")
        elif op.role == "encoder" and op in ops:
            yield SHAPED(
                (key,), f"'{op.name}' drives what comes after it without an input; Speck takes events"
            )
    for loop in nx.simple_cycles(graph):
        names = " -> ".join(f"'{program.ops[key].name}'" for key in loop)
        yield SHAPED(tuple(loop), f"{names} is a loop; Speck's cores feed forward only")
        return


def _memory(ops: list[Op]) -> Iterator[Diagnostic]:
    """Layers that find no core."""
    layers = [op for op in ops if op.role == "projection"]
    needs = []
    for op in layers:
        entry, exit = plane(op.shapes["input"] or ()), plane(op.shapes["output"] or ())
        window = int(op.p.window) if op.type == "projection.conv2d" else 1
        if op.type == "projection.conv2d" and len(op.shapes["input"] or ()) != 3:
            continue
        weights, neurons = memory((exit[0], entry[0], window, window), exit)
        needs.append((weights, neurons))
        if cores([(weights, neurons)]) is None:
            words = (
                f"'{op.name}' needs {weights:,} words of weights and {neurons:,} of neurons: no core has both"
            )
            yield SHAPED((op.id,), words, hint="fewer channels, or pool before it")
    if len(layers) > 9 or (cores(needs) is None and all(cores([need]) for need in needs)):
        yield SHAPED(
            tuple(op.id for op in layers), f"Speck's nine cores do not hold these {len(layers)} layers"
        )
