"""Xylo's integers for a frozen network: weights of 8 bits, states of 16, decays by shifts of bits.

A neuron in a step of xylosim 0.1.3, v2:  i <- i + sum of w << shift;  i <- i - lost(i, dash_syn);
v <- v + ((i - lost(v, dash_mem)) + bias);  as many spikes as v holds thresholds, up to 31 (a readout: 1),
each of which subtracts one;  lost(x, d) = x >> d, at least 1 towards zero.  Every sum saturates at 16 bits,
synapse by synapse, input first.  Spikes of hidden neurons arrive a step later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from engine.errors import MyelinError
from engine.export.folding import fold
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.target import Conversion
from engine.export.targets._lif import (
    Arriving,
    Cell,
    arriving,
    cell,
    counted,
    is_constant,
    split,
)
from engine.export.targets._through import through
from engine.program import Source

MOST_WEIGHT, HIGH, LOW = 127, 32767, -32768
MOST_EVENTS, MOST_SPIKES, MOST_SHIFT, MOST_DASH = 15, 31, 7, 15
ROOM = 8  # thresholds that a state holds


@dataclass(frozen=True)
class Layer:
    """Hidden or readout neurons, flat: thresholds, dashes and biases ``[neurons]``, whole.

    ``weights``: for each of what it reads ``[sources, neurons]`` of 8 bits, and the shift of all of them.
    ``per_unit``: the chip's number for a potential of 1.
    """

    weights: tuple[np.ndarray, ...]
    shifts: tuple[int, ...]
    threshold: np.ndarray
    dash_syn: np.ndarray
    dash_mem: np.ndarray
    bias: np.ndarray
    per_unit: np.ndarray
    most: int


@dataclass(frozen=True)
class Specified(Frozen):
    """A frozen network as Xylo has it: ``hidden`` reads the input and itself, ``readout`` the hidden neurons.

    ``places``: where each population lies (layer 0 or 1, first neuron).  ``late``: steps by which it lags.
    """

    hidden: Layer | None = None
    readout: Layer | None = None
    places: Mapping[str, tuple[int, int]] | None = None
    late: Mapping[str, int] | None = None
    host: Frozen | None = None


@dataclass(frozen=True)
class _Known:
    """A population with its numbers, and where what arrives comes from."""

    unit: Unit
    cell: Cell
    fed: Arriving


def specify(frozen: Frozen) -> tuple[Specified, tuple[Conversion, ...]]:
    """The network as Xylo has it, and what was changed for that."""
    frozen, pooled = through(frozen)
    frozen, folded = fold(frozen)
    chip, host = split(frozen)
    units = [part for part in chip if isinstance(part, Unit) and not is_constant(part)]
    known = [_Known(unit, cell(unit, frozen.dt), arriving(unit, frozen)) for unit in units]
    late = latencies(_hops(known, frozen))
    sending = {s.op for one in known for part in one.fed.synapses for s in part.inputs}
    layers = [
        [one for one in known if one.unit.id in sending],
        [one for one in known if one.unit.id not in sending],
    ]
    if not all(layers):
        raise MyelinError("Xylo needs hidden neurons and readout neurons: two populations at least")
    places = dict(_places(layers))
    said = [*pooled, *folded]
    hidden, readout = (_layer(layer, number, places, frozen, said) for number, layer in enumerate(layers))
    said += _left(host, late, frozen)
    given = {field.name: getattr(frozen, field.name) for field in fields(Frozen)}
    fires = {one.unit.id: one.cell.v_th is not None for one in known}
    outputs = tuple(s for s in frozen.outputs if s in host.outputs or s.port == _port(fires.get(s.op)))
    specified = Specified(
        **{**given, "outputs": outputs}, hidden=hidden, readout=readout, places=places, late=late, host=host
    )
    return specified, tuple(said)


def _port(fires: bool | None) -> str:
    return {True: "spikes", False: "v", None: ""}[fires]


def _left(host: Frozen, late: Mapping[str, int], frozen: Frozen) -> Iterator[Conversion]:
    for part in host.parts:
        yield Conversion(f"'{part.op.name}' is worked out on the host", (part.id,), exact=True)
    for key, steps in late.items():
        if steps:
            words = f"'{frozen.program.ops[key].name}' comes {counted(steps, 'step')} later; put back in time"
            yield Conversion(words, (key,), exact=True)


def _places(layers: Iterable[Iterable[_Known]]) -> Iterator[tuple[str, tuple[int, int]]]:
    for number, layer in enumerate(layers):
        begin = 0
        for one in layer:
            yield one.unit.id, (number, begin)
            begin += one.unit.size


def _hops(known: Iterable[_Known], frozen: Frozen) -> dict[str, list[tuple[str, int]]]:
    """For every population where its synapses come from, with their one delay; "" is the input."""
    found = {}
    for one in known:
        own = []
        for part in one.fed.synapses:
            if part.shortest != part.longest:
                raise MyelinError(f"'{part.op.name}' has different delays, and Xylo has none")
            own += [("" if s in frozen.inputs else s.op, part.shortest + one.cell.old) for s in part.inputs]
        found[one.unit.id] = own
    return found


def latencies(hops: Mapping[str, Iterable[tuple[str, int]]]) -> dict[str, int]:
    """Steps by which each population lags; MyelinError where delays ask for what the chip cannot.

    Input arrives at once, all else a step later: no other delays are possible.
    """
    late: dict[str, int] = {}
    for start in ("", *hops):
        late.setdefault(start, 0)
        for _ in hops:
            for key, sources in hops.items():
                for source, delay in sources:
                    if source in late:
                        late.setdefault(key, late[source] + bool(source) - delay)
    wrong = [
        key
        for key, sources in hops.items()
        for source, delay in sources
        if late[key] != late[source] + bool(source) - delay or late[key] < 0
    ]
    if wrong:
        raise MyelinError(
            f"delays onto {wrong[0]!r} do not fit: on Xylo input needs no step and all else one"
        )
    return {key: late[key] for key in hops}


def _layer(
    layer: list[_Known],
    number: int,
    places: Mapping[str, tuple[int, int]],
    frozen: Frozen,
    said: list[Conversion],
) -> Layer:
    """All populations of a layer side by side, on one shift for each source of weights."""
    sizes = [sum(math.prod(shape) for shape in frozen.inputs.values()), _size(places, frozen, 0)]
    wanted = sizes if number == 0 else sizes[1:]
    total = sum(one.unit.size for one in layer)
    weights = [np.zeros((size, total)) for size in wanted]
    for one in layer:
        _fill(weights, one, number, places, frozen)
    threshold = np.concatenate([_flat(one, 1.0 if one.cell.v_th is None else one.cell.v_th) for one in layer])
    fires = np.concatenate([np.full(one.unit.size, one.cell.v_th is not None) for one in layer])
    kept = [np.concatenate([_flat(one, part(one.cell)) for one in layer]) for part in (_s, _a)]
    scale, shifts = _scales(weights, np.where(fires, threshold, 1.0), fires, kept)
    whole = tuple(
        np.clip(np.rint(w * scale / 2**shift), -MOST_WEIGHT, MOST_WEIGHT).astype(np.int64)
        for w, shift in zip(weights, shifts, strict=True)
    )
    dashes = [dash(k) for k in kept]
    drive = np.concatenate([_drive(one) for one in layer])
    made = Layer(
        whole,
        shifts,
        np.where(fires, np.clip(np.rint(threshold * scale), 1, HIGH), HIGH).astype(np.int64),
        dashes[0],
        dashes[1],
        np.clip(np.rint(drive * scale), LOW, HIGH).astype(np.int64),
        scale,
        MOST_SPIKES if number == 0 else 1,
    )
    _say(said, layer, made, weights, kept, drive)
    return made


def _s(one: Cell) -> object:
    return one.s


def _a(one: Cell) -> object:
    return one.a


def _size(places: Mapping[str, tuple[int, int]], frozen: Frozen, layer: int) -> int:
    return sum(math.prod(frozen.by_id[key].shape) for key, (number, _) in places.items() if number == layer)


def _flat(one: _Known, number: object) -> np.ndarray:
    found: np.ndarray = np.broadcast_to(np.asarray(number, np.float64), one.unit.shape).ravel()
    return found


def _drive(one: _Known) -> np.ndarray:
    """What drives v in every step: currents that have settled, and the leak."""
    current = one.fed.constant * _flat(one, one.cell.gain) * _flat(one, one.cell.entry)
    settled = current / (1 - _flat(one, one.cell.s))
    leak: np.ndarray = (1 - _flat(one, one.cell.a)) * _flat(one, one.cell.v_leak)
    return np.asarray(settled + leak)


def _fill(
    weights: list[np.ndarray], one: _Known, number: int, places: Mapping[str, tuple[int, int]], frozen: Frozen
) -> None:
    """Put a population's weights where they belong; what enters decays before it counts."""
    reach = _flat(one, one.cell.gain) * _flat(one, one.cell.entry) / _flat(one, one.cell.s)
    begin = places[one.unit.id][1]
    for part in one.fed.synapses:
        for source in part.inputs:
            at, rows = _rows(source, part, number, places, frozen)
            np.add.at(weights[at], (rows + part.pre, begin + part.post), part.weight * reach[part.post])


