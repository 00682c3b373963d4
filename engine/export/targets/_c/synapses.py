"""Weighted, delayed sums in C: a dense table, or lists of targets for every source and delay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent

import numpy as np

from engine.export.frozen import Synapses
from engine.export.targets._c.layout import Layout, Signal
from engine.export.targets._c.names import comment
from engine.export.targets._c.tables import BYTES, literal, table, unsigned
from engine.program import Source


@dataclass(frozen=True)
class Arithmetic:
    """How a projection computes: the types of weights and sums, and ``finish``: a sum as a current, in C.

    ``finish`` has ``{sum}`` and ``{heard}``, the constant that is added or nothing.
    """

    weight: str
    sum: str
    finish: str
    offset: str = "float"


@dataclass(frozen=True)
class Written:
    """A projection as C: tables and the function ``name``; ``flash``: bytes of the tables.

    ``per_spike``: additions that a spike of the best connected source costs in all.
    """

    name: str
    tables: str
    function: str
    flash: int
    layout: str
    per_spike: int


def write_synapses(
    synapses: Synapses, weight: np.ndarray, offset: np.ndarray | None, layout: Layout, maths: Arithmetic
) -> Written:
    """A projection with ``weight [synapses]`` and ``offset [targets]`` as they stand in C."""
    prefix = layout.names[synapses.id]
    make = _nothing if not len(weight) else _dense if _is_dense(synapses) else _listed
    chosen = make(synapses, weight, maths, prefix)
    tables, flash = chosen.tables, chosen.bytes
    if offset is not None:
        tables += table(maths.offset, f"{prefix}_offset", offset)
        flash += BYTES[maths.offset] * len(offset)
    if _starts_late(synapses):
        assert synapses.onset is not None
        tables += table("uint16_t", f"{prefix}_onset", synapses.onset)
        flash += 2 * len(synapses.onset)
    name = layout.taken.of(f"sum_{prefix}")
    per_spike = int(np.bincount(synapses.pre, minlength=1).max(initial=0))
    function = _function(name, synapses, chosen, offset is not None, layout, maths)
    return Written(name, tables, function, flash, chosen.kind, per_spike)


def _starts_late(synapses: Synapses) -> bool:
    """Whether the offset is not there from the first step on."""
    return synapses.onset is not None and bool(synapses.onset.any())


def in_order(synapses: Synapses) -> np.ndarray:
    """The synapses as the C adds them up: an index of each."""
    columns = (
        (synapses.post, synapses.pre)
        if _is_dense(synapses)
        else (synapses.post, synapses.pre, synapses.delay)
    )
    found: np.ndarray = np.lexsort(columns)
    return found


def _is_dense(synapses: Synapses) -> bool:
    """Whether a table of all pairs is smaller than lists: a source has one delay, a pair one synapse."""
    sources, targets, count = synapses.source_size, synapses.target_size, len(synapses.pre)
    least, most = np.full(sources, np.iinfo(np.int64).max), np.zeros(sources, np.int64)
    np.minimum.at(least, synapses.pre, synapses.delay)
    np.maximum.at(most, synapses.pre, synapses.delay)
    several = (least[synapses.pre] < most[synapses.pre]).any()
    pairs = np.unique(synapses.pre * targets + synapses.post)
    return not several and len(pairs) == count and 4 * count >= 3 * sources * targets


@dataclass(frozen=True)
class _Chosen:
    """A layout of the weights.  ``loop``: the lines that add what a signal brings to the sums."""

    kind: str
    tables: str
    bytes: int
    loop: Callable[[Signal], str]


def _nothing(synapses: Synapses, weight: np.ndarray, maths: Arithmetic, prefix: str) -> _Chosen:
    """No synapses at all."""
    return _Chosen("empty", "", 0, lambda signal: "")


def _dense(synapses: Synapses, weight: np.ndarray, maths: Arithmetic, prefix: str) -> _Chosen:
    """A row of weights for every source."""
    sources, targets = synapses.source_size, synapses.target_size
    full = np.zeros((sources, targets), weight.dtype)
    full[synapses.pre, synapses.post] = weight
    size = full.size * BYTES[maths.weight]
    tables = table(maths.weight, f"{prefix}_weight", full)
    delay = str(synapses.longest)
    if synapses.shortest < synapses.longest:
        ctype, delay = unsigned(synapses.longest), f"{prefix}_delay[k]"
        delays = np.zeros(sources, np.int64)
        delays[synapses.pre] = synapses.delay
        tables += table(ctype, f"{prefix}_delay", delays)
        size += sources * BYTES[ctype]

    def loop(signal: Signal) -> str:
        return f"""\
    for (k = 0; k < {sources}; k++) {{
        const {signal.ctype} x = {signal.past(delay)}[k];
        if (x != 0) {{
            for (n = 0; n < {targets}; n++) {{
                sums[n] += {_product(f"{prefix}_weight[k][n]", signal, maths)};
            }}
        }}
    }}
