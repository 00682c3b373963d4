"""NIR files, of whatever package, as documents."""

from __future__ import annotations

from pathlib import Path

from engine.export.imports import Imported
from engine.export.imports._nir.graph import build
from engine.export.nir.file import flattened
from engine.export.nir.file import read as read_file
from engine.export.nir.reading import reading

SUFFIXES = (".nir", ".h5", ".hdf5")


def read(path: Path, *, dialect: str = "auto", dt_ms: float | None = None) -> Imported:
    """The document in a NIR file.

    ``dialect``: who wrote it (``dialects``), ``auto`` to find out.  ``dt_ms``: length of a step where the
    file leaves it open.  MyelinError names the first thing that no document can hold.
    """
    graph = flattened(read_file(path))
    how, doubts = reading(graph, dialect, dt_ms)
    return build(path.stem, graph, how, doubts)
