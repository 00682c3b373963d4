"""An op with state, step by step through time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from engine.backend import fused
from engine.backend.ops import TorchOps
from engine.program import Op
from nodes.spec import Values

Tensors = dict[str, Tensor]
LONG = 400  # steps for which compiling them, some seconds once, soon pays
SEGMENT = 16  # steps between states kept for the backward pass; the steps between are run again


@dataclass(frozen=True)
class Scan:
    """What every step of an op shares.  ``once``: noise drawn once a run; ``wanted``: outputs to keep."""

    ops: TorchOps
    op: Op
    p: Values
    dt: float
    once: Mapping[str, Tensor]
    wanted: tuple[str, ...]

    def run(self, columns: Mapping[str, Tensor], state: Tensors, steps: int) -> tuple[Tensors, Tensors]:
        """(state after, outputs ``[steps, batch, *shape]``) of at least one step of ``columns [steps, ...]``.

        For the backward pass only every 16th state is kept, and the steps between are run again.
        """
        if not torch.is_grad_enabled() or steps <= SEGMENT:
            return self._segment(columns, state, steps)
        if steps >= LONG and (kernel := self._kernel(columns, state)):
            return fused.run(kernel, columns, state, self.p)
        pieces = []
        # the backward of a slice fills a whole sequence with zeros, once a segment; that of a split does not
        split = {name: signal.split(SEGMENT) for name, signal in columns.items()}
        for number, start in enumerate(range(0, steps, SEGMENT)):
            part = {name: segments[number] for name, segments in split.items()}
            state, outputs = checkpoint(
                self._segment,
                part,
                state,
                min(SEGMENT, steps - start),
                use_reentrant=False,
                preserve_rng_state=False,
                determinism_check="none",
            )
            pieces.append(outputs)
        return state, {port: torch.cat([piece[port] for piece in pieces]) for port in self.wanted}

    def _kernel(self, columns: Mapping[str, Tensor], state: Tensors) -> fused.Compiled | None:
        """The compiled steps, where all is single precision on a CPU and the state is not rounded."""
        if self.once or self.p.get("rounding"):
            return None
        signals = (*columns.values(), *state.values())
        plain = all(x.device.type == "cpu" and x.dtype == torch.float32 for x in signals)
        return fused.compiled(self.op, self.wanted, self.dt) if plain else None

    def _segment(self, columns: Mapping[str, Tensor], state: Tensors, steps: int) -> tuple[Tensors, Tensors]:
        # likewise the backward of x[t] would cost O(T^2), that of unbind does not
        unbound = {name: signal.unbind(0) for name, signal in columns.items()}
        found: dict[str, list[Tensor]] = {port: [] for port in self.wanted}
        rounding = self.p.get("rounding")
        for t in range(steps):
            x = Values({**{name: signal[t] for name, signal in unbound.items()}, **self.once})
            state, outputs = self.op.spec.step(self.ops, Values(state), x, self.p, self.dt)
            state = rounding(state) if rounding else state
            for port, signals in found.items():
                signals.append(outputs[port])
        return dict(state), {port: torch.stack(signals) for port, signals in found.items()}
