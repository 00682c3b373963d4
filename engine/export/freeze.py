"""From a program and its arrays to the network that is deployed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.arrays import Arrays
from engine.codegen.expr import Call, Expr, Symbol, symbol, symbols
from engine.codegen.interpret import interpret
from engine.codegen.ops import TracerOps
from engine.codegen.trace import Traced, trace
from engine.errors import MyelinError
from engine.export.frozen import Frozen, Part, Synapses, Unit, every_source, in_order
from engine.export.quantise import deployed
from engine.program import Op, Program, Source
from nodes.ops import NumpyOps
from nodes.spec import Shape, Values

OUTSIDE = ("dataset", "offline")
PASSIVE = ("loss", "probe")
_BLOCK = 256  # unit vectors that a projection is shown at once


def freeze(program: Program, arrays: Arrays) -> Frozen:
    """The network of a program with its arrays (``engine.arrays``), on the grids that its recipe names.

    Raises MyelinError where a node inside the network draws random numbers.
    """
    arrays = deployed(program, arrays)
    outside = outside_of(program)
    inside = [op for op in program.ops.values() if op.id not in outside and op.role not in PASSIVE]
    parts = [part for op in inside for part in _parts(op, program.dt, Values(arrays.get(op.id, {})))]
    parts = _without_passers(parts)
    arriving = [source for source in _read(parts) if source.op in outside]
    inputs = {source: program.ops[source.op].shapes[source.port] or () for source in arriving}
    return Frozen(program, tuple(in_order(parts)), inputs, tuple(_outputs(parts, program)), arrays)


def outside_of(program: Program) -> set[str]:
    """The ops whose signals come from outside: data, and random sources that nothing inside drives."""
    outside = {op.id for op in program.ops.values() if op.role in OUTSIDE}
    for op in program.ops.values():
        fed = {source.op for sources in op.inputs.values() for source in sources}
        if fed <= outside and random(op, program.dt):
            outside.add(op.id)
    return outside


def random(op: Op, dt: float) -> bool:
    """Whether the deployed step of an op draws random numbers."""
    if op.role in (*OUTSIDE, *PASSIVE, "projection") or not op.spec.noise_of(op.p):
        return False
    return any(found.role == "noise" for found in traced_step(op, dt).inputs.values())


def traced_step(op: Op, dt: float) -> Traced:
    """One step of an op in evaluation."""
    return trace(op.spec, op.p, dt, dict(op.shapes))


def _parts(op: Op, dt: float, arrays: Values) -> list[Part]:
    if op.role != "projection":
        if random(op, dt):
            raise MyelinError(f"'{op.name}' draws random numbers in every step, which no artefact can repeat")
        return [_unit(op, dt, arrays, op.inputs)]
    linear = _linear(op, dt, arrays)
    if linear is not None:
        return [linear]
    return _bent(op, dt, arrays)


def _unit(op: Op, dt: float, arrays: Values, inputs: Mapping[str, tuple[Source, ...]]) -> Unit:
    traced = traced_step(op, dt)
    shape = next((op.shapes[port] for port in op.spec.outputs if op.shapes.get(port)), None) or ()
    values = {**arrays, **traced.coefficients(NumpyOps(), arrays)}
    if any(isinstance(expr, Call) and expr.op == "batch_norm" for expr in traced.order()):
        traced, values = _elementwise_norm(traced, arrays, op)
    values = {name: _spread(values[name], shape) for name in _wanted(traced)}
    # the state of a readout lasts over steps and is as large as what arrives
    given = op.shapes.get("input") or shape
    first = {name: _first(value, op, arrays, given) for name, value in op.spec.state_of(op.p).items()}
    read = {port: tuple(inputs[port]) for port in inputs if port in traced.inputs}
    return Unit(op, shape, read, traced, values, first)


def _wanted(traced: Traced) -> list[str]:
    return [
        found.name
        for found in traced.order()
        if isinstance(found, Symbol) and found.role in ("tensor", "constant")
    ]


def _spread(value: Any, shape: Shape) -> Any:
    """A number, an array of the full shape, or one whose own shape means something else."""
    if np.ndim(value) == 0:
        return value
    own = np.asarray(value, np.float32)
    fits = own.ndim <= len(shape) and all(
        n in (1, m) for n, m in zip(own.shape[::-1], shape[::-1], strict=False)
    )
    return np.broadcast_to(own, shape) if fits else own


def _first(value: str | float, op: Op, arrays: Values, shape: Shape) -> np.ndarray:
    start = arrays.get(value, op.p.get(value)) if isinstance(value, str) else value
    return np.broadcast_to(np.asarray(start, np.float32), shape)


class _Normed(TracerOps):
    """Writes batch norm in evaluation as what it does to each element."""

    def batch_norm(self, x: Any, rank: int, p: Any, training: bool) -> Expr:
        """y = (x - mean) scale + beta."""
        mean, scale, beta = (symbol("tensor", name) for name in ("mean", "scale", "beta"))
        made: Expr = (x - mean) * scale + beta
        return made


def _elementwise_norm(traced: Traced, arrays: Values, op: Op) -> tuple[Traced, dict[str, Any]]:
    known = interpret(_Normed(), [*traced.new_state.values(), *traced.outputs.values()], lambda found: found)
    new_state = {name: known[expr] for name, expr in traced.new_state.items()}
    outputs = {name: known[expr] for name, expr in traced.outputs.items()}
    shape = op.shapes["input"] or ()
    per_channel = (-1, *[1] * (len(shape) - 1))
    scale = arrays.gamma / np.sqrt(arrays.var + np.float32(op.p.eps))
    values = {"mean": arrays.mean, "scale": scale, "beta": arrays.beta}
    read = {found.name: found for found in symbols(outputs.values()) if found.role == "tensor"}
    made = replace(traced, new_state=new_state, outputs=outputs, parameters=read)
    return made, {name: value.reshape(per_channel) for name, value in values.items()}


def _linear(op: Op, dt: float, arrays: Values) -> Synapses | None:
    """A projection as synapses; None where its current is no weighted sum."""
    source, target = op.shapes["input"] or (), op.shapes["output"] or ()
    if op.spec.indexed:  # type: ignore[attr-defined]
        pre, post, weight = arrays.pre, arrays.post, arrays.weight
        offset = arrays.get("offset")
    else:
        bare = Values({name: np.zeros_like(a) if name == "offset" else a for name, a in arrays.items()})
        current = _current(op, dt, bare)
        if not _is_weighted_sum(current, source):
            return None
        pre, post, weight = _probed(current, source)
        silence = np.zeros((1, *source), np.float32)
        offset = _current(op, dt, arrays)(silence).ravel() if "offset" in arrays else None
    pre, post = pre.astype(np.int64), post.astype(np.int64)
    delay = _delays(op, arrays, pre, post, target)
    late = op.delay is not None and op.delay.granularity == "dendritic" and offset is not None
    onset = _steps(op, arrays).ravel() + op.lag if late else None
    return Synapses(
        op, op.inputs["input"], source, target, pre, post, weight.astype(np.float32), delay, offset, onset
    )


def _current(op: Op, dt: float, arrays: Values) -> Any:
    p = Values({**op.p, **arrays, "shapes": op.shapes, "training": False})
    p.update(op.spec.constants(NumpyOps(), p, dt))
    return lambda x: np.asarray(op.spec.step(NumpyOps(), Values(), Values(input=x), p, dt)[1]["output"])


def _is_weighted_sum(current: Any, source: Shape) -> bool:
    """Whether doubling and adding what arrives doubles and adds the current."""
    a, b = np.random.default_rng(0).normal(size=(2, 1, *source)).astype(np.float32)
    nothing = current(np.zeros_like(a)).astype(np.float64)
    sums = [current(x).astype(np.float64) - nothing for x in (a, b, a + b, -a)]
    return np.allclose(sums[0] + sums[1], sums[2], atol=1e-4) and np.allclose(-sums[0], sums[3], atol=1e-4)


def _probed(current: Any, source: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(pre, post, weight) of what every element of the input gives alone."""
    size, found = math.prod(source), []
    for start in range(0, size, _BLOCK):
        rows = min(_BLOCK, size - start)
        alone = np.zeros((rows, size), np.float32)
        alone[np.arange(rows), start + np.arange(rows)] = 1
        answer = current(alone.reshape(rows, *source)).reshape(rows, -1)
        row, post = np.nonzero(answer)
        found.append((row + start, post, answer[row, post]))
    pre, post, weight = (np.concatenate(column) for column in zip(*found, strict=True))
    return pre, post, weight


