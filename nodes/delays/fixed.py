"""Fixed delays."""

from __future__ import annotations

import numpy as np

from nodes.delays._base import Extending
from nodes.projections._matrix import numbers, read
from nodes.spec import Initialiser, Param, Shape, Values, node

LONGEST = 1e5


@node("delays.fixed", label="Fixed delays", keywords=("delay", "constant", "axon", "conduction", "latency"))
class FixedDelays(Extending):
    """Delays that stay as given: one number for all, or one for each as a list, a matrix or a file.

    Per synapse a matrix has one row per target and one column per source (a sparse projection: one number per
    synapse, by target, then by source); axonal delays are listed by source, dendritic ones by target.  Each
    is rounded to whole steps.
    """

    delay = Param(1.0, "ms", low=0.0, high=LONGEST, doc="delay where no list is given")
    table = Param([], unit="ms", doc="a delay for each: a list, or per synapse a list of rows")
    file = Param("", kind="path", doc=".csv, .npy or .npz of delays in ms instead of `table`")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        name = "file" if p.file else "table"
        try:
            given = _given(p)
        except ValueError as error:
            return [(name, str(error))]
        if given.size == 0:
            return [(name, "holds no delays")]
        if given.min() < 0 or given.max() > LONGEST:
            return [
                (
                    name,
                    f"must hold delays from 0 to {LONGEST:g} ms, not {given.min():g} to {given.max():g} ms",
                )
            ]
        return []

    @classmethod
    def span(cls, p: Values) -> tuple[float, float]:
        given = _given(p)
        return float(given.min()), float(given.max())

    @classmethod
    def values(cls, p: Values, dt: float) -> Initialiser:
        steps = np.round(_given(p) / dt).astype(np.float32)

        def fill(rng: np.random.Generator, shape: Shape) -> np.ndarray:
            if steps.ndim == 0:
                return np.full(shape, steps, np.float32)
            return _fit(steps, shape, p.granularity)

        return fill


def _given(p: Values) -> np.ndarray:
    """Delays in ms: an array without dimensions when one number stands for all."""
    if p.file:
        return read(p.file)
    return numbers(p.table) if p.table else np.array(p.delay, np.float64)


def _fit(steps: np.ndarray, shape: Shape, granularity: str) -> np.ndarray:
    size = int(np.prod(shape))
    transposed = steps.ndim == 2 and len(shape) == 2 and min(shape) > 1 and steps.shape != shape
    if steps.size != size or transposed:
        words = {"synapse": "one per synapse", "axonal": "one per source", "dendritic": "one per target"}
        wanted = words.get(granularity, "one number")
        raise ValueError(
            f"fixed delays: {list(steps.shape)} numbers are given, but {wanted} is {list(shape)}"
        )
    return steps.reshape(shape)