def _rows(
    source: Source, part: Synapses, number: int, places: Mapping[str, tuple[int, int]], frozen: Frozen
) -> tuple[int, int]:
    """(which matrix, first row) of a source."""
    if source in frozen.inputs:
        if number:
            raise MyelinError(
                f"'{part.op.name}' leads from the input to a readout; Xylo has hidden neurons between"
            )
        before = list(frozen.inputs)[: list(frozen.inputs).index(source)]
        return 0, sum(math.prod(frozen.inputs[s]) for s in before)
    layer, row = places[source.op]
    assert layer == 0, "readout neurons send nothing"
    return (0 if number else 1), row


def _scales(
    weights: list[np.ndarray], unit: np.ndarray, fires: np.ndarray, kept: list[np.ndarray]
) -> tuple[np.ndarray, tuple[int, ...]]:
    """(the chip's number for a potential of 1, per neuron; shift of each matrix), with the least error.

    Weights shall be fine beside the threshold, and so shall the state, which loses up to 1 in a step.
    """
    largest = [np.abs(w).max(0, initial=0) for w in weights]
    total = np.sum([np.abs(w).sum(0) for w in weights], 0) / (1 - np.minimum(kept[1], 0.99))
    room = np.where(fires, HIGH / ROOM / unit, HIGH / np.maximum(total, 1e-12))
    best: tuple[float, np.ndarray, tuple[int, ...]] | None = None
    for shifts in product(range(MOST_SHIFT + 1), repeat=len(weights)):
        tops = [
            MOST_WEIGHT * 2.0**k / np.maximum(most, 1e-12) for k, most in zip(shifts, largest, strict=True)
        ]
        scale = np.minimum.reduce([room, *tops])
        wrong = [_wrong(w, scale / 2.0**k) for w, k in zip(weights, shifts, strict=True)]
        error = float(np.sum((np.sum(wrong, 0) + 1 / scale**2) / unit**2))
        if best is None or error < best[0]:
            best = (error, scale, shifts)
    assert best is not None
    return best[1], best[2]


