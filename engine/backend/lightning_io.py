"""Lightning's own checkpoints (loops, optimisers, weights) without pickle; ``checkpoint.read`` reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO
from safetensors import safe_open
from torch import Tensor

from engine.arrays import WEIGHTS
from engine.backend.checkpoint import load, save
from engine.errors import MyelinError


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
        save(tensors, Path(path), {"lightning": json.dumps([tree, list(state)]), "myelin": json.dumps(extra)})

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: Any = None
    ) -> dict[str, Any]:
        """The tree with its tensors back in place."""
        tensors = load(Path(path))
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
