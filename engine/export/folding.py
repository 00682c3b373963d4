"""Folds what scales and shifts a current (batch norm in evaluation) into the weights before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from engine.codegen.expr import Symbol
from engine.codegen.interpret import interpret
from engine.export.frozen import Frozen, Part, Synapses, Unit, every_source
from engine.export.simulate import Maths
from engine.export.target import Conversion
from engine.program import Source

_PROBES = (0.0, 1.0, -3.0)


def fold(frozen: Frozen) -> tuple[Frozen, tuple[Conversion, ...]]:
    """The same network with affine nodes folded into the projections that alone feed them.

    y = scale x + shift on the sum of projections becomes weight scale and offset scale + shift; what a
    reader other than the node would see too, or arrives otherwise, stays as it is.  Rounding to single
    precision differs, so a spike may.
    """
    conversions: list[Conversion] = []
    while found := _foldable(frozen):
        unit, fed, scale, shift = found
        frozen = _folded(frozen, unit, fed, scale, shift)
        names = ", ".join(f"'{synapses.op.name}'" for synapses in fed)
        message = f"'{unit.op.name}' is folded into the weights of {names}; sums round differently"
        conversions.append(Conversion(message, (unit.id, *(synapses.id for synapses in fed))))
    return frozen, tuple(conversions)


def affine(unit: Unit) -> tuple[np.ndarray, np.ndarray] | None:
    """(scale, shift), each of the unit's shape, where its one output is scale x + shift; else None."""
    if unit.traced.state or len(unit.traced.outputs) != 1 or tuple(unit.inputs) != ("input",):
        return None
    zero, one, minus = (_at(unit, probe) for probe in _PROBES)
    scale, shift = one - zero, zero
    return (scale, shift) if np.allclose(minus, shift - 3 * scale, rtol=1e-9, atol=1e-12) else None


def _at(unit: Unit, x: float) -> np.ndarray:
    (output,) = unit.traced.outputs.values()
    given = np.full((1, *(unit.op.shapes["input"] or ())), x)

    def value(found: Symbol) -> object:
        if found.role == "input":
            return given
        known = unit.values[found.name]
        return known if np.ndim(known) == 0 else np.asarray(known, np.float64)[None]

    result = interpret(Maths(np.float64), [output], value)[output]
    found: np.ndarray = np.broadcast_to(np.asarray(result, np.float64), (1, *unit.shape))[0]
    return found


def _foldable(frozen: Frozen) -> tuple[Unit, list[Synapses], np.ndarray, np.ndarray] | None:
    readers = _readers(frozen)
    for unit in frozen.units:
        fed = [frozen.by_id.get(source.op) for source in unit.sources]
        own = [part for part in fed if isinstance(part, Synapses) and part.onset is None]
        alone = all(readers[Source(part.id, "output")] == [unit.id] for part in own)
        if not own or len(own) != len(fed) or not alone or unit.op.role == "population":
            continue
        found = affine(unit)
        if found is not None and _elementwise(unit, own):
            return unit, own, *found
    return None


def _elementwise(unit: Unit, fed: list[Synapses]) -> bool:
    """Whether every element of the output comes from the same element of the sum."""
    return all(synapses.target_shape == unit.shape for synapses in fed)


def _readers(frozen: Frozen) -> Mapping[Source, list[str]]:
    found: dict[Source, list[str]] = {Source(part.id, "output"): [] for part in frozen.parts}
    for part in frozen.parts:
        for source in every_source(part):
            found.setdefault(source, []).append(part.id)
    for source in frozen.outputs:
        found.setdefault(source, []).append("")
    return found


def _folded(frozen: Frozen, unit: Unit, fed: list[Synapses], scale: np.ndarray, shift: np.ndarray) -> Frozen:
    scales, shifts = scale.ravel(), shift.ravel()
    made: dict[str, Part] = {}
    for number, synapses in enumerate(fed):
        offset = np.zeros(synapses.target_size) if synapses.offset is None else synapses.offset
        offset = offset.astype(np.float64) * scales + (shifts if number == 0 else 0)
        weight = (synapses.weight.astype(np.float64) * scales[synapses.post]).astype(np.float32)
        made[synapses.id] = replace(synapses, weight=weight, offset=offset.astype(np.float32))
    (port,) = unit.traced.outputs
    now = {Source(unit.id, port): tuple(Source(synapses.id, "output") for synapses in fed)}
    parts = [made.get(part.id, part) for part in frozen.parts if part.id != unit.id]
    return frozen.with_parts(rewired(part, now) for part in parts)


def rewired(part: Part, now: Mapping[Source, tuple[Source, ...]]) -> Part:
    """A part that reads other signals instead of some."""

    def read(sources: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(new for source in sources for new in now.get(source, (source,)))

    if isinstance(part, Synapses):
        return replace(part, inputs=read(part.inputs))
    return replace(part, inputs={port: read(sources) for port, sources in part.inputs.items()})
