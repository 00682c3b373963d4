"""Shapes and counts of a node, read off the compiled program."""

from __future__ import annotations

import math

from engine.program import Op, Program
from nodes.roles import Projection
from nodes.spec import Shape, Spec


def facts(program: object, node: str, type_: Spec) -> list[str]:
    """Lines such as ``140 → 256`` and ``35,840 synapses``, or one that says why there are none."""
    if not isinstance(program, Program):
        return ["Known once the drawing has no errors."]
    op = program.ops.get(node)
    if op is None:
        return _of_delays(program, node)
    return [*_flow(op, type_), *_counts(op), *_timing(op, program.dt)]


def _flow(op: Op, type_: Spec) -> list[str]:
    """``140 → 256``, or one shape where all ports have the same."""
    known = {name: cross(shape) for name, shape in op.shapes.items() if shape is not None}
    told = len({known[name] for name in type_.outputs if name in known}) > 1
    ins = {known[name]: None for name in type_.inputs if name in known and name not in ("delays", "rule")}
    outs = {f"{name} {known[name]}" if told else known[name]: None for name in type_.outputs if name in known}
    if op.role == "population" or not outs:
        return [f"takes {', '.join(ins)}"] if ins and op.role != "population" else []
    if not ins:
        return [f"gives {', '.join(outs)}"]
    return [f"shape {', '.join(outs)}" if ins == outs else f"{', '.join(ins)} → {', '.join(outs)}"]


def cross(shape: Shape) -> str:
    """``28 x 28 (784)``."""
    text = " x ".join(map(str, shape)) or "one number"
    return f"{text} ({math.prod(shape):,})" if len(shape) > 1 else text


def _counts(op: Op) -> list[str]:
    if op.role == "population":
        shape = next((shape for shape in op.shapes.values() if shape), ())
        size = f" as {' x '.join(map(str, shape))}" if len(shape) > 1 else ""
        return [f"{math.prod(shape):,} neurons{size}"]
    if issubclass(op.spec, Projection):
        count = op.spec.synapses(op.p, dict(op.shapes))
        return [f"{count:,.0f} synapses"] if count else []
    return []


def _timing(op: Op, dt: float) -> list[str]:
    found = []
    if op.delay:
        low, high = op.delay.low, op.delay.high
        found.append(f"delays of {low} to {high} steps ({low * dt:g} to {high * dt:g} ms)")
    if op.lag:
        found.append(f"a hop of {op.lag} step")
    if op.tail:
        found.append(f"lasts {op.tail} steps beyond the input")
    return found


def _of_delays(program: Program, node: str) -> list[str]:
    """Of a node of delays, which has become part of projections."""
    found = []
    for op in program.ops.values():
        if op.delay and op.delay.node == node and "~" not in op.id:
            found += [f"{line} on '{op.name}'" for line in _timing(op, program.dt)[:1]]
    return found or ["It is no part of the network that runs."]