def _wrong(weights: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Sum of squared errors onto each neuron."""
    return np.asarray(np.sum((np.rint(weights * scale) / scale - weights) ** 2, 0))


def dash(kept: np.ndarray) -> np.ndarray:
    """The shift with which the part of a state that is kept in a step is 1 - 2^-dash."""
    lost = np.clip(1 - kept, 2.0**-MOST_DASH, 1)
    return np.asarray(np.clip(np.rint(-np.log2(lost)), 1, MOST_DASH), np.int64)


def _say(
    said: list[Conversion],
    layer: list[_Known],
    made: Layer,
    weights: list[np.ndarray],
    kept: list[np.ndarray],
    drive: np.ndarray,
) -> None:
    names = ", ".join(f"'{one.unit.op.name}'" for one in layer)
    ids = tuple(one.unit.id for one in layer)
    wrong = 0.0
    for whole, shift, w in zip(made.weights, made.shifts, weights, strict=True):
        top = np.maximum(np.abs(w).max(0, initial=0), 1e-12)
        wrong = max(wrong, float((np.abs(whole * 2.0**shift / made.per_unit - w) / top).max(initial=0)))
    shifts = " and ".join(str(2**shift) for shift in made.shifts)
    words = f"weights onto {names} become 8-bit numbers times {shifts}, none changes by more than "
    said.append(Conversion(f"{words}{100 * wrong:.2g} % of the largest onto its neuron", ids))
    for what, k, d in (("current", kept[0], made.dash_syn), ("potential", kept[1], made.dash_mem)):
        real = 1 - 2.0**-d
        far = int(np.argmax(np.abs(real - k)))
        if abs(real[far] - k[far]) > 1e-9:
            said.append(
                Conversion(f"the {what} of {names} keeps {real[far]:.4f} in a step, not {k[far]:.4f}", ids)
            )
    if np.any(drive):
        words = f"constant currents onto {names} become biases of the potential, without their build-up"
        said.append(Conversion(words, ids))
    for one in layer:
        if one.cell.v_th is not None and one.cell.most != made.most:
            most = "up to 31 times" if made.most > 1 else "once at most"
            said.append(
                Conversion(f"'{one.unit.op.name}' fires {most} in a step, as on the chip", (one.unit.id,))
            )
