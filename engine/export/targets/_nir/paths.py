"""A projection as chains of NIR nodes from its source to its target, one chain for each distinct delay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.errors import MyelinError
from engine.export.frozen import Synapses
from engine.export.nir.dialects import Dialect
from engine.export.nir.file import NirNode

Path = Sequence[tuple[str, NirNode | np.ndarray]]
"""(wanted name, node), or an array of delays in steps."""


def paths(
    synapses: Synapses, factor: np.ndarray | None, early: int, dialect: Dialect, rank: int, late: str
) -> list[Path]:
    """The chains; ``factor [targets]`` is multiplied into the weights, ``early`` taken off the delays.

    ``rank``: axes of the source; weights of one matrix take one.  ``late``: name of a single node Delay.
    """
    delay = synapses.delay - early
    if delay.size and delay.min() < 0:
        raise MyelinError(f"'{synapses.op.name}' has a loop without delay, which no reader of NIR can run")
    scale = np.ones(synapses.target_size) if factor is None else np.asarray(factor, np.float64)
    if len(np.unique(delay)) <= 1:
        steps = int(delay[0]) if delay.size else 0
        return [
            _late(
                late, synapses, np.full(synapses.source_size, steps), _weights(synapses, scale, dialect, rank)
            )
        ]
    by_source, by_target = _each(synapses.pre, delay, synapses.source_size), None
    if by_source is not None:
        return [_late(late, synapses, by_source, _weights(synapses, scale, dialect, rank))]
    by_target = _each(synapses.post, delay, synapses.target_size)
    if by_target is not None:
        chain = list(_weights(synapses, scale, dialect, rank))
        return [[*chain, (late, by_target)]]
    return _one_for_each(synapses, delay, scale, dialect, rank)


def _late(name: str, synapses: Synapses, steps: np.ndarray, chain: Path) -> Path:
    """A chain behind delays of the sources."""
    late = steps.reshape(synapses.source_shape)
    return [(name, late), *chain] if steps.any() else chain


def _each(index: np.ndarray, delay: np.ndarray, size: int) -> np.ndarray | None:
    """One delay for every source (or target), where all its synapses agree."""
    steps: np.ndarray = np.zeros(size, np.int64)
    steps[index] = delay
    agree = np.array_equal(steps[index], delay)
    return steps if agree else None


def _one_for_each(
    synapses: Synapses, delay: np.ndarray, scale: np.ndarray, dialect: Dialect, rank: int
) -> list[Path]:
    found: list[Path] = []
    for number, steps in enumerate(np.unique(delay).tolist()):
        here = delay == steps
        weight = _matrix(synapses, scale, here)
        bias = None if number or synapses.offset is None else synapses.offset * scale
        name = f"{synapses.op.name}_{steps}"
        chain: list[tuple[str, NirNode | np.ndarray]] = [
            *_flat(synapses, rank),
            (name, _linear(weight, bias, dialect)),
        ]
        late = (f"{name}_delay", np.full(synapses.source_shape, steps))
        found.append([late, *chain] if steps else chain)
    return found


def _matrix(synapses: Synapses, scale: np.ndarray, here: np.ndarray | slice) -> np.ndarray:
    full = np.zeros((synapses.target_size, synapses.source_size))
    np.add.at(full, (synapses.post[here], synapses.pre[here]), synapses.weight[here])
    scaled: np.ndarray = full * scale[:, None]
    return scaled.astype(np.float32)


def _linear(weight: np.ndarray, bias: np.ndarray | None, dialect: Dialect) -> NirNode:
    if bias is None and dialect.rule != "sinabs":  # sinabs reads no Linear
        return NirNode("Linear", {"weight": weight})
    bias = np.zeros(weight.shape[0]) if bias is None else bias
    return NirNode("Affine", {"weight": weight, "bias": bias.astype(np.float32)})


def _flat(synapses: Synapses, rank: int) -> Path:
    if rank == 1:
        return []
    fields = {"start_dim": 0, "end_dim": -1, "input_type": np.array(synapses.source_shape)}
    return [(f"{synapses.op.name}_flat", NirNode("Flatten", {k: np.asarray(v) for k, v in fields.items()}))]


def _weights(synapses: Synapses, scale: np.ndarray, dialect: Dialect, rank: int) -> Path:
    """The weights of a projection, whatever its delays."""
    name = synapses.op.name
    if synapses.op.type in ("projection.conv1d", "projection.conv2d"):
        return [(name, _convolution(synapses, scale))]
    if _one_to_one(synapses):
        weight = synapses.weight * scale[synapses.post]
        if np.array_equal(weight, np.ones_like(weight)):
            return []
        if dialect.types and "I" in dialect.types:  # dialects that have every primitive
            shaped = weight.reshape(synapses.target_shape).astype(np.float32)
            return [(name, NirNode("Scale", {"scale": shaped}))]
    if len(synapses.target_shape) > 1:
        raise MyelinError(
            f"'{name}' ends at shape {list(synapses.target_shape)}, but weights in NIR make one axis"
        )
    bias = None if synapses.offset is None else synapses.offset * scale
    matrix = _matrix(synapses, scale, slice(None))
    return [*_flat(synapses, rank), (name, _linear(matrix, bias, dialect))]


def _one_to_one(synapses: Synapses) -> bool:
    every = np.arange(synapses.source_size)
    return (
        synapses.offset is None
        and synapses.source_shape == synapses.target_shape
        and np.array_equal(synapses.pre, every)
        and np.array_equal(synapses.post, every)
    )


def _convolution(synapses: Synapses, scale: np.ndarray) -> NirNode:
    """The window again, from the synapses that came of it."""
    p, source, target = synapses.op.p, synapses.source_shape, synapses.target_shape
    c, *i = np.unravel_index(synapses.pre, source)
    o, *j = np.unravel_index(synapses.post, target)
    taps = tuple(x - y * p.stride + p.padding for x, y in zip(i, j, strict=True))
    window = np.zeros((target[0], source[0], *[p.window] * len(taps)))
    value = synapses.weight * scale[synapses.post]
    window[(o, c, *taps)] = value
    if not np.allclose(window[(o, c, *taps)], value, rtol=1e-5):
        raise MyelinError(
            f"'{synapses.op.name}' has no common window any more, for its targets differ in gain"
        )
    offset = np.zeros(synapses.target_size) if synapses.offset is None else synapses.offset
    bias = _per_channel(offset, target[0], synapses) * scale.reshape(target[0], -1)[:, 0]
    same = np.array([p.stride] * len(taps)), np.array([p.padding] * len(taps)), np.array([1] * len(taps))
    stride, padding, dilation = same if len(taps) > 1 else tuple(np.asarray(x[0]) for x in same)
    space = np.array(source[1:]) if len(taps) > 1 else np.asarray(source[1])
    fields = {
        "input_shape": space,
        "weight": window.astype(np.float32),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": np.asarray(1),
        "bias": bias.astype(np.float32),
    }
    return NirNode(f"Conv{len(taps)}d", fields)


def _per_channel(offset: np.ndarray, channels: int, synapses: Synapses) -> np.ndarray:
    table = np.broadcast_to(offset.ravel(), (synapses.target_size,)).reshape(channels, -1)
    if not np.allclose(table, table[:, :1], rtol=1e-5, atol=1e-9):
        raise MyelinError(f"'{synapses.op.name}' has a bias that differs within a channel")
    return np.asarray(table[:, 0])
