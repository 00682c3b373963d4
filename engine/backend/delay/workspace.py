"""Scratch memory that is kept between calls: fresh pages cost as much as the arithmetic done in them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import torch
from torch import Tensor


class _Pool(threading.local):
    """The free flat buffers of one thread, by type."""

    def __init__(self) -> None:
        self.free: dict[torch.dtype, list[Tensor]] = {}

    def take(self, numbers: int, dtype: torch.dtype) -> Tensor:
        """The smallest free buffer that is large enough, or a new one in place of the largest that is not."""
        free = self.free.setdefault(dtype, [])
        free.sort(key=Tensor.numel)
        fitting = next((i for i, buffer in enumerate(free) if buffer.numel() >= numbers), None)
        if fitting is not None:
            return free.pop(fitting)
        if free:
            free.pop()
        with torch.inference_mode(False):
            return torch.empty(numbers, dtype=dtype)


_POOL = _Pool()


@contextmanager
def scratch(like: Tensor, *sizes: int) -> Iterator[list[Tensor]]:
    """Uninitialised flat tensors of these sizes, in the type and on the device of `like`, for the block."""
    if like.device.type != "cpu":  # the allocators of accelerators keep their memory already
        yield [like.new_empty(size) for size in sizes]
        return
    buffers = [_POOL.take(size, like.dtype) for size in sizes]
    try:
        yield buffers
    finally:
        _POOL.free[like.dtype].extend(buffers)


def view(buffer: Tensor, *shape: int) -> Tensor:
    """The front of a flat buffer in a shape."""
    return buffer[: prod(shape)].view(shape)
