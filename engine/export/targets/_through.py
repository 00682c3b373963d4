"""Takes what only rearranges or pools spikes out of a frozen network: its readers' synapses do that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from engine.export.folding import rewired
from engine.export.frozen import Frozen, Part, Synapses, Unit
from engine.export.target import Conversion
from engine.export.targets._lif import PASSED
from engine.program import Op, Program, Source
from nodes.spec import Shape

FLATTEN, POOL = "structure.flatten", "structure.pool"


def through(frozen: Frozen) -> tuple[Frozen, tuple[Conversion, ...]]:
    """The same network without flattening, and without pools of spikes that only projections read."""
    for unit in frozen.units:
        if unit.op.type == FLATTEN:
            now = {Source(unit.id, "output"): unit.inputs["input"]}
            frozen = frozen.with_parts(rewired(part, now) for part in frozen.parts if part.id != unit.id)
    said = []
    for unit in frozen.units:
        if unit.op.type == POOL and unit.op.p.mode != "max" and _feeds_projections(unit, frozen):
            pooled = pooling(unit.op.shapes["input"] or (), unit.op.p.window, unit.op.p.mode)
            parts = (_composed(part, unit, pooled) for part in frozen.parts if part.id != unit.id)
            frozen = frozen.with_parts(parts)
            said.append(Conversion(f"'{unit.op.name}' is worked into the weights after it", (unit.id,)))
    return frozen, tuple(said)


def fits(op: Op, program: Program) -> bool:
    """Whether ``through`` takes a pool out: it sums or means spikes that only projections read."""
    fed = [program.ops[s.op] for group in op.inputs.values() for s in group]
    plain = all(reader.role == "projection" for reader in _readers(op, program))
    return op.p.mode != "max" and plain and all(sender.role != "projection" for sender in fed)


def _readers(op: Op, program: Program) -> Iterator[Op]:
    """What reads an op, looking through what leaves its elements as they are."""
    for other in program.ops.values():
        if any(s.op == op.id for group in other.inputs.values() for s in group):
            yield from _readers(other, program) if other.type in PASSED else (other,)


def _feeds_projections(unit: Unit, frozen: Frozen) -> bool:
    own = Source(unit.id, "output")
    read = any(own in other.sources for other in frozen.units)
    return own not in frozen.outputs and not read and not isinstance(_before(unit, frozen), Synapses)


def _before(unit: Unit, frozen: Frozen) -> Part | None:
    return frozen.by_id.get(unit.sources[0].op)


def pooling(shape: Shape, window: int, mode: str) -> csr_matrix:
    """The sums, or means, as a matrix ``[pooled elements, elements]``; what is left over is cut."""
    rank = max(1, len(shape) - 1)  # of the last axes
    plain = len(shape) - rank
    small = (*shape[:plain], *(n // window for n in shape[plain:]))
    places = np.indices(shape).reshape(len(shape), -1)
    target = np.stack([c if axis < plain else c // window for axis, c in enumerate(places)])
    kept = np.all(target < np.array(small)[:, None], axis=0)
    rows = np.ravel_multi_index(tuple(target[:, kept]), small)
    weight = np.full(rows.size, 1.0 if mode == "sum" else 1.0 / window**rank)
    sizes = (int(np.prod(small)), int(np.prod(shape)))
    return csr_matrix((weight, (rows, np.flatnonzero(kept))), sizes)


def _composed(part: Part, unit: Unit, pooled: csr_matrix) -> Part:
    """Synapses that read the pool, from what it pools; a synapse for every element of its window."""
    if not isinstance(part, Synapses) or Source(unit.id, "output") not in part.inputs:
        return part
    counts = np.diff(pooled.indptr)[part.pre]
    each = np.repeat(np.arange(part.pre.size), counts)
    begin = np.repeat(pooled.indptr[part.pre] - np.cumsum(counts) + counts, counts)
    entry = begin + np.arange(each.size)
    weight = (part.weight[each] * pooled.data[entry]).astype(np.float32)
    return replace(
        part,
        inputs=unit.inputs["input"],
        source_shape=unit.op.shapes["input"] or (),
        pre=pooled.indices[entry].astype(np.int64),
        post=part.post[each],
        weight=weight,
        delay=part.delay[each],
    )
