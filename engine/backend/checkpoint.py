"""Checkpoints as safetensors: weights, optimiser state and bookkeeping in one file without pickle."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.arrays import WEIGHTS, stored
from engine.backend.network import Network
from engine.errors import MyelinError

RANGES = "state_ranges"  # in the metadata: ``network.ranges``


def write(network: Network, path: Path, metadata: dict[str, Any]) -> None:
    """Save the tensors of a network atomically, with ``metadata`` (JSON values) in the header.

    How large its state gets, where that has been measured, goes there as well.
    """
    metadata = {**metadata, RANGES: network.ranges} if network.ranges else metadata
    tensors = {WEIGHTS + key: network.tensor(key).detach() for key in network.declared}
    save(tensors, path, {"myelin": json.dumps(metadata, sort_keys=True)})


def read(network: Network, path: Path) -> None:
    """Put saved tensors into a network; MyelinError when file and network do not belong together."""
    for key, value in matching(network, path).items():
        with torch.no_grad():
            network.tensor(key).copy_(value)
    network.ranges = metadata(path).get(RANGES, {})
    network.train(network.training)


def begin(network: Network, path: Path | None) -> None:
    """Start from the weights that a document names, if any; MyelinError when missing or not fitting."""
    if path is None:
        return
    try:
        read(network, path)
    except MyelinError as error:
        raise MyelinError(
            f"the network cannot start from the weights the document names: {error};"
            " use those of another run, or let it start fresh"
        ) from None


def matching(network: Network, path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their keys in a network; MyelinError when the two do not belong together."""
    return {key: torch.from_numpy(value) for key, value in stored(network.program, path).items()}


def metadata(path: Path) -> dict[str, Any]:
    """What was saved beside the tensors."""
    try:
        with safe_open(path, "pt") as file:
            found: dict[str, Any] = json.loads((file.metadata() or {}).get("myelin", "{}"))
            return found
    except (OSError, SafetensorError) as error:
        raise MyelinError(f"{path} is no readable checkpoint: {error}") from None


def save(tensors: dict[str, Tensor], path: Path, header: dict[str, str]) -> None:
    """Write tensors and header in one atomic step."""
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


def load(path: Path) -> dict[str, Tensor]:
    """All tensors of a file; MyelinError when it cannot be read."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise MyelinError(f"there is no checkpoint {path}") from None
    except (OSError, SafetensorError) as error:
        raise MyelinError(f"{path} is no readable checkpoint: {error}") from None
