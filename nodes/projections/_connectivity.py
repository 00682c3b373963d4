"""Which neurons a sparse projection joins: index arrays drawn from the projection's own seed."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nodes.projections._matrix import entries
from nodes.spec import Values


class Synapses(NamedTuple):
    """``pre[k]`` projects to ``post[k]`` (int64, by target, then by source); ``weight`` where it is given."""

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray | None = None


def connect(p: Values, sources: int, targets: int) -> Synapses:
    """The synapses a sparse projection's parameters ask for; ValueError when the sizes do not allow them."""
    if p.connectivity == "matrix":
        return _given(p, sources, targets)
    if p.connectivity == "one_to_one":
        return _one_to_one(sources, targets)
    number = p.probability if p.connectivity == "fixed_probability" else p.in_degree
    return _drawn(p.connectivity, number, p.seed, p.allow_self, sources, targets)


def _one_to_one(sources: int, targets: int) -> Synapses:
    if sources != targets:
        raise ValueError(f"one-to-one needs as many targets as sources, but {sources} meet {targets}")
    index = np.arange(sources)
    return Synapses(index, index)


def _given(p: Values, sources: int, targets: int) -> Synapses:
    found = entries(p.matrix, p.file)
    if found.shape != (targets, sources):
        rows, columns = found.shape
        raise ValueError(
            f"the matrix has {rows} rows and {columns} columns, but there are {targets} targets "
            f"(rows) and {sources} sources (columns)"
        )
    order = np.lexsort((found.column, found.row))
    return Synapses(found.column[order], found.row[order], found.value[order])


@lru_cache(maxsize=4)
def _drawn(how: str, number: float, seed: int, allow_self: bool, sources: int, targets: int) -> Synapses:
    """Cached, because the weights, both index arrays and the delays of one projection share one draw."""
    rng = np.random.default_rng(seed)
    if how == "fixed_probability":
        return _fixed_probability(rng, number, allow_self, sources, targets)
    return _fixed_in_degree(rng, int(number), allow_self, sources, targets)


def _fixed_probability(
    rng: np.random.Generator, probability: float, allow_self: bool, sources: int, targets: int
) -> Synapses:
    """Every pair independently; the gaps between hits are geometric, so time and memory follow the synapses.

    Source: Batagelj & Brandes, Physical Review E 71 (2005), 036113.
    """
    pairs = sources * targets
    hits = np.empty(0, np.int64)
    while probability > 0 and (hits.size == 0 or hits[-1] < pairs):
        start = hits[-1] if hits.size else -1
        left = (pairs - start) * probability
        # a gap beyond the last pair is as good as any: tiny probabilities would overflow the sum
        gaps = np.minimum(rng.geometric(probability, int(left + 4 * left**0.5) + 8), pairs + 1)
        hits = np.concatenate([hits, start + np.cumsum(gaps)])
    post, pre = np.divmod(hits[hits < pairs], sources)
    kept = slice(None) if allow_self else pre != post
    return Synapses(pre[kept], post[kept])


def _fixed_in_degree(
    rng: np.random.Generator, degree: int, allow_self: bool, sources: int, targets: int
) -> Synapses:
    """Every target hears ``degree`` different sources, each set equally likely."""
    check_in_degree(degree, allow_self, sources, targets)
    pre = np.empty((targets, degree), np.int64)
    for target in range(targets):
        barred = not allow_self and target < sources
        chosen = np.sort(rng.choice(sources - barred, degree, replace=False, shuffle=False))
        pre[target] = chosen + (chosen >= target) if barred else chosen
    return Synapses(pre.ravel(), np.repeat(np.arange(targets), degree))


def check_in_degree(degree: int, allow_self: bool, sources: int, targets: int) -> None:
    """ValueError when some target has fewer sources than it should hear."""
    available = sources if allow_self else sources - 1
    if degree > available:
        besides = "" if allow_self else " besides itself"
        raise ValueError(f"in_degree is {degree}, but a neuron has only {available} sources{besides}")
