"""What the targets for chips need to know of the leaky integrate-and-fire family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import MyelinError
from engine.export.frozen import Frozen, Part, Synapses, Unit, every_source
from engine.export.simulate import Signals, simulate
from engine.program import Op, Program, Source
from nodes.ops import NumpyOps
from nodes.spec import Values

FIRING = ("population.lif", "population.cuba", "population.if")
SILENT = ("population.leaky_integrator", "population.cuba_li", "population.integrator")
SYNAPTIC = ("population.cuba", "population.cuba_li")  # with a synaptic current
FOLDED = ("structure.batch_norm", "structure.scale")
PASSED = ("structure.dropout", "structure.flatten")


@dataclass(frozen=True)
class Cell:
    """i <- s i + entry x;  v <- v_leak + a (v - v_leak) + gain J, J the new i, or x where there is no i.

    Numbers or arrays ``[*shape]``, float64.  ``s`` None: no synaptic current.  ``v_th`` None: never fires.
    ``old``: J is the i before its arrivals.  ``reset``: what v is after a spike, None where ``v_th`` is
    subtracted.  ``hold``: steps for which v stays after that of a spike.
    """

    a: Any
    gain: Any
    v_leak: Any
    s: Any = None
    entry: Any = 1.0
    old: bool = False
    v_th: Any = None
    strict: bool = False
    reset: Any = None
    most: int = 1
    hold: int = 0


def cell(unit: Unit, dt: float) -> Cell:
    """The numbers of a population of the family, in steps of ``dt`` ms."""
    op = unit.op
    known = Values({"v_leak": 0.0, "a": 1.0, "gain": op.p.get("resistance", 1.0), **op.p})
    known.update(op.spec.constants(NumpyOps(), op.p, dt))
    known.update(unit.values)
    numbers: dict[str, Any] = {k: np.asarray(known[k], np.float64) for k in ("a", "gain", "v_leak")}
    if op.type in SYNAPTIC:
        numbers |= {k: np.asarray(known[k], np.float64) for k in ("s", "entry")}
    old = op.type in SYNAPTIC and op.p.current == "old"
    if op.type not in FIRING:
        return Cell(**numbers, old=old)
    p = op.p
    return Cell(
        **numbers,
        old=old,
        v_th=np.asarray(known["v_th"], np.float64),
        strict=p.compare == ">",
        reset={"zero": 0.0, "value": p.v_reset}.get(p.reset),
        most=int(p.max_spikes),
        hold=refractory(op, dt),
    )


def refractory(op: Op, dt: float) -> int:
    """Steps of refractory time."""
    return round(float(op.p.get("refractory", 0.0)) / dt)


def constant(unit: Unit, frozen: Frozen) -> np.ndarray:
    """What a unit without inputs and state gives in every step, ``[size]`` float64."""
    alone = replace(frozen, parts=(unit,), inputs={}, outputs=())
    (port,) = unit.traced.outputs
    source = Source(unit.id, port)
    found: np.ndarray = simulate(alone, {}, 1, keep=[source])[source][0].ravel().astype(np.float64)
    return found


def is_constant(part: Part) -> bool:
    """Whether a part gives the same in every step, whatever happens."""
    return (
        isinstance(part, Unit) and not part.sources and not part.traced.state and part.op.role != "population"
    )


@dataclass(frozen=True)
class Arriving:
    """What arrives at a population: weighted sums, signals as they are, and a constant ``[size]``."""

    synapses: tuple[Synapses, ...]
    constant: np.ndarray


def arriving(unit: Unit, frozen: Frozen) -> Arriving:
    """Everything that is summed at a population; a signal that comes without a projection as weights of 1."""
    found, total = [], np.zeros(unit.size)
    for source in unit.inputs.get("input", ()):
        part = frozen.by_id.get(source.op)
        if isinstance(part, Synapses):
            total = total + (0.0 if part.offset is None else part.offset.ravel().astype(np.float64))
            still = [frozen.by_id.get(s.op) for s in part.inputs]
            for steady in still:
                if isinstance(steady, Unit) and is_constant(steady):
                    total = total + part.matrix() @ constant(steady, frozen)
            moving = zip(part.inputs, still, strict=True)
            inputs = tuple(s for s, steady in moving if steady is None or not is_constant(steady))
            if inputs:
                found.append(replace(part, inputs=inputs))
        elif part is not None and is_constant(part) and isinstance(part, Unit):
            total = total + constant(part, frozen)
        else:
            found.append(_identity(unit, source))
    return Arriving(tuple(found), np.broadcast_to(total, (unit.size,)))


def _identity(unit: Unit, source: Source) -> Synapses:
    index = np.arange(unit.size)
    one, none = np.ones(unit.size, np.float32), np.zeros(unit.size, np.int64)
    return Synapses(unit.op, (source,), unit.shape, unit.shape, index, index, one, none)


def split(frozen: Frozen) -> tuple[tuple[Part, ...], Frozen]:
    """The parts for the chip, and what is left to the host: decisions and what only they read."""
    readers: dict[str, set[str]] = {part.id: set() for part in frozen.parts}
    for part in frozen.parts:
        for source in every_source(part):
            readers.setdefault(source.op, set()).add(part.id)
    host: set[str] = set()
    for part in reversed(frozen.parts):
        if isinstance(part, Unit) and part.op.role != "population" and readers[part.id] <= host:
            host.add(part.id)
    chip = tuple(part for part in frozen.parts if part.id not in host)
    kept = tuple(part for part in frozen.parts if part.id in host)
    read = dict.fromkeys(s for part in kept for s in every_source(part) if s.op not in host)
    inputs = {source: frozen.shape(source) for source in read}
    outputs = tuple(s for s in frozen.outputs if s.op in host)
    return chip, replace(frozen, parts=kept, inputs=inputs, outputs=outputs)


def decide(host: Frozen, signals: Signals, steps: int) -> Signals:
    """The chip's signals with what the host makes of them."""
    return {**signals, **simulate(host, signals, steps)}


