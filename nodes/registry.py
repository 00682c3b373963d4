"""Discovery: every module under ``nodes`` and every ``myelin.nodes`` entry point, with no list to keep."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import NamedTuple

import nodes
from nodes.spec import REGISTERED, Node


class Problem(NamedTuple):
    """Node types that are not there because their module cannot be loaded; ``owner``: the package to mend."""

    what: str
    owner: str
    reason: str


@cache
def _discover() -> tuple[Problem, ...]:
    found: list[Problem] = []
    for module in pkgutil.walk_packages(nodes.__path__, "nodes."):
        if not module.name.rpartition(".")[2].startswith("_"):
            _load(found, module.name, "myelin-studio", importlib.import_module, module.name)
    for entry in entry_points(group="myelin.nodes"):
        owner = entry.dist.name if entry.dist else "another package"
        _load(found, f"myelin.nodes {entry.name}", owner, entry.load)
    return tuple(found)


def _load(found: list[Problem], what: str, owner: str, load: Callable[..., object], *given: str) -> None:
    """One node that cannot be loaded, whatever its author did, must not take the others with it."""
    try:
        load(*given)
    except (Exception, SystemExit) as error:
        found.append(Problem(what, owner, " ".join(f"{type(error).__name__}: {error}".split())))


def all() -> dict[str, type[Node]]:
    """Every known node type, sorted by name."""
    _discover()
    return dict(sorted(REGISTERED.items()))


def get(type: str) -> type[Node] | None:
    """The declaration of a node type, or None when nobody declares it."""
    _discover()
    return REGISTERED.get(type)


def problems() -> tuple[Problem, ...]:
    """What could not be loaded."""
    return _discover()
