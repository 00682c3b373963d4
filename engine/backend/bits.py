"""What fewer bits cost: one trained network quantised in several ways, judged, and trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from engine.arrays import tensor_key
from engine.backend import evaluation, training
from engine.backend.data import Split
from engine.backend.evaluation import Progress
from engine.backend.network import Network
from engine.backend.recorded import with_interval
from engine.backend.training import Options
from engine.export.quantise import Quantisation, size
from nodes.spec import Values

MEASURED = 256  # recordings of the training split on which the range of the state is measured
Found = dict[str, Any]


class Comparison:
    """The same weights under several quantisations.  ``train`` may be None where nothing needs it."""

    def __init__(self, network: Network, held_out: Split, train: Split | None, batch: int) -> None:
        self.network, self.held_out, self.train, self.batch = network, held_out, train, batch
        self._start = {key: network.tensor(key).detach().clone() for key in network.declared}

    def judge(self, q: Quantisation, tick: Progress) -> Found:
        """The held-out accuracy of the weights as they were, quantised; the network stays so."""
        self._begin(q)
        return self._judged(tick)

    def train_on(self, q: Quantisation, recipe: Values, options: Options, tick: Progress) -> Found | None:
        """The same after training on from there with ``q`` in force; None when it was stopped."""
        self._begin(q)
        assert self.train is not None, "training needs the training split"
        self.network.train()
        metrics = training.train(self.network, recipe, {"train": self.train}, options)
        return None if metrics.get("stopped") else self._judged(tick)

    def bytes(self, q: Quantisation) -> int:
        """The size of all weights with their scales."""
        network = self.network
        return sum(size(q, op, network.specs(op)) for op in network.program.ops.values())

    def _begin(self, q: Quantisation) -> None:
        network = self.network
        with torch.no_grad():
            for key, value in self._start.items():
                network.tensor(key).copy_(value)
        network.quantisation, network.ranges = q, {}
        network.eval()
        if q.state:
            assert self.train is not None, "the range of the state is measured on the training split"
            measure(network, self.train, self.batch)

    def _judged(self, tick: Progress) -> Found:
        return with_interval(
            evaluation.evaluate(self.network, self.held_out, batch=self.batch, on_progress=tick)
        )


@torch.no_grad()
def measure(network: Network, split: Split, batch: int) -> None:
    """Find out how large the state gets on recordings from all over a split, before it is rounded."""
    some = np.unique(np.linspace(0, len(split) - 1, MEASURED).astype(int))
    with network.measuring():
        for part in split.part(some).batches(batch):
            evaluation.forward(network, part, run=0)


def settle(network: Network) -> None:
    """Put every tensor on its grid for good; only the state is still to be rounded in running."""
    network.eval()
    with torch.no_grad():
        for op in network.program.ops.values():
            for name, value in network.read(op).items():
                network.tensor(tensor_key(op.id, name)).copy_(value)
    network.quantisation = replace(Quantisation(), state=network.quantisation.state)
    network.eval()
