"""The arrays of a program as torch tensors, kept under ``engine.arrays.tensor_key``."""

from __future__ import annotations

import math

import torch
from torch import nn

from engine.arrays import declared, draw, tensor_key
from engine.backend import memory
from engine.program import Program
from nodes.spec import Tensor

NUMBER = 4.0  # bytes
SPARSE = 45.0  # bytes at the most of a sparse weight or delay with its indices, measured with 1e8 synapses


def build(program: Program) -> tuple[nn.ParameterDict, dict[str, torch.Tensor], dict[str, Tensor]]:
    """(parameters to learn, fixed tensors, declarations), all by ``tensor_key``."""
    learned, fixed, specs = nn.ParameterDict(), {}, {}
    tensors = {op.id: declared(op) for op in program.ops.values()}
    _require_memory(tensors)
    for op, found in tensors.items():
        for name, spec in found.items():
            key = tensor_key(op, name)
            value = torch.from_numpy(draw(program, key, spec))
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
