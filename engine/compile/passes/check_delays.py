"""check_delays: delays that are listed one by one fit the projection that carries them."""

from __future__ import annotations

import math

import numpy as np

from engine.compile.diagnostics import declare
from engine.compile.graph import Context, Graph, Vertex, vertices
from engine.program import delay_shape
from nodes import registry
from nodes.roles import Delays

AFTER = ("discretise",)
MISFIT = declare("MYL153", "error", "listed delays do not fit their projection")
MOST = 1_000_000  # synapses whose delays are drawn while the user draws


def run(graph: Graph, context: Context) -> Graph:
    """The graph as it is, with delays that cannot be drawn reported."""
    for v in vertices(graph):
        problem = _problem(v, context.dt)
        if problem:
            context.report(MISFIT((v.delays, v.origin), f"'{v.name}': {problem}", "table"))
    return graph


def _problem(v: Vertex, dt: float) -> str | None:
    if v.delay is None or v.spec is None:
        return None
    spec = registry.get(v.delay.type)
    assert spec is not None and issubclass(spec, Delays)
    if math.prod(v.shapes.get("input") or ()) * math.prod(v.shapes.get("output") or ()) > MOST:
        return None
    try:
        shape = delay_shape(v.delay.granularity, v.shapes, v.spec.tensors(v.p, dict(v.shapes)))
        spec.values(v.delay.p, dt)(np.random.default_rng(0), shape)
    except ValueError as error:
        return str(error)
    return None
