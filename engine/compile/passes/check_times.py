"""check_times: rates and times that the time step is too long for."""

from __future__ import annotations

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, Vertex, vertices
from nodes.words import number

AFTER = ("discretise",)
UNSTABLE = declare("MYL151", "warning", "a time constant is shorter than Euler integration allows")
TOO_FAST = declare("MYL154", "warning", "a rate is higher than one spike in every step")
TOO_SHORT = declare("MYL155", "warning", "a time is shorter than half a step and has no effect")


def run(graph: Graph, context: Context) -> Graph:
    """The graph as it is, with times reported that do not go with the time step."""
    for v in vertices(graph):
        _check_stability(context, v)
        _check_rate(context, v)
        _check_refractory(context, v)
    return graph


def _check_stability(context: Context, v: Vertex) -> None:
    """Explicit Euler overshoots when dt > tau and explodes when dt > 2 tau."""
    assert v.spec is not None
    if v.p.get("integration") != "euler":
        return
    for name, param in v.spec.params.items():
        if name.startswith("tau") and param.unit == "ms" and v.p[name] < context.dt:
            message = (
                f"'{v.name}': {name} of {v.p[name]:g} ms is shorter than the time step of {context.dt:g} ms"
            )
            hint = "use exact integration or a shorter time step"
            context.report(UNSTABLE((v.origin,), message, name, hint))


def _check_rate(context: Context, v: Vertex) -> None:
    """Neurons and encoders give at most one spike a step; the rates of other nodes are no spikes."""
    assert v.spec is not None
    most = 1000 / context.dt
    for name, param in v.spec.params.items() if v.role in ("population", "encoder") else ():
        if param.unit == "Hz" and v.p[name] > most:
            given, kept = number(v.p[name], "Hz"), number(most, "Hz")
            message = f"'{v.name}': {name} of {given} is cut to {kept}, one spike in every step"
            context.report(TOO_FAST((v.origin,), message, name, "use a lower rate or a shorter time step"))


def _check_refractory(context: Context, v: Vertex) -> None:
    time = v.p.get("refractory", 0.0)
    if time > 0 and round(time / context.dt) == 0:
        message = f"'{v.name}': refractory of {time:g} ms is less than half a step of {context.dt:g} ms"
        context.report(TOO_SHORT((v.origin,), message, "refractory", "use 0 ms or a shorter time step"))
