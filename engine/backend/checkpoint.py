"""Checkpoints as safetensors: weights, optimiser state and bookkeeping in one file without pickle."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.backend.network import Network
from engine.errors import MyelinError

WEIGHTS = "network/"


def write(network: Network, path: Path, metadata: dict[str, Any]) -> None:
    """Save the tensors of a network atomically, with ``metadata`` (JSON values) in the header."""
    tensors = {WEIGHTS + key: network.tensor(key).detach() for key in network.declared}
    _save(tensors, path, {"myelin": json.dumps(metadata, sort_keys=True)})


def read(network: Network, path: Path) -> None:
    """Put saved tensors into a network; MyelinError when file and network do not belong together."""
    for key, value in matching(network, path).items():
        with torch.no_grad():
            network.tensor(key).copy_(value)
    network.train(network.training)


def matching(network: Network, path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their keys in a network; MyelinError when the two do not belong together."""
    stored = _load(path)
    tensors = {key.removeprefix(WEIGHTS): stored[key] for key in stored if key.startswith(WEIGHTS)}
    odd = sorted(set(tensors) ^ set(network.declared))
    if odd:
        raise MyelinError(f"{path} belongs to another network: {odd[0]} is in only one of them")
    for key, value in tensors.items():
        shape, needed = list(value.shape), list(network.tensor(key).shape)
        if shape != needed:
            raise MyelinError(f"{path}: {key} has shape {shape}, but the network needs {needed}")
        if not torch.isfinite(value).all():
            raise MyelinError(f"{path}: {key} holds numbers that are not finite: the training has diverged")
    return tensors


def metadata(path: Path) -> dict[str, Any]:
    """What was saved beside the tensors."""
    try:
        with safe_open(path, "pt") as file:
            found: dict[str, Any] = json.loads((file.metadata() or {}).get("myelin", "{}"))
            return found
    except (OSError, SafetensorError) as error:
        raise MyelinError(f"{path} is no readable checkpoint: {error}") from None


def _save(tensors: dict[str, Tensor], path: Path, header: dict[str, str]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {
                key: value.detach().clone(memory_format=torch.contiguous_format)
                for key, value in tensors.items()
            },
            partial,
            header,
        )
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise MyelinError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None


def _load(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise MyelinError(f"there is no checkpoint {path}") from None
    except (OSError, SafetensorError) as error:
        raise MyelinError(f"{path} is no readable checkpoint: {error}") from None


class SafetensorsIO(CheckpointIO):
    """Lightning's own checkpoints (loops, optimisers, weights) in the same file format."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Tensors become entries of the file, the rest a JSON tree in its header."""
        tensors: dict[str, Tensor] = {}
        state = checkpoint.pop("state_dict", {})
        tree = _flatten(checkpoint, "", tensors)
        # the network's own tensors stand under their own names, so that read() finds them
        for key, value in state.items():
            tensors[WEIGHTS + _plain(key)] = value.detach()
        extra = checkpoint.get("myelin", {})
        _save(
            tensors, Path(path), {"lightning": json.dumps([tree, list(state)]), "myelin": json.dumps(extra)}
        )

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: Any = None
    ) -> dict[str, Any]:
        """The tree with its tensors back in place."""
        tensors = _load(Path(path))
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        if "lightning" not in header:
            raise MyelinError(f"{path} holds weights, but no training that could be resumed")
        tree, keys = json.loads(header["lightning"])
        checkpoint: dict[str, Any] = _restore(tree, tensors)
        checkpoint["state_dict"] = {key: tensors[WEIGHTS + _plain(key)] for key in keys}
        return checkpoint

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint that Lightning has replaced."""
        Path(path).unlink(missing_ok=True)


def _plain(key: str) -> str:
    """``network.learned.<key>`` and ``network.<key>`` of a state dict as ``<key>``."""
    return key.removeprefix("network.").removeprefix("learned.")


def _flatten(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """JSON for a tree of dicts, lists and numbers; dict keys keep their type, tensors move to ``tensors``."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach()
        return {"tensor": path}
    if isinstance(value, dict):
        return {"dict": [[key, _flatten(item, f"{path}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [_flatten(item, f"{path}/{n}", tensors) for n, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    raise TypeError(f"{path}: a {type(value).__name__} cannot stand in a checkpoint")


def _restore(tree: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    ((kind, content),) = tree.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _restore(item, tensors) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_restore(item, tensors) for item in content]
        return tuple(items) if kind == "tuple" else items
    return content
