"""What becoming integers changes, in sentences with numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from engine.export.fixed.network import (
    FixedFrozen,
    FixedNetwork,
    FixedSynapses,
    FixedUnit,
    Format,
    Widths,
    fix,
    prepared,
)
from engine.export.frozen import Frozen
from engine.export.target import Conversion, Converted
from engine.export.whole import is_events


def converted(frozen: Frozen, widths: Widths) -> Converted:
    """The network in integers, a ``FixedFrozen``, with everything that this changes."""
    kept, changed = prepared(frozen)
    fixed = fix(kept, widths)
    made = FixedFrozen(**{own.name: getattr(kept, own.name) for own in fields(kept)}, fixed=fixed)
    return Converted(made, (*changed, *said(fixed)))


def said(fixed: FixedNetwork) -> tuple[Conversion, ...]:
    """Every change of a network that ``prepared`` did not say: weights, state, coefficients and inputs."""
    return tuple(
        conversion
        for part in fixed.parts
        for conversion in (_weights(part, fixed) if isinstance(part, FixedSynapses) else _state(part))
    ) + tuple(_inputs(fixed))


def _weights(part: FixedSynapses, fixed: FixedNetwork) -> Iterator[Conversion]:
    synapses, bits = part.synapses, fixed.widths.weight
    if not len(part.weight):
        return
    wrong = np.abs(np.ldexp(part.weight.astype(np.float64), -part.fraction) - synapses.weight)
    largest = float(np.abs(synapses.weight).max())
    message = (
        f"the weights of '{synapses.op.name}' have {bits} bits in steps of 2^{-part.fraction}: "
        f"wrong by up to {wrong.max():.2g} where the largest is {largest:.3g}"
    )
    yield Conversion(message, (synapses.id,), not wrong.any())


def _state(part: FixedUnit) -> Iterator[Conversion]:
    real = {name: state.format for name, state in part.state.items() if state.format.fraction}
    if real:
        ranges = ", ".join(f"{name} {_range(form)}" for name, form in real.items())
        message = f"'{part.unit.op.name}' is computed in integers and saturates: {ranges}"
        yield Conversion(message, (part.id,))


def _range(form: Format) -> str:
    low, high = form.real(np.array([form.low, form.high]))
    return f"in {form.bits} bits from {low:.4g} to {high:.4g} in steps of 2^{-form.fraction}"


def _inputs(fixed: FixedNetwork) -> Iterator[Conversion]:
    for source in fixed.frozen.inputs:
        name = fixed.frozen.name(source)
        if is_events(fixed.frozen, source):
            most = fixed.signals[source].high
            yield Conversion(
                f"'{name}' brings at most {most} spikes per step and channel", (source.op,), True
            )
        else:
            form = fixed.signals[source]
            yield Conversion(f"'{name}' arrives as integers: {_range(form)}", (source.op,))
