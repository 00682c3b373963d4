"""fuse: neighbouring stages without a loop become one, so that an executor sees as few as possible."""

from __future__ import annotations

from itertools import groupby

from engine.compile.graph import Context, Graph
from engine.program import Stage

AFTER = ("prune",)


def run(graph: Graph, context: Context) -> Graph:
    """Fewer, longer stages in the same order."""
    fused: list[Stage] = []
    for looping, group in groupby(context.stages, key=lambda stage: stage.chunk is not None):
        stages = list(group)
        fused += stages if looping else [Stage(tuple(op for stage in stages for op in stage.ops))]
    context.stages = fused
    return graph
