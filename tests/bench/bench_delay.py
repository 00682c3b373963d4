"""Time and memory of one delayed layer against DCLS, and the constants of the cost model.

    python tests/bench/bench_delay.py               ratios against DCLS (extra `bench`), with 1 and 2 threads
    python tests/bench/bench_delay.py --calibrate   the constants of engine/backend/delay/cost.py here
    python tests/bench/bench_delay.py --plans       predicted and measured cost of every formulation

Times are medians of rounds in which all variants take turns, so that other load touches them alike; the
last two count the processor time of one thread.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.backend.delay import Taps, cost, delayed_linear, direct, spectral

STEPS, INPUTS, OUTPUTS, TAPS, EXTEND = 112, 256, 256, 25, 12
SIGMA = 0.5


def alternate(
    variants: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The median milliseconds of every variant, after one round of warming up."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds + 1):
        for name, variant in variants.items():
            begin = clock()
            variant()
            times[name].append(1e3 * (clock() - begin))
    return {name: median(values[1:]) for name, values in times.items()}


def layers(batch: int) -> dict[str, Callable[[bool], Tensor]]:
    """Our layer and the reference's with the same weights; each runs forward, and backward if asked to."""
    from DCLS.construct.modules import Dcls1d

    torch.manual_seed(0)
    x = (torch.rand(STEPS, batch, INPUTS) < 0.1).float().requires_grad_()
    weight = torch.randn(OUTPUTS, INPUTS).div(16).requires_grad_()
    delay = (24 * torch.rand(OUTPUTS, INPUTS)).requires_grad_()
    grad = torch.randn(STEPS + EXTEND, batch, OUTPUTS)
    reference = Dcls1d(INPUTS, OUTPUTS, 1, dilated_kernel_size=TAPS, bias=False, version="gauss")
    reference.weight.data = weight.detach()[..., None].clone()
    reference.P.data = 12 - delay.detach()[None, ..., None]
    reference.SIG.data.fill_(SIGMA).requires_grad_(False)
    reference.SIG.requires_grad_(False)

    def ours(backward: bool) -> Tensor:
        y = delayed_linear(x, weight, delay, taps=Taps(0, TAPS - 1), sigma=SIGMA, extend=EXTEND)
        if backward:
            y.backward(grad)
        return y

    def dcls(backward: bool) -> Tensor:
        padded = torch.nn.functional.pad(x.permute(1, 2, 0), (TAPS - 1, EXTEND))
        y = reference(padded).permute(2, 0, 1)
        if backward:
            y.backward(grad)
        return y

    @torch.no_grad()
    def rounded(_: bool) -> Tensor:
        taps = Taps(0, TAPS - 1)
        return delayed_linear(x, weight, delay, taps=taps, sigma=None, extend=EXTEND, exact=True)

    @torch.no_grad()
    def dcls_eval(_: bool) -> Tensor:
        return dcls(False)

    return {"ours": ours, "dcls": dcls, "ours rounded": rounded, "dcls eval": dcls_eval}


def compare(threads: int, rounds: int) -> None:
    """Print our times and the reference's, for a large and a small batch."""
    torch.set_num_threads(threads)
    for batch in (256, 32):
        runs = layers(batch)
        rows = {
            "forward": ("ours", "dcls", False),
            "forward + backward": ("ours", "dcls", True),
            "evaluation, whole delays": ("ours rounded", "dcls eval", False),
        }
        for title, (mine, theirs, backward) in rows.items():
            variants = {name: partial(runs[name], backward) for name in (mine, theirs)}
            ms = alternate(variants, rounds)
            ratio = ms[theirs] / ms[mine]
            print(f"threads {threads}  batch {batch:3}  {title:24}", end="")
            print(f" {ms[mine]:8.1f} ms  DCLS {ms[theirs]:8.1f} ms  {ratio:5.1f}x", flush=True)


def memory() -> None:
    """Print the growth of the peak resident memory by one call of each variant, each in a fresh process."""
    for name, backward in [("ours", True), ("dcls", True), ("ours rounded", False), ("dcls eval", False)]:
        arguments = [sys.executable, __file__, "--memory-of", name] + ["--backward"] * backward
        growth = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip()
        print(f"memory    batch 256  {name:14} {'with backward' if backward else '':14} {growth:>6} MiB")


