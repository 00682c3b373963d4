"""Statistics of spike trains and thinning of curves, in numpy alone.

Spikes are two arrays of equal length: ``steps`` and ``neurons``.  Times are in steps unless ms are named.
"""

from __future__ import annotations

import numpy as np


def intervals(steps: np.ndarray, neurons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps between successive spikes of the same neuron, and whose they are."""
    order = np.lexsort((steps, neurons))
    times, owners = steps[order], neurons[order]
    same = owners[1:] == owners[:-1]
    return np.diff(times)[same], owners[1:][same]


def irregularity(steps: np.ndarray, neurons: np.ndarray, least: int = 4) -> np.ndarray:
    """Coefficient of variation of the intervals, for each neuron with at least so many: 0 is a clock, 1 a
    Poisson process.
    """
    gaps, owners = intervals(steps, neurons)
    _, owner, count = np.unique(owners, return_inverse=True, return_counts=True)
    mean = np.bincount(owner, gaps) / count if gaps.size else np.empty(0)
    square = np.bincount(owner, gaps.astype(float) ** 2) / count if gaps.size else np.empty(0)
    deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
    enough = (count >= least) & (mean > 0) if gaps.size else np.empty(0, bool)
    found: np.ndarray = deviation[enough] / mean[enough]
    return found


def rates(neurons: np.ndarray, size: int, duration_ms: float) -> np.ndarray:
    """Spikes a second (Hz) of each of ``size`` neurons, numbered from 0."""
    return np.bincount(neurons, minlength=size) * (1000.0 / duration_ms)


def counts(
    steps: np.ndarray, neurons: np.ndarray, size: int, first: int, last: int, width: int
) -> np.ndarray:
    """``[size, windows]``: spikes in each whole window of ``width`` steps between ``first`` and ``last``."""
    windows = (last - first) // width
    window = (steps - first) // width
    inside = (window >= 0) & (window < windows)
    flat = np.bincount(neurons[inside] * windows + window[inside], minlength=size * windows)
    return flat.reshape(size, windows)


def fano(counted: np.ndarray) -> float | None:
    """Fano factor, variance over mean of ``counts``, mean over neurons that fire; None if none does."""
    mean = counted.mean(1) if counted.size else np.empty(0)
    firing = mean > 0
    return float((counted[firing].var(1) / mean[firing]).mean()) if firing.any() else None


def synchrony(counted: np.ndarray) -> float | None:
    """Golomb's chi of ``counts``: 1 where all fire in step, about 1 / sqrt(neurons) where each is alone.

    Golomb, Scholarpedia 2(1):1347 (2007): the deviation in time of the mean over neurons, over the root of
    the mean over neurons of their variances.  None where nothing varies.
    """
    single = counted.var(1).mean() if counted.size else 0.0
    return float(np.sqrt(counted.mean(0).var() / single)) if single > 0 else None


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Mean over ``width`` neighbours, fewer at the ends; NaN counts as absent."""
    if width <= 1 or not values.size:
        return values
    known = np.isfinite(values)
    ones = np.ones(min(width, values.size))
    total = np.convolve(np.where(known, values, 0.0), ones, "same")
    mean: np.ndarray = total / np.maximum(np.convolve(known, ones, "same"), 1e-9)
    return mean


def peaks(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``most`` points of a curve, the lowest and highest of each stretch of it among them, in order.

    A stretch with a NaN in it becomes a gap.
    """
    if len(x) <= most:
        return x, y
    stretch = -(-2 * len(x) // most)
    blocks = np.pad(y, (0, -len(y) % stretch), "edge").reshape(-1, stretch)
    begin = np.arange(len(blocks)) * stretch
    index = np.sort(np.stack([begin + blocks.argmin(1), begin + blocks.argmax(1)], 1), 1).ravel()
    index = index.clip(max=len(x) - 1)
    return x[index], y[index]
