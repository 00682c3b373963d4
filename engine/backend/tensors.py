"""The arrays of a program: drawn from its seed, kept as torch tensors under ``tensor_key``."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection

import numpy as np
import torch
from torch import nn

from engine.backend import memory
from engine.program import Op, Program, delay_shape
from nodes import registry
from nodes.roles import Delays
from nodes.spec import Tensor

NUMBER = 4.0  # bytes
SPARSE = 45.0  # bytes at the most of a sparse weight or delay with its indices, measured with 1e8 synapses


def tensor_key(op: str, name: str) -> str:
    """``<op>:<name>``; torch takes no dot in the name of a tensor, so one in an id is written ``%2E``."""
    return f"{op.replace('%', '%25').replace('.', '%2E')}:{name}"


def names_by_op(program: Program, keys: Collection[str]) -> dict[str, list[str]]:
    """The names of every op's tensors, from their keys."""
    ids = {tensor_key(op, ""): op for op in program.ops}
    names: dict[str, list[str]] = {}
    for key in keys:
        before, colon, name = key.rpartition(":")
        names.setdefault(ids[before + colon], []).append(name)
    return names


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
    """(parameters to learn, fixed tensors, declarations), all by ``tensor_key``."""
    learned, fixed, specs = nn.ParameterDict(), {}, {}
    tensors = {op.id: declared(op) for op in program.ops.values()}
    _require_memory(tensors)
    for op, found in tensors.items():
        for name, spec in found.items():
            key = tensor_key(op, name)
            drawn = spec.init(generator(program.seed, key), spec.shape)
            value = torch.from_numpy(np.ascontiguousarray(drawn))
            specs[key] = spec
            if spec.group == "fixed":
                fixed[key] = value
            else:
                learned[key] = nn.Parameter(value.float())
    return learned, fixed, specs


def _require_memory(tensors: dict[str, dict[str, Tensor]]) -> None:
    needed = sum(
        (SPARSE if "post" in found else NUMBER) * math.prod(spec.shape)
        for found in tensors.values()
        for name, spec in found.items()
        if name not in ("pre", "post")
    )
    memory.require(needed, "the network", "use fewer neurons, or sparse projections")


def generator(seed: int, key: str) -> np.random.Generator:
    """The random generator that draws one tensor."""
    return np.random.default_rng([abs(seed), zlib.crc32(key.encode())])
