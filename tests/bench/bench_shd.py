"""Training and evaluation of the SHD network (140-256-256-20, 25 taps) against SpikingJelly + DCLS.

    python tests/bench/bench_shd.py [--batch 256] [--threads 2] [--rounds 5]

Needs the extra `bench`.  Times are medians of rounds in which the variants take turns; memory is the growth
of the peak resident size over one step, each variant in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout, pad, softmax

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.backend import evaluation
from engine.backend.data import Batch
from engine.backend.network import Network
from engine.compile import compile_document
from engine.document import load
from engine.program import Source

ROOT = Path(__file__).parents[2]
STEPS, INPUTS, CLASSES, DENSITY, SIGMA = 100, 140, 20, 0.02, 0.5


class Peer(nn.Module):
    """The published network of Hammouamri et al. 2024 on SpikingJelly's neurons and DCLS's convolutions."""

    def __init__(self) -> None:
        super().__init__()
        from DCLS.construct.modules import Dcls1d
        from spikingjelly.activation_based import neuron, surrogate

        sizes = [INPUTS, 256, 256, CLASSES]
        self.delays = nn.ModuleList(
            Dcls1d(a, b, kernel_count=1, dilated_kernel_size=25, bias=False, version="gauss")
            for a, b in pairwise(sizes)
        )
        for layer in self.delays:
            nn.init.uniform_(layer.P, -13, 12)
            layer.clamp_parameters()
            layer.SIG.data.fill_(SIGMA - 0.27)
            layer.SIG.requires_grad_(False)
        self.norms = nn.ModuleList(nn.BatchNorm1d(n) for n in sizes[1:3])
        common = {"tau": 1.005, "decay_input": False, "step_mode": "m", "detach_reset": True}
        surrogates = {"surrogate_function": surrogate.ATan(5.0)}
        self.neurons = nn.ModuleList(
            neuron.LIFNode(v_threshold=1.0, **common, **surrogates) for _ in range(2)
        )
        self.output = neuron.LIFNode(v_threshold=1e9, store_v_seq=True, **common, **surrogates)

    def forward(self, x: Tensor) -> Tensor:
        """`[time, batch, inputs]` to the votes `[batch, classes]`."""
        from spikingjelly.activation_based import functional

        functional.reset_net(self)
        for layer, norm, cells in zip(self.delays, self.norms, self.neurons, strict=False):
            y = layer(pad(x.permute(1, 2, 0), (24, 12))).permute(2, 0, 1)
            y = norm(y.permute(1, 2, 0)).permute(2, 0, 1)
            spikes = cells(y)
            mask = dropout(torch.ones_like(spikes[0]), 0.4, self.training)
            x = spikes * mask
        self.output(self.delays[2](pad(x.permute(1, 2, 0), (24, 12))).permute(2, 0, 1))
        return softmax(self.output.v_seq, -1).sum(0)

    def round(self) -> None:
        """Evaluation as the authors do it: one tap per synapse."""
        for layer in self.delays:
            layer.P.data.round_()
            layer.version = "max"
            layer.DCK.version = "max"
            layer.SIG.data.zero_()


def data(batch: int) -> tuple[Tensor, Tensor]:
    """Input spikes at 2 % and labels."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(STEPS, batch, INPUTS, generator=generator) < DENSITY).float()
    return x, torch.randint(CLASSES, (batch,), generator=generator)


def ours(batch: int, training: bool) -> Callable[[], object]:
    """A training step, or an evaluation, of the gallery's network."""
    program = compile_document(load(ROOT / "projects/shd/shd.myelin")).program
    assert program is not None
    network = Network(program).train(training)
    network.sigma = dict.fromkeys(network.sigma, SIGMA - 0.27)
    x, label = data(batch)
    source = Source(program.of_role("dataset")[0].id, "data")
    part = Batch({source: x}, nn.functional.one_hot(label, CLASSES).float(), batch, slice(0, batch))
    optimiser = torch.optim.Adam(network.parameters())

    def step() -> object:
        optimiser.zero_grad()
        losses = evaluation.forward(network, part, 1)[1]
        sum(losses.values()).mean().backward()
        optimiser.step()
        return None

    def judge() -> object:
        with torch.no_grad():
            return evaluation.forward(network, part, 0)[0]

    return step if training else judge


def peer(batch: int, training: bool) -> Callable[[], object]:
    """The same of the peer."""
    network = Peer().train(training)
    x, label = data(batch)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad])
    if not training:
        network.round()

    def step() -> object:
        optimiser.zero_grad()
        cross_entropy(network(x), label).backward()
        optimiser.step()
        for layer in network.delays:
            layer.clamp_parameters()
        return None

    def judge() -> object:
        with torch.no_grad():
            return network(x)

    return step if training else judge


VARIANTS = {"myelin": ours, "spikingjelly+dcls": peer}


def timed(batch: int, training: bool, rounds: int) -> dict[str, float]:
    """Median seconds of each variant, alternated, after one round of warming up."""
    steps = {name: make(batch, training) for name, make in VARIANTS.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - began)
    return {name: median(values[1:]) for name, values in times.items()}


def memory(name: str, batch: int, training: bool, threads: int) -> float:
    """MiB by which one step raises the peak resident size of a fresh process, after a step with batch 2."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        __file__,
        "--measure",
        name,
        "--batch",
        str(batch),
        "--threads",
        str(threads),
    ]
    command += [] if training else ["--evaluate"]
    return float(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))


def measure(name: str, batch: int, training: bool) -> float:
    """The growth in this process."""
    VARIANTS[name](2, training)()
    step = VARIANTS[name](batch, training)
    before = peak()
    step()
    return peak() - before


def peak() -> float:
    """Largest resident size so far, in MiB (Linux; getrusage would count the parent's from before exec)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    """Print the table, or one measurement of memory."""
    options = argparse.ArgumentParser()
    options.add_argument("--batch", type=int, default=256)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--measure", default="")
    options.add_argument("--evaluate", action="store_true")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.measure:
        print(measure(chosen.measure, chosen.batch, not chosen.evaluate))
        return
    print(
        f"SHD network, batch {chosen.batch}, {chosen.threads} threads, fp32, median of {chosen.rounds} rounds"
    )
    for what, training in (("training step", True), ("evaluation", False)):
        times = timed(chosen.batch, training, chosen.rounds)
        sizes = {name: memory(name, chosen.batch, training, chosen.threads) for name in VARIANTS}
        for name in VARIANTS:
            print(f"  {what:14} {name:18} {1e3 * times[name]:8.0f} ms {sizes[name]:8.0f} MiB")
        mine, theirs = VARIANTS
        faster, smaller = times[theirs] / times[mine], sizes[mine] / sizes[theirs]
        print(f"  {what:14} ratio: {faster:.2f}x faster, {smaller:.2f}x the memory")


if __name__ == "__main__":
    main()