def latencies(hops: Mapping[str, Iterable[tuple[str, int]]]) -> dict[str, int] | None:
    """Steps by which each population lags behind what was drawn; None where a loop is too fast.

    ``hops``: for every population the sources of its synapses with the least delay of each; a hop takes at
    least one step on the chip.  Later by the same number for all that arrives is no other computation.
    """
    late = dict.fromkeys(hops, 0)
    for _ in range(len(late) + 1):
        now = {
            key: max([0, *(late.get(source, 0) + 1 - delay for source, delay in found)])
            for key, found in hops.items()
        }
        if now == late:
            return late
        late = {key: max(late[key], now[key]) for key in late}
    return None


def whole_numbers(signal: np.ndarray, name: str, chip: str) -> np.ndarray:
    """A signal of spikes or counts as int64; MyelinError where it has fractions."""
    whole: np.ndarray = np.rint(signal).astype(np.int64)
    if not np.array_equal(whole, signal):
        raise MyelinError(f"{chip} takes spikes and counts, and '{name}' has fractions: encode it first")
    return whole


def inside(program: Program, outside: set[str]) -> list[Op]:
    """The ops that are deployed, on the chip or on the host."""
    return [op for op in program.ops.values() if op.id not in outside and op.role not in ("loss", "probe")]


def unread(op: Op, program: Program, silent: str = "v", firing: tuple[str, ...] = ("spikes",)) -> list[str]:
    """Signals of populations that an op asks for and a chip does not give, by what people call them.

    ``silent``: the port that is read of what never fires; ``firing``: those of what does.
    """
    found = []
    for source in (s for group in op.inputs.values() for s in group):
        sender = program.ops[source.op]
        given = (silent,) if sender.type in SILENT else firing
        if sender.role == "population" and source.port not in given:
            found.append(f"{sender.name}.{source.port}")
    return found


def trained(op: Op, *names: str) -> list[str]:
    """Which of these parameters have a value for every neuron."""
    return [name for name in names if name in op.p.get("train", ())]


def counted(number: int, thing: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number:,} {thing}{'s' * (number != 1)}"
