"""Readers of foreign files: one module per format with ``SUFFIXES`` and ``read``; nothing lists them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import WEIGHTS, tensor_key
from engine.compile.diagnostics import Diagnostic
from engine.document import Document, weights
from engine.document.store import encode, put
from engine.errors import MyelinError


@dataclass(frozen=True)
class Imported:
    """A document made of a foreign file, its arrays by op and name, and what had to be assumed."""

    document: Document
    arrays: Mapping[str, Mapping[str, np.ndarray]]
    diagnostics: tuple[Diagnostic, ...] = field(default=())


Reader = Callable[..., Imported]


def readers() -> dict[str, Reader]:
    """``read(path, **options)`` of every format by the suffixes of its files."""
    known: dict[str, Reader] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            loaded: Any = importlib.import_module(f"{__name__}.{module.name}")
            known.update(dict.fromkeys(loaded.SUFFIXES, loaded.read))
    return known


def reader(path: Path) -> Reader:
    """The reader of the format that a file's suffix names."""
    known = readers()
    if path.suffix.lower() not in known:
        raise MyelinError(f"{path} cannot be imported: there are readers of {', '.join(sorted(known))} files")
    return known[path.suffix.lower()]


def read(path: Path, **options: Any) -> Imported:
    """The document in a foreign file; MyelinError of one sentence where it cannot be had."""
    return reader(path)(path, **options)


def weights_file(document: Path) -> Path:
    """Where the weights of an imported document lie."""
    return document.with_suffix(".safetensors")


def save(imported: Imported, path: Path) -> None:
    """Write the document at ``path`` and its weights beside it; DocumentError where that fails."""
    from safetensors.numpy import save as pack

    tensors = {
        WEIGHTS + tensor_key(op, name): np.ascontiguousarray(array)
        for op, own in imported.arrays.items()
        for name, array in own.items()
    }
    document = imported.document.copy()
    document.edit("Name the weights", weights.starting_from(document, weights_file(path), path.parent))
    content = encode(document, path)
    if tensors:
        put(pack(tensors), weights_file(path))
    put(content, path)
