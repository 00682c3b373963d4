"""Where the signals of a network lie in memory: names, element types and how many steps of each are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.export.frozen import Frozen, Part, Synapses, every_source
from engine.export.targets._c.names import Names, slug
from engine.export.targets._c.tables import BYTES
from engine.program import Source


@dataclass(frozen=True)
class Signal:
    """A signal of the network in C.  ``depth``: steps of it that are kept, this one included."""

    source: Source
    name: str
    title: str
    size: int
    ctype: str
    depth: int
    binary: bool

    @property
    def declaration(self) -> str:
        """The buffer that holds it."""
        ring = f"[{self.depth}]" if self.depth > 1 else ""
        return f"static {self.ctype} {self.name}{ring}[{self.size}];"

    @property
    def present(self) -> str:
        """Its values of this step."""
        return f"{self.name}[{clock(self.depth)}]" if self.depth > 1 else self.name

    def past(self, delay: str) -> str:
        """Its values of some steps ago."""
        at = clock(self.depth)
        return f"{self.name}[({at} + {self.depth} - {delay}) % {self.depth}]" if self.depth > 1 else self.name

    @property
    def whole(self) -> bool:
        """Whether it counts."""
        return self.ctype in ("uint8_t", "uint16_t", "uint32_t")

    @property
    def bytes(self) -> int:
        """Bytes of memory."""
        return BYTES[self.ctype] * self.size * self.depth


def clock(depth: int) -> str:
    """The counter that says where the present step of a ring of that depth lies."""
    return f"at_{depth}"


@dataclass(frozen=True)
class Layout:
    """Names and buffers.  ``names``: a prefix for everything of a part."""

    frozen: Frozen
    taken: Names
    names: Mapping[str, str]
    signals: Mapping[Source, Signal]

    @property
    def inputs(self) -> tuple[Signal, ...]:
        """The signals that arrive from outside."""
        return tuple(self.signals[source] for source in self.frozen.inputs)

    @property
    def outputs(self) -> tuple[Signal, ...]:
        """The signals that the network gives."""
        return tuple(self.signals[source] for source in self.frozen.outputs)

    @property
    def clocks(self) -> tuple[int, ...]:
        """The depths of all rings."""
        return tuple(sorted({signal.depth for signal in self.signals.values() if signal.depth > 1}))


def lay_out(frozen: Frozen, ctype: Callable[[Source], str], binary: Callable[[Source], bool]) -> Layout:
    """Names and buffers for every signal that somebody reads; ``ctype`` and ``binary`` of a signal."""
    taken = Names()
    names = {part.id: taken.of(part.op.name) for part in frozen.parts}
    signals = {}
    for source, depth in _depths(frozen).items():
        op = frozen.program.ops.get(source.op)
        prefix = names.get(source.op) or slug(op.name if op else source.op)
        several = source.op in names and isinstance(frozen.by_id[source.op], Synapses)
        name = taken.of(f"{prefix}_current" if several else f"{prefix}_{source.port}")
        size = math.prod(frozen.shape(source))
        title = frozen.name(source) if op else str(source)
        signals[source] = Signal(source, name, title, size, ctype(source), depth, binary(source))
    return Layout(frozen, taken, names, signals)


def _depths(frozen: Frozen) -> dict[Source, int]:
    """How many steps of every signal that is read have to be kept."""
    found = dict.fromkeys([*frozen.inputs, *frozen.outputs], 1)
    for part in frozen.parts:
        for source in every_source(part):
            found[source] = max(found.get(source, 1), _reach(part))
    return found


def _reach(part: Part) -> int:
    return part.longest + 1 if isinstance(part, Synapses) else 1
