"""Held-out samples where a data set has no split of its own: repeatable, and by whole groups when asked."""

from __future__ import annotations

import numpy as np

from nodes.spec import Param

TEST_FRACTION = Param(0.2, low=0.0, high=1.0, doc="part held out for testing, where the data name no split")
SEED = Param(0, low=0, high=2**31 - 1, doc="which samples are held out")


def held_out(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """True where a sample is for testing: the same part of every class, drawn by ``seed``."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        test[rng.permutation(members)[: round(fraction * len(members))]] = True
    return test


def held_out_groups(groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """True where a sample's whole group (a speaker, say) is for testing; at least one group on each side."""
    names = np.unique(groups)
    count = min(max(1, round(fraction * len(names))), len(names) - 1)
    chosen = np.random.default_rng(seed).permutation(names)[:count]
    return np.isin(groups, chosen)
