"""Finds what lies in a package, so that a new action, panel or plot is one new file and no list is edited."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def load_all(package: ModuleType) -> None:
    """Import every module of ``package``, in order of name; what they declare registers itself."""
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
        importlib.import_module(f"{package.__name__}.{module.name}")
