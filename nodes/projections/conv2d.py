"""Convolution over two axes of space."""

from __future__ import annotations

from typing import ClassVar

from nodes.projections._windows import Convolution
from nodes.spec import node


@node(
    "projection.conv2d",
    label="Conv 2D",
    keywords=("convolution", "image", "filter", "window", "event camera"),
)
class Conv2D(Convolution):
    """Shared weights over a plane: I[o, i, j] = sum W[o, c, k, l] x[c, i stride + k - padding, ...] (+ b_o).

    Input ``[channels, height, width]``, output ``[channels', height', width']`` with
    height' = (height + 2 padding - window) // stride + 1 and width' alike.
    """

    rank: ClassVar[int] = 2
