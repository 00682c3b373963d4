"""Parameters that projections with a weight array share."""

from __future__ import annotations

import numpy as np

from nodes.initialisers import INITIALISERS, initialiser
from nodes.roles import Projection
from nodes.spec import Initialiser, Param, Shape, Tensor, Values


class Weighted(Projection):
    """A projection with initialised, trainable weights and an optional bias."""

    init = Param("kaiming_uniform", choices=tuple(INITIALISERS), doc="how weights are drawn")
    gain = Param(1.0, low=-1e6, high=1e6, doc="factor on the drawn weights")
    sign = Param(
        "any",
        choices=("any", "excitatory", "inhibitory"),
        doc="keep weights at any value, at 0 or above, or at 0 or below, also in training",
    )
    train_weights = Param(True, doc="learn the weights in training")
    bias = Param(False, doc="add one learned constant per target (per channel of a convolution)")

    @classmethod
    def weight_tensors(
        cls, p: Values, weight: Shape, targets: int, draw: Initialiser | None = None
    ) -> dict[str, Tensor]:
        """``weight``, drawn by ``draw`` or as ``init`` says, and, with ``bias``, ``offset`` [targets]."""
        group = "weights" if p.train_weights else "fixed"
        low, high = {"any": (None, None), "excitatory": (0.0, None), "inhibitory": (None, 0.0)}[p.sign]
        init = signed(draw or drawn(p), p.sign)
        tensors = {"weight": Tensor(weight, init, group, low, high)}
        if p.bias:
            tensors["offset"] = Tensor((targets,), initialiser("constant", 0.0), group)
        return tensors


def drawn(p: Values) -> Initialiser:
    """The initialiser that ``init`` and ``gain`` name; a negative gain turns the drawn weights round."""
    init = initialiser(p.init, abs(p.gain))
    return init if p.gain >= 0 else lambda rng, shape: -init(rng, shape)


def signed(init: Initialiser, sign: str) -> Initialiser:
    """The initialiser with its magnitudes given one sign (Dale's law), or unchanged for ``any``."""
    if sign == "any":
        return init
    factor = np.float32(1 if sign == "excitatory" else -1)
    return lambda rng, shape: factor * np.abs(init(rng, shape))
