"""Convolution over one axis of space."""

from __future__ import annotations

from typing import ClassVar

from nodes.projections._windows import Convolution
from nodes.spec import node


@node("projection.conv1d", label="Conv 1D", keywords=("convolution", "filter", "window", "frequency"))
class Conv1D(Convolution):
    """Shared weights along one axis.  I[o, j] = sum_{c, k} W[o, c, k] x[c, j stride + k - padding] (+ b_o).

    Input ``[channels, length]``, output ``[channels', (length + 2 padding - window) // stride + 1]``.
    """

    rank: ClassVar[int] = 1
