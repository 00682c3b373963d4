"""Sparse projection."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from nodes.initialisers import INITIALISERS
from nodes.ops import Ops, Sparse
from nodes.projections._connectivity import Synapses, check_in_degree, connect
from nodes.projections._matrix import entries
from nodes.projections._weights import Weighted, drawn
from nodes.spec import Initialiser, Param, Shape, Shapes, Step, Tensor, Values, node

RULES = ("fixed_probability", "fixed_in_degree", "one_to_one", "matrix")
# these two speak of a matrix as a whole: they need its fan-out, or orthogonal rows
DENSE_ONLY = ("xavier_uniform", "orthogonal")


@node("projection.sparse", label="Sparse", keywords=("random", "connectivity", "probability", "one-to-one"))
class SparseProjection(Weighted):
    """Only some pairs of neurons.  I_o = sum over synapses k with post[k] = o of w[k] x[pre[k]] (+ b_o).

    ``fixed_probability``: every pair independently; ``fixed_in_degree``: so many different sources for every
    target; ``one_to_one``: source i to target i; ``matrix``: where the matrix is not zero, its values (times
    ``gain``) being the weights.  Initialisers take the mean number of sources of a target for their fan-in.
    Time and memory follow the number of synapses; the full matrix is never built.
    """

    delayable: ClassVar[tuple[str, ...]] = ("synapse", "axonal", "dendritic", "projection")
    indexed: ClassVar[bool] = True
    init = Param(
        "kaiming_uniform",
        choices=tuple(name for name in INITIALISERS if name not in DENSE_ONLY),
        doc="how weights are drawn",
    )
    connectivity = Param("fixed_probability", choices=RULES, doc="which pairs of neurons are joined")
    probability = Param(0.1, low=0.0, high=1.0, doc="chance that a pair is joined (fixed_probability)")
    in_degree = Param(10, low=0, high=1_000_000, doc="number of sources of each target (fixed_in_degree)")
    matrix = Param([], doc="weights, one row per target (matrix)")
    file = Param("", kind="path", doc=".csv, .npy or .npz (dense, or by scipy.sparse) instead of `matrix`")
    allow_self = Param(True, doc="within one population, let a neuron project to itself")
    seed = Param(0, low=0, high=2**31, doc="draws the pairs; the same seed and sizes give the same pairs")
    size = Param([], kind="shape", doc="shape of the output; empty takes that of the target")

    @classmethod
    def check(cls, p: Values) -> list[tuple[str, str]]:
        if p.connectivity != "matrix":
            return []
        if not p.file and not p.matrix:
            return [("matrix", "is empty; give a matrix or name a file")]
        try:
            entries(p.matrix, p.file)
        except ValueError as error:
            return [("file" if p.file else "matrix", str(error))]
        return []

    @classmethod
    def infer(cls, p: Values, shapes: Shapes) -> Shapes:
        source, target = shapes["input"], tuple(p.size) or shapes["output"]
        if p.connectivity == "one_to_one":
            target = target or source
        if source is not None and target is not None:
            _check_sizes(p, math.prod(source), math.prod(target))
        return {**shapes, "output": target}

    @classmethod
    def synapses(cls, p: Values, shapes: Shapes) -> float:
        """Told without drawing them."""
        sources, targets = math.prod(shapes["input"] or ()), math.prod(shapes["output"] or ())
        if p.connectivity == "fixed_probability":
            return float(p.probability * sources * targets)
        if p.connectivity == "fixed_in_degree":
            return float(p.in_degree * targets)
        return connect(p, sources, targets).pre.size

    @classmethod
    def tensors(cls, p: Values, shapes: Shapes) -> dict[str, Tensor]:
        sources, targets = math.prod(shapes["input"] or ()), math.prod(shapes["output"] or ())
        synapses = connect(p, sources, targets)
        count = (synapses.pre.size,)
        return {
            **cls.weight_tensors(p, count, targets, _weights(p, synapses, targets)),
            "pre": Tensor(count, lambda rng, shape: synapses.pre.copy(), "fixed"),
            "post": Tensor(count, lambda rng, shape: synapses.post.copy(), "fixed"),
        }

    @staticmethod
    def step(ops: Ops, s: Values, x: Values, p: Values, dt: float) -> Step:
        source, target = p.shapes["input"], p.shapes["output"]
        flat = ops.reshape(x.input, len(source), (math.prod(source),))
        weight = Sparse(p.weight, p.pre, p.post, (math.prod(target), math.prod(source)))
        current = ops.linear(flat, weight)
        current = current + p.offset if p.bias else current
        return {}, {"output": ops.reshape(current, 1, target)}


def _check_sizes(p: Values, sources: int, targets: int) -> None:
    if p.connectivity == "fixed_in_degree":
        check_in_degree(p.in_degree, p.allow_self, sources, targets)
    elif p.connectivity in ("one_to_one", "matrix"):
        connect(p, sources, targets)


def _weights(p: Values, synapses: Synapses, targets: int) -> Initialiser:
    """One number per synapse: the given ones, or drawn in rows as long as a target has sources on average."""
    given = synapses.weight
    if given is not None:
        return lambda rng, shape: (p.gain * given).astype(np.float32)
    fan_in = max(1, round(synapses.pre.size / max(1, targets)))

    def draw(rng: np.random.Generator, shape: Shape) -> np.ndarray:
        rows = math.ceil(shape[0] / fan_in)
        return drawn(p)(rng, (rows, fan_in)).ravel()[: shape[0]]

    return draw
