"""One-click fixes that change parameters: clipped and coarser delays, conventions, neuron types, bits.

Pure: each gives document operations, or None where no such change would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from engine.compile.diagnostics import Fix
from engine.compile.passes.discretise import MOST_TAPS
from engine.document import Document
from engine.export.hardware.chips import Chip, Part
from engine.export.hardware.demand import Layer, origin
from engine.program import Op, Program
from engine.recipe import SCHEMAS
from nodes import registry
from nodes.roles import Projection
from nodes.spec import Node, Values, defaults

BITS = "quantise_weights"
"""The setting of the recipe ``train`` that holds weights to so many bits."""
Json = dict[str, Any]


def put(path: list[Any], value: Any) -> Json:
    """The operation that writes a value, tuples as lists."""
    return {"op": "set", "path": path, "value": list(value) if isinstance(value, tuple) else value}


def _params(node: str, values: Mapping[str, Any]) -> tuple[Json, ...]:
    return tuple(put(["nodes", node, "params", name], value) for name, value in values.items())


def misfits(op: Op, part: Part) -> list[str]:
    """The parameters whose values a chip does not have."""
    return [name for name, allowed in part.only.items() if name in op.p and op.p[name] not in allowed]


def conform(op: Op, part: Part, target: Chip) -> Fix | None:
    """Give a population the conventions of a chip, the first of those it allows."""
    changes = {name: _allowed(op.spec, name, part) for name in misfits(op, part)}
    if None in changes.values() or op.spec.check(Values({**op.p, **changes})):
        return None
    return Fix(f"Set '{op.name}' to the conventions of {target.title}", _params(origin(op), changes))


def _allowed(spec: type[Node], name: str, part: Part) -> Any:
    """The first value of a parameter that both the node and the chip have."""
    return next((v for v in part.only[name] if spec.params[name].problem(v) is None), None)


def replace(layer: Layer, target: Chip) -> Fix | None:
    """Make a population the nearest type that a chip has: like outputs, and most parameters in common."""
    choices = [
        (_likeness(layer.op.spec, spec), spec, params)
        for part in target.neurons
        if part.where in ("", layer.where)
        for spec in (registry.get(type) for type in part.types)
        if spec and layer.ports <= spec.outputs.keys() and (params := _as(layer.op, spec, part)) is not None
    ]
    if not choices:
        return None
    _, spec, params = max(choices, key=lambda choice: choice[0])
    place = ["nodes", origin(layer.op)]
    ops = (
        put([*place, "type"], spec.type),
        put([*place, "v"], spec.version),
        put([*place, "params"], params),
    )
    return Fix(f"Replace '{layer.op.name}' by {spec.label}", ops)


def _likeness(one: type[Node], other: type[Node]) -> tuple[int, int]:
    """Outputs that only one of them has, counted down; parameters that both have."""
    return -len(one.outputs.keys() ^ other.outputs.keys()), len(one.params.keys() & other.params.keys())


def _as(op: Op, spec: type[Node], part: Part) -> Json | None:
    """The parameters of ``op`` for another type with a chip's conventions; what it lacks has defaults."""
    kept = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in op.p.items()
        if name in spec.params and name != "train" and spec.params[name].problem(value) is None
    }
    params = {**defaults(spec), **kept}
    if "train" in params:
        params["train"] = [name for name in op.p.get("train", ()) if name in spec.params["train"].choices]
    for name in part.only.keys() & params.keys():
        if params[name] not in part.only[name]:
            params[name] = _allowed(spec, name, part)
    coerced = Values({name: param.coerce(params[name]) for name, param in spec.params.items()})
    return None if None in params.values() or spec.check(coerced) else params


def choose(op: Op, name: str, part: Part) -> Fix | None:
    """Set a parameter of a projection that is a choice or a switch to what a chip has; shapes stay."""
    value = _allowed(op.spec, name, part) if op.spec.params[name].kind in ("bool", "choice") else None
    if value is None or op.spec.check(Values({**op.p, name: value})):
        return None
    return Fix(f"Set {name} of '{op.name}' to {value}", _params(origin(op), {name: value}))


