"""check_target: what keeps the network off the chip that the document says it is meant for (meta.target)."""

from __future__ import annotations

from engine.compile.graph import Context, Graph
from engine.export.hardware.chips import ChipError, chip
from engine.export.hardware.limits import UNKNOWN_CHIP, lint

AFTER = ("lower",)


def run(graph: Graph, context: Context) -> Graph:
    """The graph as it is, with every broken limit reported; a document without a target has none."""
    name = context.document.meta.get("target")
    if not name:
        return graph
    try:
        target = chip(str(name))
    except ChipError as error:
        context.report(UNKNOWN_CHIP((), str(error), "target", "choose a chip: `myelin chips` lists them"))
        return graph
    assert context.program is not None
    for diagnostic in lint(context.program, target, context.document):
        context.report(diagnostic)
    return graph
