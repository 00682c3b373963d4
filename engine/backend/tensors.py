"""The arrays of a program: drawn from its seed, kept as torch parameters under ``<op>:<name>``."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import nn

from engine.program import Op, Program, delay_shape
from nodes import registry
from nodes.spec import Delays, Tensor


def declared(op: Op) -> dict[str, Tensor]:
    """Every tensor of an op; its delays come last under the name ``delay``."""
    tensors = dict(op.spec.tensors(op.p, dict(op.shapes)))
    if op.delay:
        tensors["delay"] = _delay_tensor(op, tensors)
    return tensors


def _delay_tensor(op: Op, tensors: dict[str, Tensor]) -> Tensor:
    delay = op.delay
    assert delay is not None
    shape = delay_shape(delay.granularity, op.shapes, tensors)
    spec = registry.get(delay.type)
    assert spec is not None and issubclass(spec, Delays)
    dt = delay.p["dt"]
    group = "delays" if delay.learnable else "fixed"
    return Tensor(shape, spec.values(delay.p, dt), group, delay.low, delay.high)


def build(program: Program) -> tuple[nn.ParameterDict, dict[str, torch.Tensor], dict[str, Tensor]]:
    """(parameters to learn, fixed tensors, declarations), all by key ``<op>:<name>``."""
    learned, fixed, specs = nn.ParameterDict(), {}, {}
    for op in program.ops.values():
        for name, spec in declared(op).items():
            key = f"{op.id}:{name}"
            drawn = spec.init(generator(program.seed, key), spec.shape)
            value = torch.from_numpy(np.ascontiguousarray(drawn))
            specs[key] = spec
            if spec.group == "fixed":
                fixed[key] = value
            else:
                learned[key] = nn.Parameter(value.float())
    return learned, fixed, specs


def generator(seed: int, key: str) -> np.random.Generator:
    """The random generator that draws one tensor."""
    return np.random.default_rng([abs(seed), zlib.crc32(key.encode())])
