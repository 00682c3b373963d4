"""Shapes that must agree, for the ``infer`` of several nodes."""

from __future__ import annotations

from nodes.spec import Shape, Shapes


def settled(shapes: Shapes, output: Shape) -> Shapes:
    """Shapes with the output that the input calls for; ValueError when the target asks for another."""
    if shapes["output"] not in (None, output):
        raise ValueError(f"makes shape {list(output)}, but its target takes {list(shapes['output'] or ())}")
    return {**shapes, "output": output}