def _steps(op: Op, arrays: Values) -> np.ndarray:
    """The attached delays in whole steps."""
    assert op.delay is not None
    return np.asarray(np.rint(np.clip(arrays.delay, op.delay.low, op.delay.high)), np.int64)


def _delays(op: Op, arrays: Values, pre: np.ndarray, post: np.ndarray, target: Shape) -> np.ndarray:
    if op.delay is None:
        return np.full(pre.shape, op.lag, np.int64)
    steps = _steps(op, arrays)
    match op.delay.granularity:
        case "synapse":
            own = steps if op.spec.indexed else steps[post, pre]  # type: ignore[attr-defined]
        case "axonal":
            own = steps.ravel()[pre]
        case "dendritic":
            own = steps.ravel()[post]
        case _:
            own = np.full(pre.shape, steps.ravel()[0])
    return np.asarray(own + op.lag, np.int64)


def _bent(op: Op, dt: float, arrays: Values) -> list[Part]:
    """A projection that is no weighted sum: its step, before or after the delays as identity synapses."""
    if not op.largest_delay:
        return [_unit(op, dt, arrays, op.inputs)]
    after = op.delay is not None and op.delay.granularity == "dendritic"
    shape = (op.shapes["output"] if after else op.shapes["input"]) or ()
    line = replace(op, id=f"{op.id}~delay", name=f"{op.name} delays")
    bent = replace(op, id=f"{op.id}~step") if after else op
    index = np.arange(math.prod(shape))
    line = replace(line, id=op.id) if after else line
    fed = (Source(bent.id, "output"),) if after else op.inputs["input"]
    delay = _delays(op, arrays, index, index, shape)
    late = Synapses(line, fed, shape, shape, index, index, np.ones(index.size, np.float32), delay)
    inputs = op.inputs if after else {"input": (Source(line.id, "output"),)}
    return [late, _unit(bent, dt, arrays, inputs)]


