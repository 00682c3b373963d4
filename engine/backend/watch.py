"""What a person wants to see of a training besides metrics: rates, gradients, delays and weights by epoch."""

from __future__ import annotations

from collections import Counter
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from engine.arrays import names_by_op, tensor_key
from engine.backend import evaluation
from engine.backend.network import Network
from engine.program import Op, Source

Entry = dict[str, Any]
MOST_BINS = 64
WEIGHT_BINS = 41  # odd, so that one bar stands for zero


class Watch(Callback):
    """Sums up over an epoch how much every population fires and how large every gradient is."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.names = _names(network)
        populations = network.program.of_role("population")
        self.spikes = [Source(op.id, "spikes") for op in populations if "spikes" in op.spec.outputs]
        self._forget()

    def _forget(self) -> None:
        self.fired: dict[str, list[Tensor]] = {source.op: [] for source in self.spikes}
        self.seen: Counter[str] = Counter()
        self.norms: dict[str, list[Tensor]] = {key: [] for key in self.network.learned}

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Nothing is summed up yet."""
        self._forget()

    def see(self, signals: dict[Source, Tensor]) -> None:
        """Count the spikes of a batch."""
        for source in self.spikes:
            if (spikes := signals.get(source)) is not None:
                self.fired[source.op].append(spikes.detach().sum())
                self.seen[source.op] += spikes.numel()

    def on_before_optimizer_step(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Take the norms of the gradients before they are clipped."""
        for key, parameter in self.network.learned.items():
            if parameter.grad is not None:
                self.norms[key].append(parameter.grad.norm())

    def told(self) -> Entry:
        """Everything of this epoch: ``rates``, ``gradients``, ``delays`` and ``weights``, a list each."""
        operations = self.network.program.ops
        learned = [operations[key] for key in self.network.sigma]
        weighed = [op for op in operations.values() if tensor_key(op.id, "weight") in self.network.declared]
        return {
            "rates": [self._rate(source.op) for source in self.spikes],
            "gradients": [self._gradient(key) for key in sorted(self.norms)],
            "delays": [self._delays(op) for op in learned],
            "weights": [self._weights(op) for op in weighed],
        }

    def _rate(self, op: str) -> Entry:
        """Mean rate in Hz over neurons, samples and steps, those of padding included."""
        spikes = float(sum(float(count) for count in self.fired[op]))
        sums = evaluation.over_processes(torch.tensor([spikes, self.seen[op]], dtype=torch.float64))
        rate = float(sums[0]) / max(float(sums[1]), 1.0) * 1000.0 / self.network.program.dt
        return {"node": op, "name": self.names[op], "hz": rate}

    def _gradient(self, key: str) -> Entry:
        """Mean over the epoch's steps of the norm of a tensor's gradient."""
        ((op, (tensor,)),) = names_by_op(self.network.program, [key]).items()
        norms = self.norms[key]
        mean = float(torch.stack(norms).mean()) if norms else 0.0
        return {"node": op, "name": self.names[op], "tensor": tensor, "norm": mean}

    def _delays(self, op: Op) -> Entry:
        """Delays of a projection in steps; a bar for each tap as far as there are not too many."""
        assert op.delay is not None
        low, high = op.delay.low, op.delay.high
        bins = min(high - low + 1, MOST_BINS)
        entry = self._histogram(op, "delay", bins, low - 0.5, high + 0.5)
        sigma = self.network.sigma[op.id]
        return {**entry, "delays": op.delay.node, "dt": self.network.program.dt, "sigma": sigma}

    def _weights(self, op: Op) -> Entry:
        weight = self.network.tensor(tensor_key(op.id, "weight")).detach()
        most = float(weight.abs().max()) if weight.numel() else 0.0
        return self._histogram(op, "weight", WEIGHT_BINS, -(most or 1.0), most or 1.0)

    def _histogram(self, op: Op, tensor: str, bins: int, low: float, high: float) -> Entry:
        """``counts`` of equal bins from ``low`` to ``high``; ``tensor``: its name in a checkpoint."""
        key = tensor_key(op.id, tensor)
        values = self.network.tensor(key).detach().float().flatten()
        return {
            "node": op.id,
            "name": self.names[op.id],
            "tensor": f"network/{key}",
            "low": low,
            "high": high,
            "counts": torch.histc(values.cpu(), bins, low, high).int().tolist(),
            "mean": float(values.mean()) if len(values) else 0.0,
            "std": float(values.std(correction=0)) if len(values) else 0.0,
        }


def _names(network: Network) -> dict[str, str]:
    """What ops are called; two of one name by their ids, too."""
    every = Counter(op.name for op in network.program.ops.values())
    return {
        op.id: op.name if every[op.name] == 1 else f"{op.name} ({op.id})"
        for op in network.program.ops.values()
    }


def scalars(told: Entry) -> dict[str, float]:
    """The columns for ``metrics.csv``."""
    rates = {f"{one['name']} rate_hz": one["hz"] for one in told["rates"]}
    norms = {f"{one['name']} {one['tensor']} gradient": one["norm"] for one in told["gradients"]}
    return rates | norms
