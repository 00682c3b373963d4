"""What our engine does on a stimulus: the run that every export is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from engine.backend.network import Network
from engine.program import Source


@torch.no_grad()
def record(
    network: Network,
    keep: Iterable[Source],
    inputs: Mapping[Source, np.ndarray],
    steps: int,
    *,
    whole: bool = False,
) -> dict[Source, np.ndarray]:
    """Signals ``[steps, *shape]`` of one sample; ``inputs [time, *shape]`` of data sets, zero afterwards.

    ``whole``: as one sequence that ends, whose parts outlast it by their tails (``steps`` is then its
    length, and the signals last longer); else the run goes on for ever and every part with it.
    """
    given = {source: _sample(x) for source, x in inputs.items()}
    training = network.training
    network.eval()
    try:
        wanted = {source for source in keep if source not in given}
        last = steps + network.program.tail if whole else steps
        result = network.run(given, steps=last, end=steps if whole else None, keep=wanted, batch=1)
    finally:
        network.train(training)
    found = {source: _plain(signal, last) for source, signal in {**given, **result.signals}.items()}
    return {source: found[source] for source in keep}


def _sample(x: np.ndarray) -> Tensor:
    """``[time, *shape]`` as ``[time, 1, *shape]``."""
    return torch.from_numpy(np.ascontiguousarray(x, np.float32))[:, None]


def _plain(signal: Tensor, steps: int) -> np.ndarray:
    """``[time, 1, *shape]`` as ``[steps, *shape]``, zero where it has ended."""
    known = signal[:steps, 0].numpy()
    full = np.zeros((steps, *known.shape[1:]), np.float32)
    full[: len(known)] = known
    return full
