"""Where data sets lie, which there are, and which are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from nodes import registry
from nodes.roles import DataSet
from nodes.samples import DataError


def data_root() -> Path:
    """The data folder: ``MYELIN_DATA``, else the platform's folder for user data.  It need not exist."""
    named = os.environ.get("MYELIN_DATA")
    return Path(named).expanduser().resolve() if named else platformdirs.user_data_path("myelin") / "data"


def short_name(spec: type[DataSet]) -> str:
    """The name on the command line, and of the folder: ``dataset.shd`` is ``shd``."""
    return spec.type.rpartition(".")[2]


def data_sets() -> dict[str, type[DataSet]]:
    """Every data set by its short name."""
    found = (spec for spec in registry.all().values() if issubclass(spec, DataSet))
    return {short_name(spec): spec for spec in found}


def find(name: str) -> type[DataSet]:
    """The data set of that short name (or full type)."""
    known = data_sets()
    spec = known.get(name.removeprefix("dataset."))
    if spec is None:
        raise DataError(f"there is no data set {name!r}; `myelin data list` shows them: {', '.join(known)}.")
    return spec


def folder(spec: type[DataSet], root: Path) -> Path:
    """Where the files of a data set lie unless its node's `path` says otherwise."""
    return root / short_name(spec)


def at_hand(spec: type[DataSet], root: Path) -> bool:
    """True when every file of the data set that can be downloaded is there."""
    files = spec.info.files
    return bool(files) and all((folder(spec, root) / file.name).exists() for file in files)
