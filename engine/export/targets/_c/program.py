"""network.h and network.c from the parts that were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.export.frozen import Frozen, Synapses
from engine.export.targets._c.collective import FUNCTIONS
from engine.export.targets._c.expr import HELPERS
from engine.export.targets._c.layout import Layout, Signal, clock, lay_out
from engine.export.targets._c.names import comment
from engine.export.targets._c.synapses import Arithmetic, Written, write_synapses
from engine.export.targets._c.tables import BYTES
from engine.export.targets._c.units import Step, write_unit
from engine.export.whole import Range, whole_signals
from engine.program import Source

COUNTS = 255  # spikes that an input can bring in one step


@dataclass
class Code:
    """The two files, and what they cost.

    ``flash``: bytes of tables.  ``ram``: of buffers.  ``additions``: of synapses in a step where all fires.
    ``per_spike``: of one spike of the best connected source.  ``operations``: of the units in a step.
    """

    header: str
    source: str
    layout: Layout
    flash: int = 0
    ram: int = 0
    additions: int = 0
    per_spike: int = 0
    operations: int = 0


@dataclass
class Parts:
    """Every part of a network as C, in the order of a step."""

    layout: Layout
    sum_type: str
    helpers: Mapping[str, str]
    synapses: dict[str, Written] = field(default_factory=dict)
    units: dict[str, Step] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)  # of the helpers, by projections

    @property
    def order(self) -> list[Written | Step]:
        """The parts as they run."""
        return [self.synapses.get(part.id) or self.units[part.id] for part in self.layout.frozen.parts]


def float_type(ranges: Mapping[Source, Range], source: Source) -> str:
    """Counts as bytes where they fit, everything else in single precision."""
    least, most = ranges.get(source, (-1.0, -1.0))
    if least < 0 or most >= 2**16:
        return "float"
    return "uint8_t" if most < 2**8 else "uint16_t"


def float_layout(frozen: Frozen) -> Layout:
    """Buffers of a network in single precision."""
    ranges = whole_signals(frozen, COUNTS)
    return lay_out(frozen, lambda s: float_type(ranges, s), lambda s: ranges.get(s, (0, 2))[1] <= 1)


def float_parts(frozen: Frozen, double_sums: bool) -> Parts:
    """A network in single precision."""
    layout = float_layout(frozen)
    kind = "double" if double_sums else "float"
    maths = Arithmetic("float", kind, "(float){sum}{heard}" if double_sums else "{sum}{heard}")
    parts = Parts(layout, kind, {**HELPERS, **FUNCTIONS})
    for part in frozen.parts:
        if isinstance(part, Synapses):
            parts.synapses[part.id] = write_synapses(part, part.weight, part.offset, layout, maths)
        else:
            parts.units[part.id] = write_unit(part, layout)
    return parts


def assemble(parts: Parts, notes: Sequence[str], scales: Mapping[Source, int] | None = None) -> Code:
    """The two files.

    ``notes``: what to know of the numbers, one line each.  ``scales``: bits behind the point of signals.
    """
    layout = parts.layout
    widest = max((part.target_size for part in layout.frozen.synapses), default=0)
    latest = max((int(p.onset.max()) for p in layout.frozen.synapses if p.onset is not None), default=0)
    ram = sum(signal.bytes for signal in layout.signals.values()) + BYTES[parts.sum_type] * widest
    ram += sum(step.ram for step in parts.units.values()) + 4 * len(layout.clocks) + (4 if latest else 0)
    return Code(
        _header(layout, notes, scales or {}),
        _source(parts, widest, latest, notes),
        layout,
        sum(one.flash for one in parts.order),
        ram,
        sum(len(part.weight) * len(part.inputs) for part in layout.frozen.synapses),
        _most_per_spike(parts),
        sum(step.operations for step in parts.units.values()),
    )


def _most_per_spike(parts: Parts) -> int:
    """Additions that one spike of the best connected signal costs, over all projections that read it."""
    found: dict[Source, int] = {}
    for synapses in parts.layout.frozen.synapses:
        for source in synapses.inputs:
            found[source] = found.get(source, 0) + parts.synapses[synapses.id].per_spike
    return max(found.values(), default=0)


def _arguments(layout: Layout) -> str:
    given = [f"const {s.ctype} {s.name}_in[{s.size}]" for s in layout.inputs]
    taken = [f"{s.ctype} {s.name}_out[{s.size}]" for s in layout.outputs]
    return ",\n                  ".join([*given, *taken]) or "void"


def _header(layout: Layout, notes: Sequence[str], scales: Mapping[Source, int]) -> str:
    frozen = layout.frozen
    scaled = [
        (signal, scales[signal.source])
        for signal in (*layout.inputs, *layout.outputs)
        if signal.source in scales
    ]
    defines = "".join(
        f"#define {s.name.upper()}_FRACTION {bits}  /* n stands for n 2^-{bits} */\n" for s, bits in scaled
    )
    lines = "".join(f"\n *   {_line(signal)}" for signal in (*layout.inputs, *layout.outputs))
    return f"""\
