"""check_memory: no array is larger than a computer can be expected to hold."""

from __future__ import annotations

import math

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, Vertex, vertices
from nodes.roles import Projection

AFTER = ("discretise",)
TOO_LARGE = declare("MYL156", "error", "a node needs more memory than can be expected")
MOST = 4e9  # bytes of one array
NUMBER = 4  # bytes of a weight, a delay or a potential
INDEXED = 20  # bytes of a weight with its source and target


def run(graph: Graph, context: Context) -> Graph:
    """The graph as it is, with nodes reported that are too large; nothing is drawn to find out."""
    for v in vertices(graph):
        too_large = _synapses(v) or _signals(v)
        if too_large:
            message, hint = too_large
            context.report(TOO_LARGE((v.origin,), f"'{v.name}' has {message}", hint=hint))
    return graph


def _synapses(v: Vertex) -> tuple[str, str] | None:
    """(what is too large, what to do) of a projection."""
    if v.spec is None or not issubclass(v.spec, Projection):
        return None
    count = v.spec.synapses(v.p, dict(v.shapes))
    needed = count * (INDEXED if v.spec.indexed else NUMBER)
    if needed <= MOST:
        return None
    hint = "join fewer pairs" if v.spec.indexed else "use a sparse projection, or fewer neurons"
    return f"{count:,.0f} synapses, which take {_limit(needed)}", hint


def _signals(v: Vertex) -> tuple[str, str] | None:
    """(what is too large, what to do) of what a node gives or takes in one step."""
    most = max((math.prod(shape) for shape in v.shapes.values() if shape), default=0)
    if most * NUMBER <= MOST:
        return None
    return f"{most:,} values in a step, which take {_limit(most * NUMBER)}", "use fewer neurons or channels"


def _limit(needed: float) -> str:
    return f"{needed / 1e9:,.1f} GB; at most {MOST / 1e9:g} GB are possible"