def _without_passers(parts: list[Part]) -> list[Part]:
    """The parts without those that pass an input on as it is; their readers read what they read."""
    passed: dict[Source, tuple[Source, ...]] = {}
    kept: list[Part] = []
    for part in parts:
        through = _passes(part)
        if through is None:
            kept.append(part)
        else:
            passed.update(through)

    def origin(sources: Iterable[Source]) -> Iterator[Source]:
        for source in sources:
            yield from origin(passed[source]) if source in passed else (source,)

    return [_rewired(part, origin) for part in kept]


def _passes(part: Part) -> dict[Source, tuple[Source, ...]] | None:
    """Output -> sources of a unit that does nothing to its input; None of others."""
    if not isinstance(part, Unit) or part.traced.state or part.op.role != "structure":
        return None
    outputs = part.traced.outputs
    if not all(isinstance(expr, Symbol) and expr.role == "input" for expr in outputs.values()):
        return None
    return {
        Source(part.id, port): part.inputs[expr.name]
        for port, expr in outputs.items()
        if isinstance(expr, Symbol)
    }


def _rewired(part: Part, origin: Any) -> Part:
    if isinstance(part, Synapses):
        return replace(part, inputs=tuple(origin(part.inputs)))
    return replace(part, inputs={port: tuple(origin(sources)) for port, sources in part.inputs.items()})


def _read(parts: Iterable[Part]) -> list[Source]:
    """Every signal that a part reads, once."""
    found = (source for part in parts for source in every_source(part))
    return list(dict.fromkeys(found))


def _outputs(parts: list[Part], program: Program) -> Iterator[Source]:
    read = {
        s
        for op in program.ops.values()
        if op.role in ("readout", "loss")
        for p in op.inputs.values()
        for s in p
    }
    for part in parts:
        if not isinstance(part, Unit):
            continue
        if part.op.role == "readout":
            yield Source(part.id, "output")
        if part.op.role == "population":
            ports = part.traced.outputs
            main = "spikes" if "spikes" in ports else "v"
            named = (Source(part.id, port) for port in ports)
            yield from (source for source in named if source.port == main or source in read)