def clip(op: Op, most: int, dt: float, looped: bool) -> Fix | None:
    """Delays of a projection of at most ``most`` steps of ``dt`` ms, its lag included."""
    steps = most - op.lag
    if steps < 0 or (looped and most == 0):
        if looped or op.delay is not None or most > 0:
            return None
        return Fix(f"Remove the lag of '{op.name}'", _params(origin(op), {"lag": most}))
    changes = _clipped(op, steps * dt)
    if changes is None or op.delay is None:
        return None
    words = f"Clip the delays of '{op.name}' to {steps * dt:g} ms" if steps else f"No delays in '{op.name}'"
    return Fix(words, _params(op.delay.node, changes))


def _clipped(op: Op, most: float) -> Json | None:
    """The parameters of delays that exceed ``most`` ms, clipped; None for a file or an unknown type."""
    if op.delay is None:
        return None
    p = op.delay.p
    limited = {
        "delays.fixed": ("delay",),
        "delays.random": ("low", "high", "mean"),
        "delays.learnable": ("min_delay", "max_delay"),
    }.get(op.delay.type)
    if limited is None or p.get("file"):
        return None
    changes: Json = {name: most for name in limited if p[name] > most}
    if p.get("table"):
        changes["table"] = np.minimum(np.array(p.table, float), most).tolist()
    return changes


def coarsen(op: Op, granularities: Iterable[str]) -> Fix | None:
    """Delays of the first granularity that chip and projection both have; listed ones become means."""
    assert op.delay is not None and issubclass(op.spec, Projection)
    wanted = next((g for g in granularities if g in op.spec.delayable), None)
    if wanted is None or op.delay.p.get("file"):
        return None
    changes: Json = {"granularity": wanted}
    if op.delay.p.get("table"):
        table = np.array(op.delay.p.table, float)
        if table.ndim != 2 or op.delay.granularity != "synapse":
            return None
        mean = {"axonal": table.mean(0), "dendritic": table.mean(1)}.get(wanted)
        changes |= {"table": [], "delay": float(table.mean())} if mean is None else {"table": mean.tolist()}
    return Fix(f"One delay per {_each(wanted)} in '{op.name}'", _params(op.delay.node, changes))


def _each(granularity: str) -> str:
    return {"axonal": "source", "dendritic": "target"}.get(granularity, granularity)


def lag(ops: Iterable[Op]) -> Fix | None:
    """Draw the step that a hop takes on a chip."""
    changes = [put(["nodes", origin(op), "params", "lag"], 1) for op in ops if "lag" in op.spec.params]
    return Fix("Draw that step as their lag", tuple(changes)) if changes else None


def step(program: Program, dt: float) -> Fix | None:
    """Another time step (ms), unless a loop would lose its delay or a delay need too many steps."""
    looped = {key for stage in program.stages if stage.chunk is not None for key in stage.ops}
    for op in program.ops.values():
        if op.delay is None:
            continue
        low, high = (round(steps * program.dt / dt) for steps in (op.delay.low, op.delay.high))
        if high > MOST_TAPS or (op.id in looped and not op.lag and low < 1 <= op.delay.low):
            return None
    return Fix(f"Use a time step of {dt:g} ms", (put(["meta", "dt_ms"], dt),))


def quantised(program: Program, bits: int) -> bool:
    """Whether the recipe already keeps weights to so many bits."""
    kept: int = program.recipes.get("train", {}).get(BITS, 0)
    return 0 < kept <= bits


def quantise(document: Document | None, bits: int) -> Fix | None:
    """Keep weights to a chip's bits in training and running too, where the recipe has such a setting."""
    setting = SCHEMAS["train"].get(BITS)
    if setting is None or setting.problem(bits) or document is None:
        return None
    given = document.recipes.get("train", {})
    return Fix(
        f"Train and run with weights of {bits} bits", (put(["recipes", "train"], {**given, BITS: bits}),)
    )