/* {comment(frozen.program.title)}: a spiking neural network, exported by Myelin Studio.
 *
 * One step is {frozen.dt:g} ms.  Call network_reset() once, then network_step() for every step:{lines}
{"".join(f" * {comment(note)}".rstrip() + chr(10) for note in notes)} */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdint.h>

#define NETWORK_DT_MS {frozen.dt:g}
{defines}
/* Put the network into its first state. */
void network_reset(void);

/* Do one step.  An output that is not wanted may be NULL. */
void network_step({_arguments(layout)});

#endif
"""


def _line(signal: Signal) -> str:
    what = "spikes in this step" if signal.whole else "numbers"
    return f"{signal.name}: {comment(signal.title)}, {signal.size} {what}"


def _source(parts: Parts, widest: int, latest: int, notes: Sequence[str]) -> str:
    layout = parts.layout
    wanted = parts.needed.union(*(step.helpers for step in parts.units.values()))
    helpers = "\n".join(text for name, text in parts.helpers.items() if name in wanted)
    buffers = "\n".join(_buffer(signal) for signal in layout.signals.values())
    clocks = "".join(
        f"static uint32_t {clock(d)};  /* where this step lies in rings of {d} */\n" for d in layout.clocks
    )
    steps = f"static uint32_t steps;  /* done so far, at most {latest} */\n" if latest else ""
    sums = f"static {parts.sum_type} sums[{widest}];  /* of the projection at work */\n" if widest else ""
    bodies = "\n".join(f"{one.tables}{chr(10) if one.tables else ''}{one.function}" for one in parts.order)
    shifts = "" if "float" in _types(layout) else _SHIFTS
    includes = "".join(f"#include <{name}.h>\n" for name in ("math", "stddef", "string"))
    return f"""\
/* {comment(layout.frozen.program.title)}, exported by Myelin Studio.  See network.h. */
#include "network.h"

{includes}{shifts}
/* Signals; those that are read late are kept in rings of steps. */
{buffers}
{clocks}{steps}{sums}
{helpers}{chr(10) if helpers else ""}{bodies}
{_reset(parts, latest)}
{_step(parts, latest)}"""


_SHIFTS = """
#if (-1 >> 1) != -1
#error "this code needs a compiler that shifts negative numbers arithmetically"
#endif
"""


def _types(layout: Layout) -> set[str]:
    return {signal.ctype for signal in layout.signals.values()}


def _buffer(signal: Signal) -> str:
    return f"{signal.declaration}  /* {comment(signal.title)} */"


def _reset(parts: Parts, latest: int) -> str:
    layout = parts.layout
    states = "".join(step.reset for step in parts.units.values())
    cleared = [f"memset({s.name}, 0, sizeof {s.name});" for s in layout.signals.values()]
    cleared += [f"{clock(depth)} = 0;" for depth in layout.clocks] + (["steps = 0;"] if latest else [])
    lines = "".join(f"    {line}\n" for line in cleared)
    return f"void network_reset(void)\n{{\n{'    uint32_t n;' + chr(10) if states else ''}{lines}{states}}}\n"


def _step(parts: Parts, latest: int) -> str:
    layout = parts.layout
    lines = [f"{clock(depth)} = ({clock(depth)} + 1) % {depth};" for depth in layout.clocks]
    lines += [f"memcpy({s.present}, {s.name}_in, {_size(s)});" for s in layout.inputs]
    lines += [f"{part.name}();" for part in parts.order]
    lines += [line for signal in layout.outputs for line in _given(signal)]
    lines += [f"steps += steps < {latest};"] if latest else []
    return f"void network_step({_arguments(layout)})\n{{\n" + _indented(lines) + "}\n"


def _given(signal: Signal) -> Iterable[str]:
    yield f"if ({signal.name}_out != NULL) {{"
    yield f"    memcpy({signal.name}_out, {signal.present}, {_size(signal)});"
    yield "}"


def _size(signal: Signal) -> str:
    return f"sizeof {signal.present}"


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)
