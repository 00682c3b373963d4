"""The executor: a program as a torch module, with its state in the open.

``run(inputs, state)`` gives signals and the new state.  Stages without a loop take the whole window at once,
loops take it in chunks; however a run is cut into windows, the same spikes come out (chunk invariance).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from engine.arrays import names_by_op, tensor_key
from engine.backend import quantised, tensors
from engine.backend.noise import Noise
from engine.backend.ops import EXACT, OPS, TorchOps
from engine.backend.state import Result, State, Window, fit
from engine.backend.walk import PASSIVE, STIMULUS, Uses, Walk
from engine.export.quantise import Quantisation
from engine.program import Op, Program, Source
from nodes.roles import Loss
from nodes.spec import Tensor as Declared
from nodes.spec import Values

__all__ = ["STIMULUS", "Network", "first_sigma", "learnable"]


class Network(nn.Module):
    """A program with its tensors.  ``sigma``: width of learnable delays by op while training.

    In evaluation delays are rounded to one tap, unless ``smeared``.  ``quantisation``: how many bits tensors
    and state have; ``ranges``: how large the state of an op gets, followed in training; see ``measuring``.
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program, self.uses = program, Uses(program)
        self.learned, fixed, self.declared = tensors.build(program)
        for key, value in fixed.items():
            self.register_buffer(key, value)
        self.sigma: dict[str, float] = {
            op.id: first_sigma(op) for op in program.ops.values() if learnable(op)
        }
        self.smeared = False
        self.quantisation, self._measuring = Quantisation.of(program.recipes), False
        self.ranges: dict[str, quantised.Ranges] = {}
        self._names = names_by_op(program, self.declared)
        self._values: dict[str, Values] = {}

    def tensor(self, key: str) -> Tensor:
        """A tensor by its key (see ``arrays.tensor_key``)."""
        found: Tensor = self.learned[key] if key in self.learned else self.get_buffer(key)
        return found

    def train(self, mode: bool = True) -> Network:
        """Switch between training and evaluation; to be called, too, after a tensor has been changed."""
        self._values = {}
        super().train(mode)
        return self

    @property
    def ops(self) -> TorchOps:
        """Plain sums in training, exact ones in evaluation."""
        return OPS if self.training else EXACT

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return next(iter(self.parameters()), next(iter(self.buffers()), torch.empty(0))).device

    def run(
        self,
        inputs: Mapping[Source, Tensor],
        state: State | None = None,
        *,
        steps: int | None = None,
        end: int | None = None,
        batch: int | None = None,
        keep: Iterable[Source] = (),
        noise: Noise | None = None,
    ) -> Result:
        """Run a window of ``steps`` steps from ``state``.

        ``inputs``: signals ``[time, batch, *shape]`` of this window, zero beyond their end.  Without
        ``steps`` they are taken for the whole sequence, which lasts ``program.tail`` steps longer.
        ``end``: length of the whole input, None if it never ends.  ``keep``: signals wanted in the result.
        """
        if steps is None:
            end = max(map(len, inputs.values()), default=0)
            steps = end + self.program.tail
        state = state or State()
        batch = batch or next((x.shape[1] for x in inputs.values()), 1)
        window = Window(state.step, steps, end, batch)
        if self.training or not self._values:
            self._values = {
                op.id: self._prepare(op) for op in self.program.ops.values() if op.role not in PASSIVE
            }
        walk = Walk(self, window, state, noise or Noise(self.program.seed, 0, batch), set(keep))
        signals = walk.go({source: fit(x, window.length(0)) for source, x in inputs.items()})
        if self.training:
            self.ranges |= {k: quantised.followed(self.ranges.get(k, {}), r) for k, r in self._seen().items()}
        return Result(signals, State(state.step + steps, walk.after))

    def _prepare(self, op: Op) -> Values:
        """Parameters, tensors and constants of an op, as its step reads them."""
        watching, ranges = self.training or self._measuring, self.ranges.get(op.id, {})
        rounding = quantised.rounding(self.quantisation, op, ranges, watching=watching)
        given = {"shapes": op.shapes, "training": self.training, "rounding": rounding}
        p = Values({**op.p, **self.read(op), **given})
        p.update(op.spec.constants(self.ops, p, self.program.dt))
        return p

    def specs(self, op: Op) -> dict[str, Declared]:
        """The declarations of an op's tensors by name."""
        return {name: self.declared[tensor_key(op.id, name)] for name in self._names.get(op.id, ())}

    def read(self, op: Op) -> dict[str, Tensor]:
        """The tensors of an op by name, quantised, as its step reads them."""
        specs = self.specs(op)
        own = {name: self.tensor(tensor_key(op.id, name)) for name in specs}
        return quantised.read(self.quantisation, op, specs, own)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """In evaluation, without rounding the state: find its ranges from what runs meanwhile."""
        self.ranges, self._measuring = {}, True
        self.eval()
        try:
            yield
            self.ranges = self._seen()
        finally:
            self._measuring = False
            self.eval()

    def _seen(self) -> dict[str, quantised.Ranges]:
        """The ranges that suit the state since its values were prepared."""
        rounding = {key: p.get("rounding") for key, p in self._values.items()}
        return {key: found.ranges() for key, found in rounding.items() if found is not None}

    def values(self, op: Op) -> Values:
        """What the step of an op reads; made once per run, in evaluation kept until ``train`` or ``eval``."""
        return self._values[op.id]

    def width(self, op: Op) -> float | None:
        """Sigma of an op's delays in steps, None where they are rounded."""
        return self.sigma.get(op.id) if self.training or self.smeared else None

    def losses(self, signals: Mapping[Source, Tensor], label: Tensor | None) -> dict[str, Tensor]:
        """Loss of each sample, ``[batch]``, times its weight, by name (by id where two losses share one)."""
        ops = self.program.of_role("loss")
        names = [op.name for op in ops]
        return {op.name if names.count(op.name) == 1 else op.id: self._loss(op, signals, label) for op in ops}

    def _loss(self, op: Op, signals: Mapping[Source, Tensor], label: Tensor | None) -> Tensor:
        assert issubclass(op.spec, Loss)
        x = Values(
            {port: signals[sources[0]] for port, sources in op.inputs.items() if port != "label" and sources}
        )
        x["label"] = label
        loss: Tensor = op.p.weight * op.spec.loss(self.ops, x, op.p, self.program.dt)
        return loss


def learnable(op: Op) -> bool:
    """Whether an op has delays to learn."""
    return op.delay is not None and op.delay.learnable


def first_sigma(op: Op) -> float:
    """The width with which training begins: half the taps unless the delays say otherwise."""
    assert op.delay is not None
    given = float(op.delay.p.get("sigma_start", 0.0))
    return given or float((op.delay.high - op.delay.low + 1) // 2)
