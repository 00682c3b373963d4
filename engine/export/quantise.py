"""Quantisation: weights, neuron parameters, state and delays on grids of k bits.

    rounded(x) = offset + scale q,    q = clamp(round((x - offset) / scale), low, high), halves to even

Weights and state: offset 0 and q in -(2^(k-1) - 1) .. 2^(k-1) - 1, so that zero stays zero and signs mirror.
Neuron parameters: q in 0 .. 2^k - 1 from the least value to the largest.  Delays: whole steps.  Scales keep
16 significant bits: quantising twice changes nothing, and up to 9 bits ``scale q`` is exact in float32.
Nagel et al. 2021, A White Paper on Neural Network Quantization (arXiv 2106.08295), section 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Arrays, declared
from engine.errors import MyelinError
from engine.program import Op, Program
from engine.recipe import recipe
from nodes.spec import Tensor

LEAST, MOST = 2, 16  # bits
SIGNIFICANT = 16  # bits of a scale
SHRINK = 0.9 ** np.arange(22)  # clips tried, as parts of the largest value, for the least squared error
SHIFTS = 0.5 ** np.arange(4)
NUMBER = 4  # bytes of a scale, and of a value in single precision
COUNTERS = ("hold", "fired")  # whole numbers that a neuron keeps besides its potentials


@dataclass(frozen=True)
class Grid:
    """``offset + scale q`` for whole q in ``low..high``; ``scale`` float32, broadcast over the values."""

    scale: np.ndarray
    low: int
    high: int
    offset: float = 0.0

    def integers(self, x: np.ndarray) -> np.ndarray:
        """The q nearest to every value, int32."""
        per_scale = np.float32(1) / self.scale
        q = np.rint((x.astype(np.float32) - np.float32(self.offset)) * per_scale)
        return np.clip(q, self.low, self.high).astype(np.int32)

    def values(self, q: np.ndarray) -> np.ndarray:
        """The numbers that the q stand for, float32."""
        found: np.ndarray = np.float32(self.offset) + q.astype(np.float32) * self.scale
        return found

    def rounded(self, x: np.ndarray) -> np.ndarray:
        """Every value at its nearest grid point."""
        return self.values(self.integers(x))


@dataclass(frozen=True)
class Quantisation:
    """How many bits everything has (0: as it is) and how scales are chosen; see ``engine.recipe``."""

    weights: int = 0
    per: str = "tensor"
    scale: str = "mse"
    neurons: int = 0
    state: int = 0
    delays: int = 0

    def __post_init__(self) -> None:
        for name in ("weights", "neurons", "state"):
            check_bits(getattr(self, name), f"quantise_{name}")
        if not 0 <= self.delays <= MOST:
            raise MyelinError(f"quantise_delays takes 1 to {MOST} bits, or 0 for none, not {self.delays}")

    @classmethod
    def of(cls, recipes: Mapping[str, Mapping[str, Any]]) -> Quantisation:
        """What a document's training recipe asks for; MyelinError for a number of bits that cannot be."""
        r = recipe("train", recipes)
        return cls(
            r.quantise_weights,
            r.quantise_per,
            r.quantise_scale,
            r.quantise_neurons,
            r.quantise_state,
            r.quantise_delays,
        )


def check_bits(bits: int, what: str) -> None:
    """MyelinError unless ``bits`` is 0 or what a signed number can have."""
    if bits != 0 and not LEAST <= bits <= MOST:
        raise MyelinError(f"{what} takes {LEAST} to {MOST} bits, or 0 for none, not {bits}")


def symmetric(scale: np.ndarray | float, bits: int) -> Grid:
    """The grid of signed ``bits``-bit numbers in units of ``scale``.

    With the scale of a projection's weights it is the grid for the thresholds of its targets.
    """
    top = _top(bits)
    return Grid(np.asarray(scale, np.float32), -top, top)


def weight_grid(x: np.ndarray, bits: int, rule: str = "mse", channel: np.ndarray | None = None) -> Grid:
    """The symmetric grid for weights ``x``.

    ``channel``: the number of the output channel of every value (broadcast to x); None shares one scale.
    ``rule``: the scale is that of the largest value (``max``), of the clip with least squared error among 22
    (``mse``), or the power of two with least squared error (``power_of_two``).
    """
    index = np.zeros(x.shape, np.intp) if channel is None else np.broadcast_to(channel, x.shape)
    scale = _scales(x.astype(np.float32).ravel(), index.ravel(), bits, rule)
    return symmetric(scale[0] if channel is None else scale[channel], bits)


def range_grid(largest: float, bits: int) -> Grid:
    """The symmetric grid for values between ``-largest`` and ``largest``: that of a neuron's state."""
    return symmetric(_trimmed(np.float64(largest) / _top(bits)), bits)


def neuron_grid(x: np.ndarray, bits: int) -> Grid:
    """``2^bits`` values from the least of ``x`` to the largest, one grid for all neurons."""
    least, most = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    top = 2**bits - 1
    return Grid(_trimmed(np.float64(most - least) / top), 0, top, least)


