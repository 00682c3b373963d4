"""How many threads the small operations of a run with one sample are worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def for_batch(batch: int) -> Iterator[None]:
    """One thread for a single sample: its operations are too small to share.

    On a machine with other work, threads that wait for each other after every operation made such a run up to
    ten times slower than one thread alone.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if batch == 1 else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
