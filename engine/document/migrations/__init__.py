"""Old documents brought up to date: one module ``vN_to_vM.py`` per step, found by walking this package.

Each has ``migrate(d: dict) -> dict``: pure, from tree to tree; the chain itself writes ``schema``.
"""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from typing import Any

from engine.document.errors import DocumentError

_NAME = re.compile(r"v(\d+)_to_v(\d+)")


def steps() -> dict[int, tuple[int, str]]:
    """The known steps: schema -> (the schema it becomes, the module that does it)."""
    found = (_NAME.fullmatch(module.name) for module in pkgutil.iter_modules(__path__))
    return {int(name[1]): (int(name[2]), f"{__name__}.{name[0]}") for name in found if name}


def migrate(tree: dict[str, Any], schema: int) -> dict[str, Any]:
    """``tree`` brought up to ``schema`` step by step; DocumentError if it has not the form that it claims."""
    known = steps() if tree["schema"] != schema else {}
    while tree["schema"] != schema:
        old = tree["schema"]
        if old not in known:
            raise DocumentError(f"schema {old} is not known, the file cannot be brought up to date")
        new, module = known[old]
        try:
            tree = {**import_module(module).migrate(tree), "schema": new}
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise DocumentError(f"it says schema {old}, but does not have the form of that schema") from None
    return tree
