"""Evaluation with rounded delays, and simulation with probes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from engine.backend import memory, threads
from engine.backend.data import Batch, Split
from engine.backend.network import Network
from engine.backend.noise import Noise
from engine.errors import MyelinError
from engine.program import Op, Program, Record, Source

Progress = Callable[[int, int], None]


class Watch(Protocol):
    """Who looks at the signals of a run as it goes on (``engine.run.worker.health.Health``)."""

    def wanted(self) -> set[Source]:
        """The signals to look at in the next window."""

    def take(self, signals: Mapping[Source, Tensor], steps: int) -> object:
        """Look at a window."""


def judged(network: Network) -> Op:
    """The loss whose prediction is compared with the label."""
    for op in network.program.of_role("loss"):
        if op.inputs.get("prediction") and op.inputs.get("label"):
            return op
    raise MyelinError(
        f"'{network.program.title}' has no loss with a prediction and a label, so nothing can be judged"
    )


def wanted(network: Network) -> set[Source]:
    """The signals that losses read."""
    losses = network.program.of_role("loss")
    return {
        source
        for op in losses
        for port, sources in op.inputs.items()
        if port != "label"
        for source in sources
    }


def score(prediction: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """(predicted, true) classes, flat; where every step has a label, every step that has one."""
    if label.ndim == 2:
        return prediction[-1].argmax(-1), label.argmax(-1)
    known = label.sum(-1) > 0
    return prediction[: len(label)].argmax(-1)[known], label.argmax(-1)[known]


@torch.no_grad()
def evaluate(
    network: Network,
    split: Split,
    *,
    batch: int,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Accuracy, mean loss and confusion matrix ``[true][predicted]`` on a split; the mode is restored."""
    training = network.training
    network.eval()
    try:
        confusion, total = _counted(network, split, batch, on_progress)
    finally:
        network.train(training)
    if split.world > 1:
        confusion = over_processes(torch.from_numpy(confusion)).numpy()
        total = float(over_processes(torch.tensor(total, dtype=torch.float64)))
    right, judged_ = int(confusion.trace()), int(confusion.sum())
    return {
        "split": split.name,
        "samples": len(split),
        "judged": judged_,
        "accuracy": right / max(judged_, 1),
        "loss": total / max(len(split), 1),
        "chance": split.chance(),
        "classes": list(split.classes),
        "confusion": confusion.tolist(),
    }


def _counted(network: Network, split: Split, batch: int, on_progress: Progress) -> tuple[np.ndarray, float]:
    """(confusion matrix, sum of losses) of our part of a split."""
    loss = judged(network)
    (source,) = loss.inputs["prediction"]
    classes = len(split.classes)
    confusion, total, done = np.zeros((classes, classes), np.int64), 0.0, 0
    for part in split.batches(batch):
        signals, losses = forward(network, part, run=0)
        predicted, true = score(signals[source], part.label.to(network_device(network)))
        _check_classes(loss, signals[source], classes)
        np.add.at(confusion, (true.cpu().numpy(), predicted.cpu().numpy()), 1)
        total += float(sum(value.double().sum() for value in losses.values()))
        done += part.total
        on_progress(done, len(split))
    return confusion, total


def over_processes(mine: Tensor) -> Tensor:
    """The sum of a tensor over all processes that share a training; on the CPU."""
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return mine
    device = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
    total = mine.to(device)
    dist.all_reduce(total)
    return total.cpu()


def forward(
    network: Network, part: Batch, run: int, keep: Iterable[Source] = ()
) -> tuple[dict[Source, Tensor], dict[str, Tensor]]:
    """Signals that losses read and those to ``keep``, and every loss of each sample."""
    device = network_device(network)
    noise = Noise(network.program.seed, run, part.total, part.rows)
    inputs = {source: signal.to(device) for source, signal in part.inputs.items()}
    result = network.run(inputs, keep={*wanted(network), *keep}, noise=noise)
    return result.signals, network.losses(result.signals, part.label.to(device))


def network_device(network: Network) -> torch.device:
    """Where the network's tensors lie."""
    return next(iter(network.parameters()), next(iter(network.buffers()), torch.empty(0))).device


def _check_classes(loss: Op, prediction: Tensor, classes: int) -> None:
    if prediction.shape[-1] != classes:
        raise MyelinError(
            f"the data set has {classes} classes, but '{loss.name}' is given {prediction.shape[-1]} scores"
        )


def sources(network: Network) -> list[Record]:
    """What a run records: the probes, or the spikes of every population when there are none."""
    if network.program.records:
        return list(network.program.records)
    populations = [op for op in network.program.of_role("population") if "spikes" in op.spec.outputs]
    return [Record(op.name, op.id, Source(op.id, "spikes"), "signal") for op in populations]


@torch.no_grad()
def simulate(
    network: Network,
    inputs: dict[Source, Tensor],
    *,
    steps: int | None,
    batch: int = 1,
    chunk: int = 100,
    on_progress: Progress = lambda done, total: None,
    watch: Watch | None = None,
) -> dict[str, np.ndarray]:
    """Run and record: signals ``[time, batch, *shape]`` by probe name (rates in Hz, tensors as they are).

    ``inputs`` as a whole sequence; without ``steps`` it lasts as long as they do.
    """
    network.eval()
    records = sources(network)
    keep = {record.source for record in records if record.records in ("signal", "rate")}
    end = max(map(len, inputs.values())) if inputs else None
    total = steps if steps is not None else (end or 0) + network.program.tail
    _require_memory(network.program, keep, total * batch)
    found: dict[Source, list[Tensor]] = {source: [] for source in keep}
    state = None
    for start in range(0, total, chunk):
        window = {source: signal[start : start + chunk] for source, signal in inputs.items()}
        length = min(chunk, total - start)
        looked_at = keep | watch.wanted() if watch else keep
        with threads.for_batch(batch):
            result = network.run(window, state, steps=length, end=end, batch=batch, keep=looked_at)
        state = result.state
        for source in keep & result.signals.keys():
            found[source].append(result.signals[source].cpu())
        if watch:
            watch.take({**window, **result.signals}, length)
        on_progress(min(start + chunk, total), total)
    return {record.name: _recorded(network, record, found) for record in records}


def _require_memory(program: Program, keep: set[Source], columns: int) -> None:
    """Every step and sample of what is kept is held until the end, and joined then."""
    values = sum(math.prod(program.ops[source.op].shapes[source.port] or ()) for source in keep)
    advice = "run for a shorter time or with fewer samples, or record less"
    memory.require(2 * 4.0 * values * columns, "what is recorded", advice)


def _recorded(network: Network, record: Record, found: dict[Source, list[Tensor]]) -> np.ndarray:
    if record.records in ("weights", "delays"):
        own = network.read(network.program.ops[record.source.op])
        name = "weight" if record.records == "weights" else "delay"
        if name not in own:
            raise MyelinError(f"probe '{record.name}' records {record.records}, but its projection has none")
        return own[name].detach().cpu().numpy()
    signal = torch.cat(found[record.source]).numpy()
    return signal if record.records == "signal" else rate(signal, network, record)


def rate(signal: np.ndarray, network: Network, record: Record) -> np.ndarray:
    """Mean firing rate in Hz in bins of the probe's width, ``[bins, batch]``."""
    width = max(1, round(record.p.bin / network.program.dt))
    per_step = signal.reshape(*signal.shape[:2], -1).mean(-1)
    bins = [per_step[start : start + width].mean(0) for start in range(0, len(per_step), width)]
    return np.stack(bins) * 1000.0 / network.program.dt
