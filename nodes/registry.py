"""Discovery: every module under ``nodes`` and every ``myelin.nodes`` entry point, with no list to keep."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

import nodes
from nodes.spec import REGISTERED, Node


@cache
def _discover() -> None:
    for module in pkgutil.walk_packages(nodes.__path__, "nodes."):
        if not module.name.rpartition(".")[2].startswith("_"):
            importlib.import_module(module.name)
    for entry in entry_points(group="myelin.nodes"):
        entry.load()


def all() -> dict[str, type[Node]]:
    """Every known node type, sorted by name."""
    _discover()
    return dict(sorted(REGISTERED.items()))


def get(type: str) -> type[Node] | None:
    """The declaration of a node type, or None when nobody declares it."""
    _discover()
    return REGISTERED.get(type)
