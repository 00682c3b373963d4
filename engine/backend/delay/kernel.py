"""The kernel over taps of a delay: the DCLS Gaussian, or the one tap of a rounded delay.

Source: Hammouamri, Khalfaoui-Hassani, Masquelier, "Learning delays in spiking neural networks using dilated
convolutions with learnable spacings", ICLR 2024 (arXiv 2306.17670). Their position P is 12 - d for 25 taps.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

SIGMA_OFFSET = 0.27
"""Added to sigma to give the effective width, so that a width of zero still has a slope."""

_EPSILON = 1e-7
_SMALLEST = -70.0
"""Exponents stop here, at a mass of 4e-31: results below the normal range make exp many times slower."""


@dataclass(frozen=True)
class Taps:
    """The steps `low..high` (inclusive) over which a delay kernel may have mass."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"taps need 0 <= low <= high, not low {self.low} and high {self.high}")

    @property
    def count(self) -> int:
        """The number of taps."""
        return self.high - self.low + 1


def whole(delay: Tensor, taps: Taps) -> Tensor:
    """The whole delay of each synapse: clamped to the taps, then rounded, halves to the even step."""
    return delay.detach().clamp(taps.low, taps.high).round()


def masses(delay: Tensor, taps: Taps, sigma: float | None) -> Tensor:
    """The mass g(k - d) of every tap, `[taps, *delay.shape]`; with `sigma` None all of it on the rounded tap.

    g(u) = exp(-u^2 / 2 s^2) / (sum over taps + 1e-7) with s = |sigma| + 0.27; the delay is not clamped here.
    """
    if sigma is None:
        return (_steps(delay, taps) == whole(delay, taps)).to(delay.dtype)
    gauss = _distances(delay, taps, sigma).square_().mul_(-0.5).clamp_(min=_SMALLEST).exp_()
    return gauss.div_(gauss.sum(0) + _EPSILON)


def build(weight: Tensor, delay: Tensor, taps: Taps, sigma: float | None) -> Tensor:
    """The kernel W g(k - d), `[taps, *weight.shape]`."""
    return masses(delay, taps, sigma).mul_(weight)


def gradients(
    grad: Tensor, weight: Tensor, delay: Tensor, taps: Taps, sigma: float | None
) -> tuple[Tensor, Tensor | None]:
    """The gradients to weight and delay from `grad`, that of the kernel; None for a rounded delay.

    With n the masses and z = (k - d) / s:  dn/dd = n (z - sum n z) / s.
    """
    mass = masses(delay, taps, sigma)
    pull = grad * mass
    to_weight = pull.sum(0)
    if sigma is None:
        return to_weight, None
    z = _distances(delay, taps, sigma)
    slope = pull.mul_(z).sum(0).sub_(to_weight * mass.mul_(z).sum(0))
    return to_weight, slope.mul_(weight).div_(abs(sigma) + SIGMA_OFFSET)


def _steps(delay: Tensor, taps: Taps) -> Tensor:
    steps = torch.arange(taps.low, taps.high + 1, dtype=delay.dtype, device=delay.device)
    return steps.reshape(-1, *(1 for _ in delay.shape))


def _distances(delay: Tensor, taps: Taps, sigma: float) -> Tensor:
    return (_steps(delay, taps) - delay.detach()).div_(abs(sigma) + SIGMA_OFFSET)