def delay_grid(low: int, high: int, bits: int, step: int | None = None) -> Grid:
    """At most ``2^bits`` whole delays from ``low``, ``step`` steps apart, none beyond ``high``.

    Without ``step`` they reach as far as ``high``: the smallest step does with which they do.
    """
    count = 2**bits
    step = step or max(1, math.ceil((high - low + 1) / count))
    most = min(count - 1, (high - low) // step)
    if step == 1:  # from zero, so that halves go to the even step as they do without quantisation
        return Grid(np.asarray(1, np.float32), low, low + most)
    return Grid(np.asarray(step, np.float32), 0, most, float(low))


def channels(shape: tuple[int, ...], post: np.ndarray | None) -> np.ndarray | None:
    """The output channel of every weight: its row, or the target of a sparse synapse; None for a vector."""
    if post is not None:
        return post
    return np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) if len(shape) > 1 else None


def grids(
    q: Quantisation, op: Op, specs: Mapping[str, Tensor], own: Mapping[str, np.ndarray]
) -> dict[str, Grid]:
    """The grid of every array of an op that is quantised, by name; ``specs``: their declarations."""
    found = {}
    for name, spec in specs.items():
        if name == "delay":
            if q.delays and op.delay:
                found[name] = delay_grid(op.delay.low, op.delay.high, q.delays)
        elif is_weight(name, spec):
            if q.weights:
                channel = (
                    channels(spec.shape, own.get("post")) if q.per == "channel" and name == "weight" else None
                )
                found[name] = weight_grid(own[name], q.weights, q.scale, channel)
        elif spec.group == "neurons" and q.neurons:
            found[name] = neuron_grid(own[name], q.neurons)
    return found


def is_weight(name: str, spec: Tensor) -> bool:
    """Whether an array holds weights or the constants added to their sums, learned or not."""
    return spec.group == "weights" or name in ("weight", "offset")


def deployed(
    program: Program, arrays: Arrays, q: Quantisation | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """The arrays with every quantised one at its grid points: what the engine reads in evaluation.

    ``q``: by default what the program's recipe says.  The state is not among the arrays.
    """
    q = q or Quantisation.of(program.recipes)
    found = {key: dict(own) for key, own in arrays.items()}
    for key, own in found.items():
        op = program.ops[key]
        for name, grid in grids(q, op, declared(op), own).items():
            own[name] = grid.rounded(own[name]).astype(own[name].dtype)
    return found


def size(q: Quantisation, op: Op, specs: Mapping[str, Tensor]) -> int:
    """Bytes of an op's weights with their scales; single precision where they are not quantised."""
    weights = {name: spec for name, spec in specs.items() if is_weight(name, spec)}
    numbers = sum(math.prod(spec.shape) for spec in weights.values())
    if not q.weights:
        return NUMBER * numbers
    rows = math.prod(op.shapes.get("output") or ()) if "post" in specs else None
    scales = sum(
        (rows or spec.shape[0])
        if q.per == "channel" and name == "weight" and (rows or len(spec.shape) > 1)
        else 1
        for name, spec in weights.items()
    )
    return math.ceil(numbers * q.weights / 8) + NUMBER * scales


def _top(bits: int) -> int:
    return int(2 ** (bits - 1) - 1)


def _scales(x: np.ndarray, channel: np.ndarray, bits: int, rule: str) -> np.ndarray:
    """The scale of every channel, float32."""
    largest = np.zeros(int(channel.max(initial=-1)) + 1 or 1)
    np.maximum.at(largest, channel, np.abs(x))
    exact = largest / _top(bits)
    if rule == "max":
        return _trimmed(exact)
    if rule == "power_of_two":
        present = np.where(exact > 0, exact, 1.0)
        return _least_error(x, channel, bits, [np.exp2(np.ceil(np.log2(present))) * s for s in SHIFTS])
    return _least_error(x, channel, bits, [exact * part for part in SHRINK])


def _least_error(x: np.ndarray, channel: np.ndarray, bits: int, candidates: list[np.ndarray]) -> np.ndarray:
    """For every channel the first of the candidate scales with the least sum of squared errors."""
    best = _trimmed(candidates[0])
    least = np.full(len(best), np.inf)
    for scale in map(_trimmed, candidates):
        wrong = (symmetric(scale[channel], bits).rounded(x) - x).astype(np.float64)
        error = np.bincount(channel, wrong * wrong, len(best))
        best, least = np.where(error < least, scale, best), np.minimum(error, least)
    return best


def _trimmed(scale: np.ndarray | np.float64) -> np.ndarray:
    """Scales with 16 significant bits, float32; 1 where there is nothing to scale."""
    mantissa, exponent = np.frexp(scale)
    trimmed = np.ldexp(np.rint(np.ldexp(mantissa, SIGNIFICANT)), exponent - SIGNIFICANT).astype(np.float32)
    found: np.ndarray = np.where(trimmed > 0, trimmed, np.float32(1))
    return found
