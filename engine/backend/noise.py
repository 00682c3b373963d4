"""Random numbers that depend only on where they are used: seed, run, node, name and step.

So any chunking of a run, and any split of a batch over processes, draws the same numbers.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Noise:
    """``run``: number of the run or training step; ``total``: size of the whole batch, ``rows``: our part."""

    seed: int
    run: int
    total: int
    rows: slice | None = None

    def draw(self, kind: str, op: str, name: str, step: int, shape: tuple[int, ...]) -> Tensor:
        """``[batch, *shape]`` uniform in [0, 1) or, for ``normal``, standard normal (float32, on the CPU)."""
        key = struct.pack("<qqq", self.seed, self.run, step) + f"{op}/{name}".encode()
        generator = torch.Generator().manual_seed(zlib.crc32(key))
        function = torch.randn if kind == "normal" else torch.rand
        drawn = function((self.total, *shape), generator=generator)
        return drawn if self.rows is None else drawn[self.rows]
