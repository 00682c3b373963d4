"""The arrays of a program in numpy: what an op declares, drawn from the seed or read from a file."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from engine.errors import MyelinError
from engine.program import Op, Program, delay_shape
from nodes import registry
from nodes.roles import Delays
from nodes.spec import Tensor

WEIGHTS = "network/"  # before the key of a tensor of the network in a checkpoint
Arrays = Mapping[str, Mapping[str, np.ndarray]]  # op -> name -> values


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


def draw(program: Program, key: str, tensor: Tensor) -> np.ndarray:
    """What a tensor holds at first."""
    return np.ascontiguousarray(tensor.init(generator(program.seed, key), tensor.shape))


def generator(seed: int, key: str) -> np.random.Generator:
    """The random generator that draws one tensor."""
    return np.random.default_rng([abs(seed), zlib.crc32(key.encode())])


def drawn(program: Program) -> dict[str, dict[str, np.ndarray]]:
    """Every array of a program before training; those that are learned in single precision."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for op in program.ops.values():
        for name, tensor in declared(op).items():
            value = draw(program, tensor_key(op.id, name), tensor)
            learned = tensor.group != "fixed"
            found.setdefault(op.id, {})[name] = value.astype(np.float32) if learned else value
    return found


def read(program: Program, path: Path) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a checkpoint, by op and name; MyelinError as ``stored`` raises it."""
    found = stored(program, path)
    names = names_by_op(program, found)
    return {op: {name: found[tensor_key(op, name)] for name in own} for op, own in names.items()}


def stored(program: Program, path: Path) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint by key; MyelinError when it is unreadable or belongs to another network."""
    found = {
        key.removeprefix(WEIGHTS): value for key, value in _load(path).items() if key.startswith(WEIGHTS)
    }
    needed = {
        tensor_key(op.id, name): tensor.shape
        for op in program.ops.values()
        for name, tensor in declared(op).items()
    }
    odd = sorted(set(found) ^ set(needed))
    if odd:
        raise MyelinError(f"{path} belongs to another network: {odd[0]} is in only one of them")
    for key, value in found.items():
        if value.shape != needed[key]:
            raise MyelinError(
                f"{path}: {key} has shape {list(value.shape)}, but the network needs {list(needed[key])}"
            )
        if not np.isfinite(value).all():
            raise MyelinError(f"{path}: {key} holds numbers that are not finite: the training has diverged")
    return found


def _load(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise MyelinError(f"there is no checkpoint {path}") from None
    except (OSError, SafetensorError) as error:
        raise MyelinError(f"{path} is no readable checkpoint: {error}") from None
