"""Short forms of large signals: spikes as events, weights and delays as a histogram or as a small image."""

from __future__ import annotations

import numpy as np

BINS = 60
"""Bars of a histogram."""

SIDE = 256
"""Most pixels of an image along one side."""


def events(signal: np.ndarray, neurons: tuple[int, ...] | None, offset: int) -> np.ndarray:
    """``[events, 2]``: step (from ``offset`` steps before the signal begins) and neuron of each spike.

    ``signal [time, neurons]`` holds counts; a step with two spikes of a neuron has two equal events.
    """
    steps, columns = np.nonzero(signal)
    counts = signal[steps, columns].astype(np.int64)
    if counts.size and counts.max() > 1:
        steps, columns = np.repeat(steps, counts), np.repeat(columns, counts)
    ids = columns if neurons is None else np.asarray(neurons, np.int64)[columns]
    return np.stack([steps + offset, ids], 1).astype(np.int32)


def histogram(values: np.ndarray) -> np.ndarray:
    """``[2, bins + 1]``: the edges, and the counts between them (the last count is 0 and means nothing).

    The outermost edges are the smallest and largest value; of values that are all equal, half a unit beside.
    """
    found = values[np.isfinite(values)].ravel()
    counts, edges = np.histogram(found, _edges(found))
    return np.stack([edges, np.append(counts, 0)]).astype(np.float64)


def _edges(values: np.ndarray) -> np.ndarray:
    if not values.size:
        return np.linspace(0.0, 1.0, BINS + 1)
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.linspace(low - 0.5, high + 0.5, BINS + 2)
    whole = high - low < BINS and np.array_equal(values, np.round(values))
    return np.arange(low - 0.5, high + 1.0) if whole else np.linspace(low, high, BINS + 1)


def image(matrix: np.ndarray) -> np.ndarray:
    """``[rows, columns]`` of at most ``SIDE`` by ``SIDE``, each pixel the mean of what it stands for."""
    for axis in (0, 1):
        matrix = _shortened(matrix, axis)
    return matrix.astype(np.float32)


def sparse_image(values: np.ndarray, post: np.ndarray, pre: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The ``image`` of a matrix ``shape`` (targets, sources) of which only some entries exist; else 0."""
    rows, columns = min(shape[0], SIDE), min(shape[1], SIDE)
    at = (post * rows // max(shape[0], 1)) * columns + pre * columns // max(shape[1], 1)
    total = np.bincount(at, values, minlength=rows * columns)
    cells = np.outer(_widths(shape[0], rows), _widths(shape[1], columns)).ravel()
    means: np.ndarray = total / np.maximum(cells, 1)
    return means.reshape(rows, columns).astype(np.float32)


def _widths(size: int, pixels: int) -> np.ndarray:
    """How many of ``size`` entries fall on each pixel."""
    return np.bincount(np.arange(size) * pixels // max(size, 1), minlength=pixels)


def _shortened(matrix: np.ndarray, axis: int) -> np.ndarray:
    size = matrix.shape[axis]
    if size <= SIDE:
        return matrix
    starts = np.searchsorted(np.arange(size) * SIDE // size, np.arange(SIDE))
    widths = np.diff(np.append(starts, size))
    means: np.ndarray = np.add.reduceat(matrix, starts, axis) / (widths if axis else widths[:, None])
    return means
