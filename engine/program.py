"""The program: what a document compiles to.  Frozen records and a text printer; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nodes import registry
from nodes.spec import Shape, Spec, Tensor, Values


@dataclass(frozen=True)
class Source:
    """An output port of an op."""

    op: str
    port: str

    def __str__(self) -> str:
        return f"{self.op}.{self.port}"


@dataclass(frozen=True)
class Delay:
    """Delays attached to a projection, in steps: the kernel reaches over taps ``low..high`` inclusive.

    ``extend``: steps by which the projection's output outlasts its input in whole-sequence runs.
    """

    node: str
    type: str
    granularity: str
    low: int
    high: int
    extend: int
    learnable: bool
    p: Values

    def __str__(self) -> str:
        kind = "learnable" if self.learnable else "set"
        tail = f", extend {self.extend}" if self.extend else ""
        return f"delays[{kind} per {self.granularity}, {self.low}..{self.high} steps{tail}]"


@dataclass(frozen=True)
class Op:
    """One node of the program with everything needed to run it.

    ``inputs``: for each input port the sources that are summed there.  ``lag``: steps of a hop besides the
    delays.  ``tail``: steps by which its output outlasts the program's input.
    """

    id: str
    name: str
    type: str
    role: str
    inputs: Mapping[str, tuple[Source, ...]]
    p: Values
    shapes: Mapping[str, Shape | None]
    delay: Delay | None = None
    lag: int = 0
    tail: int = 0

    @property
    def spec(self) -> Spec:
        """The declaration behind the op."""
        spec = registry.get(self.type)
        assert spec is not None, f"the program names {self.type}, which is not installed"
        return spec

    @property
    def smallest_delay(self) -> int:
        """Steps that any signal needs to pass."""
        return self.lag + (self.delay.low if self.delay else 0)

    @property
    def largest_delay(self) -> int:
        """Steps of the past that the op has to remember."""
        return self.lag + (self.delay.high if self.delay else 0)


@dataclass(frozen=True)
class Stage:
    """Ops that run together: over the whole sequence (``chunk`` None) or, a loop, in chunks of steps.

    ``cut``: ops of a loop whose delay is at least a chunk; they read only what earlier chunks left.
    """

    ops: tuple[str, ...]
    chunk: int | None = None
    cut: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """What a probe keeps: ``records`` is ``signal``, ``rate``, ``weights`` or ``delays`` of a source."""

    name: str
    probe: str
    source: Source
    records: str
    p: Values = field(default_factory=Values)


@dataclass(frozen=True)
class Program:
    """A compiled document."""

    title: str
    dt: float
    seed: int
    ops: Mapping[str, Op]
    stages: tuple[Stage, ...]
    records: tuple[Record, ...] = ()
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of_role(self, role: str) -> tuple[Op, ...]:
        """The ops of one role in the order they run."""
        return tuple(op for op in self.ops.values() if op.role == role)

    @cached_property
    def tail(self) -> int:
        """Steps a whole-sequence run lasts beyond its input."""
        return max((op.tail for op in self.ops.values()), default=0)

    def text(self) -> str:
        """The program as text, one line an op."""
        lines = [f'program "{self.title}"  dt {self.dt:g} ms  seed {self.seed}']
        for number, stage in enumerate(self.stages):
            how = "whole sequence" if stage.chunk is None else f"loop, chunks of {stage.chunk} steps"
            lines.append(f"stage {number}: {how}")
            lines += [f"  {_line(self.ops[op], op in stage.cut)}" for op in stage.ops]
        lines += [f"record {r.name} = {r.records} of {r.source}" for r in self.records]
        return "\n".join(lines) + "\n"


def delay_shape(granularity: str, shapes: Mapping[str, Shape | None], tensors: Mapping[str, Tensor]) -> Shape:
    """Shape of a projection's delays: its weight's (per synapse), its input's, its output's, or (1,)."""
    if granularity == "synapse":
        return tensors["weight"].shape
    port = {"axonal": "input", "dendritic": "output"}.get(granularity)
    return (shapes[port] or ()) if port else (1,)


def _line(op: Op, cut: bool) -> str:
    wired = ", ".join(
        f"{port}={' + '.join(map(str, sources))}" for port, sources in op.inputs.items() if sources
    )
    shape = next(
        (s for s in (op.shapes.get("output"), op.shapes.get("spikes"), *op.shapes.values()) if s), ()
    )
    size = "x".join(map(str, shape)) or "scalar"
    extras = [str(op.delay)] if op.delay else []
    extras += [f"lag {op.lag}"] if op.lag else []
    extras += [f"tail {op.tail}"] if op.tail else []
    extras += ["from earlier chunks"] if cut else []
    return "  ".join([f"{op.id} = {op.type}({wired})", f"[{size}]", f"'{op.name}'", *extras])