def peak_kib() -> int:
    """The peak resident memory of this process (Linux); getrusage would count the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def memory_of(name: str, backward: bool) -> None:
    """Print what one call adds to the peak resident memory, in MiB."""
    torch.set_num_threads(1)
    small, large = layers(1)[name], layers(256)[name]
    small(backward)
    before = peak_kib()
    large(backward)
    print(round((peak_kib() - before) / 1024))


def formulations(
    batch: int, inputs: int, outputs: int, steps: int, taps: int
) -> dict[str, Callable[[], object]]:
    """Forward and backward of every formulation: `direct`, and `spectral` in 1, 2, 3, 4, 6, ... blocks."""
    x, over_taps = torch.randn(steps, batch, inputs), torch.randn(taps, outputs, inputs)

    def by_taps() -> None:
        direct.gradients(direct.convolve(x, over_taps, 0, steps), x, over_taps, 0, (True, True))

    def by_frequency(tiling: spectral.Tiling) -> None:
        y = spectral.convolve(x, over_taps, 0, steps, tiling)
        spectral.gradients(y, x, over_taps, 0, tiling, (True, True))

    variants: dict[str, Callable[[], object]] = {"direct": by_taps}
    for plan in cost.plans(steps, 0, steps, batch, inputs, outputs, taps, True)[1:]:
        if plan.tiling.blocks in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32):
            variants[_label(plan)] = lambda t=plan.tiling: by_frequency(t)
    return variants


def show_plans() -> None:
    """Print measured and predicted times for shapes from tiny to large, and what the chosen plan costs."""
    torch.set_num_threads(1)
    for shape in SHAPES:
        batch, inputs, outputs, steps, taps = shape
        ms = alternate(formulations(*shape), 5, time.process_time)
        listed = cost.plans(steps, 0, steps, batch, inputs, outputs, taps, True)
        chosen = min(listed, key=lambda plan: plan.cost)
        predicted = {_label(plan): plan.cost / 1e3 for plan in listed}
        print(f"B {batch} I {inputs} O {outputs} T {steps} taps {taps}: chosen {_label(chosen)}")
        for name in sorted(ms, key=ms.__getitem__):
            print(f"    {name:12} measured {ms[name]:9.2f} ms  predicted {predicted[name]:9.2f} ms")


def _label(plan: cost.Plan) -> str:
    return plan.name if plan.name == "direct" else f"{plan.name} {plan.tiling.blocks}"


SHAPES = [
    (256, 256, 256, 112, 25), (32, 256, 256, 112, 25), (256, 140, 256, 100, 25), (256, 256, 20, 124, 25),
    (32, 16, 16, 100, 25), (4, 3, 4, 20, 5), (16, 64, 64, 1300, 25), (16, 64, 64, 1300, 60),
    (16, 4, 96, 1301, 100), (64, 64, 64, 100, 3), (64, 64, 64, 100, 1), (1, 100, 100, 5, 25),
    (8, 256, 256, 10, 25),
]  # fmt: skip
"""Batch, inputs, outputs, steps and taps."""


def calibrate() -> None:
    """Measure and print the constants of the cost model, in the units they have there."""
    torch.set_num_threads(1)
    spectra, kernels = torch.randn(128, 128, 256), torch.randn(128, 256, 256)
    product, matrix = torch.empty(128, 128, 256), torch.randn(128, 80)
    signal, strip = torch.randn(80, 64 * 256), torch.empty(128, 64 * 256)
    rows, square, sums = torch.randn(112 * 64, 256), torch.randn(256, 256), torch.zeros(112 * 64, 256)
    tiny = torch.randn(2, 2)
    ms = alternate(
        {
            "product": lambda: torch.bmm(spectra, kernels.mT, out=product),
            "transform": lambda: spectral._product(matrix, signal, strip),
            "tap": lambda: sums.addmm_(rows, square.T),
            "call": lambda: [tiny[:1].addmm_(tiny[1:], tiny) for _ in range(100)],
            "spectral": lambda: spectral.convolve(tiny[None], tiny[None], 0, 1, spectral.Tiling(1, 2)),
        },
        31,
        time.process_time,
    )
    print(f"PRODUCT   {1e3 * ms['product'] / (128 * 128 * 256 * 256):.2e} us per multiply-add")
    print(f"TRANSFORM {1e3 * ms['transform'] / (128 * 80 * 64 * 256):.2e} us per multiply-add")
    print(f"TAP       {1e3 * ms['tap'] / (112 * 64 * 256 * 256):.2e} us per multiply-add")
    print(f"CALL      {1e3 * ms['call'] / 100:.1f} us per matrix product")
    print(f"SETUP     {1e3 * ms['spectral']:.1f} us per spectral call")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    parser.add_argument("--backward", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.calibrate:
        calibrate()
    elif arguments.plans:
        show_plans()
    elif arguments.memory_of:
        memory_of(arguments.memory_of, arguments.backward)
    else:
        for threads in (1, 2):
            compare(threads, arguments.rounds)
        memory()


if __name__ == "__main__":
    main()
