"""discretise: delays from milliseconds to steps."""

from __future__ import annotations

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, Vertex, update, vertices
from engine.program import Delay
from nodes.roles import Delays
from nodes.spec import Values

AFTER = ("infer_shapes",)
ROUNDED = declare("MYL150", "info", "a delay is no whole number of steps")
TOO_LONG = declare("MYL152", "error", "a delay needs more steps than can be kept")
MOST_TAPS = 4096


def run(graph: Graph, context: Context) -> Graph:
    """Every delayed projection gets its taps."""
    graph = graph.copy()
    for v in list(vertices(graph)):
        if v.delays:
            update(graph, v.id, delay=_steps(context, context.delays[v.delays]))
    return graph


def _steps(context: Context, d: Vertex) -> Delay:
    assert d.spec is not None and issubclass(d.spec, Delays)
    dt = context.dt
    span = d.spec.span(d.p)
    low, high = (round(ms / dt) for ms in span)
    extend = round(d.p.get("extend", 0.0) / dt)
    if high > MOST_TAPS:
        message = f"'{d.name}' reaches over {high} steps of {dt:g} ms; at most {MOST_TAPS} are possible"
        context.report(TOO_LONG((d.origin,), message, hint="use a shorter delay or a longer time step"))
    if not all(_whole(ms / dt) for ms in span):
        message = f"'{d.name}': {span[0]:g} to {span[1]:g} ms become {low} to {high} steps of {dt:g} ms"
        context.report(ROUNDED((d.origin,), message))
    if not _whole(d.p.get("extend", 0.0) / dt):
        message = f"'{d.name}': extend of {d.p.extend:g} ms becomes {extend} steps of {dt:g} ms"
        context.report(ROUNDED((d.origin,), message, "extend"))
    p = Values({**d.p, "dt": dt})
    return Delay(d.origin, d.type, p.granularity, low, high, extend, d.spec.learns(p), p)


def _whole(steps: float) -> bool:
    return abs(steps - round(steps)) <= 1e-6
