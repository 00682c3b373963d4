"""Parameters that projections with a weight array share."""

from __future__ import annotations

from nodes.initialisers import INITIALISERS, initialiser
from nodes.spec import Param, Projection, Shape, Tensor, Values


class Weighted(Projection):
    """A projection with initialised, trainable weights and an optional bias."""

    init = Param("kaiming_uniform", choices=tuple(INITIALISERS), doc="how weights are drawn")
    gain = Param(1.0, low=-1e6, high=1e6, doc="factor on the drawn weights; negative for inhibition")
    bias = Param(False, doc="add one learned constant per target")

    @classmethod
    def weight_tensors(cls, p: Values, weight: Shape, targets: int) -> dict[str, Tensor]:
        """``weight`` and, with ``bias``, the constant ``offset`` [targets]."""
        group = "weights" if p.train_weights else "fixed"
        tensors = {"weight": Tensor(weight, initialiser(p.init, p.gain), group)}
        if p.bias:
            tensors["offset"] = Tensor((targets,), initialiser("constant", 0.0), group)
        return tensors
