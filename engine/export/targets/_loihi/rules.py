"""What Loihi cannot take, or takes otherwise, as diagnostics of a program."""

from __future__ import annotations

from collections.abc import Iterator

from engine.compile.diagnostics import Diagnostic, declare
from engine.export.freeze import outside_of
from engine.export.targets._lif import (
    FIRING,
    FOLDED,
    PASSED,
    SILENT,
    SYNAPTIC,
    counted,
    inside,
    latencies,
    refractory,
    trained,
    unread,
)
from engine.export.targets._loihi.deployed import LONGEST
from engine.export.targets._through import POOL, fits
from engine.program import Op, Program

ROUNDED = declare("MYL270", "warning", "Weights, thresholds, decays and biases become Loihi's whole numbers.")
UNKNOWN = declare("MYL271", "error", "Loihi's neurons and synapses cannot do what this node does.")
NEURON = declare("MYL272", "error", "A parameter of a population has no counterpart on Loihi.")
FAST = declare("MYL273", "error", "A loop has fewer steps of delay than hops; on Loihi each hop takes one.")
LONG = declare("MYL274", "warning", f"Delays above {LONGEST} steps are cut.")
LATE = declare("MYL275", "info", "On Loihi every hop takes a step; signals are put back in time.")
HOST = declare("MYL276", "info", "What a decision needs is worked out on the host.")
HELD = declare(
    "MYL277", "info", "Lava has no bit-accurate neuron with refractory time; the script brings one."
)
CHAIN = declare("MYL278", "error", "A file for lava-dl is a chain of populations without loops.")
GRADED = declare("MYL279", "error", "Only spikes and counts travel between Loihi's neurons.")
MOST_HELD = 63  # steps


def rules(program: Program) -> list[Diagnostic]:
    """Everything that matters on Loihi."""
    ops = inside(program, outside_of(program))
    found = [problem for op in ops for problem in _op(op, program)]
    found += _loops(program)
    if not any(op.role == "population" for op in ops):
        found.append(UNKNOWN((), "the network has no neurons for Loihi"))
    changed = tuple(op.id for op in ops if op.role in ("population", "projection"))
    words = "weights become 8-bit, decays 12-bit numbers; thresholds and biases are rounded with them"
    return [*found, ROUNDED(changed, words)]


def _op(op: Op, program: Program) -> Iterator[Diagnostic]:
    if op.role in ("readout", "structure"):
        for name in unread(op, program, firing=("spikes", "v")):
            yield UNKNOWN((op.id,), f"'{op.name}' reads '{name}', which is not read from Loihi")
    if op.role == "population":
        yield from population(op, program.dt)
    elif op.role == "projection":
        yield from _projection(op, program)
    elif op.role == "readout" and not _read(op, program):
        yield HOST((op.id,), f"'{op.name}' is worked out on the host")
    elif op.type == POOL and fits(op, program):
        return
    elif op.type not in (*FOLDED, *PASSED) and any(op.inputs.values()) and _read(op, program):
        yield UNKNOWN((op.id,), f"Loihi has nothing that does what '{op.name}' ({op.spec.label}) does")


def _read(op: Op, program: Program) -> bool:
    """Whether more than decisions read what an op gives."""
    readers = [o for o in program.ops.values() if any(s.op == op.id for g in o.inputs.values() for s in g)]
    return any(o.role not in ("readout", "loss", "probe") for o in readers)


def population(op: Op, dt: float) -> Iterator[Diagnostic]:
    """What a population asks for that Loihi's LIF has not."""
    if op.type not in (*FIRING, *SILENT):
        yield UNKNOWN((op.id,), f"'{op.name}' is {op.spec.label}; Loihi has LIF and CuBa LIF neurons")
        return
    p, name = op.p, op.name
    for tau in trained(op, "tau_mem", "tau_syn"):
        words = f"every neuron of '{name}' learns its own {tau}; a population on Loihi has one"
        yield NEURON((op.id,), words, tau, "take it off `train`")
    for tau in ("tau_mem", "tau_syn"):
        if p.get("integration") == "euler" and p.get(tau, dt) < dt:
            yield NEURON((op.id,), f"{tau} of '{name}' is below one step of {dt:g} ms", tau, "use `exact`")
    if op.type not in FIRING:
        return
    if p.reset not in ("zero", "value"):
        words = f"'{name}' resets by `{p.reset}`; Loihi's neurons reset to a value"
        yield NEURON((op.id,), words, "reset", "set reset to `zero` and train again")
    if p.reset_step != "same":
        yield NEURON((op.id,), f"'{name}' resets in the next step, Loihi in the same", "reset_step")
    held = refractory(op, dt)
    if held > MOST_HELD:
        yield NEURON(
            (op.id,), f"'{name}' is refractory for {held} steps; Loihi has {MOST_HELD}", "refractory"
        )
    elif held:
        yield HELD((op.id,), f"'{name}' is refractory, which the script adds to Lava's bit-accurate LIF")


def _projection(op: Op, program: Program) -> Iterator[Diagnostic]:
    for source in (s for group in op.inputs.values() for s in group):
        sender = program.ops[source.op]
        if sender.role == "projection" or (sender.role == "population" and source.port != "spikes"):
            words = f"'{op.name}' reads '{sender.name}.{source.port}', and Loihi's synapses read spikes"
            yield GRADED((op.id, sender.id), words)
    if op.largest_delay - 1 > LONGEST:
        words = (
            f"delays of '{op.name}' may reach {op.largest_delay} steps; what is above {LONGEST + 1} is cut"
        )
        yield LONG((op.id,), words, hint=f"keep delays at {LONGEST} steps or below")


def _loops(program: Program) -> Iterator[Diagnostic]:
    """Latency, or a loop that is too fast for any."""
    hops: dict[str, list[tuple[str, int]]] = {}
    outside = outside_of(program)
    for op in program.of_role("population"):
        if op.id in outside:
            continue
        own = 1 if op.type in SYNAPTIC and op.p.current == "old" else 0
        hops[op.id] = [(source, delay + own) for source, delay in _senders(op, program)]
    late = latencies(hops)
    if late is None:
        ids = tuple(op.id for op in program.of_role("population"))
        words = "a loop has fewer steps of delay than hops, and on Loihi each hop takes one step"
        yield FAST(ids, words, hint="delay each projection of the loop by at least one step")
        return
    for key, steps in late.items():
        if steps:
            words = (
                f"'{program.ops[key].name}' lags {counted(steps, 'step')}: one for every hop without delay"
            )
            yield LATE((key,), words)


def _senders(op: Op, program: Program) -> Iterator[tuple[str, int]]:
    """(population or input, least delay) of what reaches a population."""
    for group in op.inputs.values():
        for source in group:
            sender = program.ops[source.op]
            if sender.role in ("population", "dataset", "offline"):
                yield sender.id, 0
            else:
                yield from ((key, delay + sender.smallest_delay) for key, delay in _senders(sender, program))