"""

    return _Chosen("dense", tables, size, loop)


def _listed(synapses: Synapses, weight: np.ndarray, maths: Arithmetic, prefix: str) -> _Chosen:
    """The synapses of every delay and source one after the other."""
    delays, sources = np.unique(synapses.delay), synapses.source_size
    row = np.searchsorted(delays, synapses.delay) * sources + synapses.pre
    order = np.lexsort((synapses.post, row))
    first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(delays) * sources))])
    arrays = {
        "weight": (maths.weight, weight[order]),
        "target": (unsigned(max(synapses.target_size - 1, 0)), synapses.post[order]),
        "first": (unsigned(len(weight)), first),
    }
    if len(delays) > 1:
        arrays["delay"] = (unsigned(synapses.longest), delays)
    tables = "".join(table(ctype, f"{prefix}_{name}", array) for name, (ctype, array) in arrays.items())
    size = sum(BYTES[ctype] * len(array) for ctype, array in arrays.values())

    return _Chosen(
        "listed", tables, size, lambda signal: _lists(signal, delays.tolist(), sources, prefix, maths)
    )


def _lists(signal: Signal, delays: list[int], sources: int, prefix: str, maths: Arithmetic) -> str:
    """For every delay and every source that is not silent, its synapses."""
    several = len(delays) > 1
    late = f"{prefix}_delay[delay]" if several else str(delays[0])
    row = f"delay * {sources} + k" if several else "k"
    text = f"""\
    const {signal.ctype} *from = {signal.past(late)};
    for (k = 0; k < {sources}; k++) {{
        const {signal.ctype} x = from[k];
        if (x != 0) {{
            const uint32_t row = {row};
            for (n = {prefix}_first[row]; n < {prefix}_first[row + 1]; n++) {{
                sums[{prefix}_target[n]] += {_product(f"{prefix}_weight[n]", signal, maths)};
            }}
        }}
    }}
"""
    head = f"for (delay = 0; delay < {len(delays)}; delay++) {{" if several else "{"
    return f"    {head}\n{indent(text, '    ')}    }}\n"


def _product(weight: str, signal: Signal, maths: Arithmetic) -> str:
    """What one synapse adds where the signal is x."""
    wide = weight if maths.sum == maths.weight else f"({maths.sum}){weight}"
    if signal.binary:
        return wide
    return f"{wide} * x" if signal.ctype == maths.sum else f"{wide} * ({maths.sum})x"


def _function(
    name: str, synapses: Synapses, chosen: _Chosen, shifted: bool, layout: Layout, maths: Arithmetic
) -> str:
    out, prefix = layout.signals[Source(synapses.id, "output")], layout.names[synapses.id]
    loops = "".join(chosen.loop(layout.signals[source]) for source in synapses.inputs)
    counters = [v for v in ("delay", "k", "n") if v == "n" or f"({v} = 0" in loops]
    heard = f"{prefix}_offset[n]" if shifted else ""
    if heard and _starts_late(synapses):
        heard = f"(steps >= {prefix}_onset[n] ? {heard} : {literal(0, maths.offset)})"
    finish = maths.finish.format(sum="sums[n]", heard=f" + {heard}" if heard else "")
    return f"""\
/* Projection '{comment(synapses.op.name)}': {_about(synapses)} */
static void {name}(void)
{{
    uint32_t {", ".join(counters)};
    for (n = 0; n < {out.size}; n++) {{
        sums[n] = 0;
    }}
{loops}    for (n = 0; n < {out.size}; n++) {{
        {out.present}[n] = {finish};
    }}
}}
"""


def _about(synapses: Synapses) -> str:
    low, high = synapses.shortest, synapses.longest
    delays = f"delays {low}..{high} steps" if high > low else f"delay {high} steps"
    sizes = f"{synapses.source_size} -> {synapses.target_size}"
    return f"{sizes}, {len(synapses.weight)} synapses, {delays if high else 'no delays'}"
