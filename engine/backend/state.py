"""What a run carries from one window of steps to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.program import Source


@dataclass(frozen=True)
class Window:
    """Steps ``start .. start + steps``.  ``end``: length of the program's input, None when it never ends.

    ``batch`` samples run side by side.
    """

    start: int
    steps: int
    end: int | None
    batch: int

    def length(self, tail: int) -> int:
        """How many steps of this window a signal lasts that outlasts the input by ``tail`` steps."""
        if self.end is None:
            return self.steps
        return max(0, min(self.steps, self.end + tail - self.start))

    def part(self, offset: int, steps: int) -> Window:
        """The window of at most ``steps`` steps that begins ``offset`` steps into this one."""
        return Window(self.start + offset, min(steps, self.steps - offset), self.end, self.batch)


@dataclass
class State:
    """State variables ``[batch, *shape]`` and histories ``[steps, batch, *shape]`` by op and name."""

    step: int = 0
    values: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    def of(self, op: str) -> dict[str, Tensor]:
        """The variables of one op; empty before its first step."""
        return self.values.get(op, {})

    def copy(self) -> State:
        """The same values under a new roof; tensors are never changed in place."""
        return State(self.step, {op: dict(values) for op, values in self.values.items()})


@dataclass(frozen=True)
class Result:
    """Signals asked for, ``[time, batch, *shape]`` each as long as it lasts, and the state afterwards."""

    signals: dict[Source, Tensor]
    state: State


def fit(x: Tensor, steps: int) -> Tensor:
    """Cut or fill with zeros to ``steps`` steps."""
    if len(x) >= steps:
        return x[:steps]
    return torch.cat([x, x.new_zeros(steps - len(x), *x.shape[1:])])


def add_signals(signals: list[Tensor]) -> Tensor:
    """Sum of signals of unequal length."""
    steps = max(map(len, signals))
    total = fit(signals[0], steps)
    for signal in signals[1:]:
        total = total + fit(signal, steps)
    return total
