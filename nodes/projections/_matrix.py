"""Matrices that a parameter gives as a nested list or names in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np


class Entries(NamedTuple):
    """The entries of a matrix that are not zero: ``value[k]`` stands at ``[row[k], column[k]]``."""

    shape: tuple[int, int]
    row: np.ndarray
    column: np.ndarray
    value: np.ndarray


def numbers(table: Sequence[Any]) -> np.ndarray:
    """A list, or list of equally long lists, as an array of finite floats; ValueError says what is wrong."""
    try:
        array = np.array(table, np.float64)
    except (ValueError, TypeError):
        raise ValueError("must hold numbers only, in rows of equal length") from None
    return _finite(array)


def read(path: str) -> np.ndarray:
    """The array in a ``.csv`` (commas, no header), ``.npy`` or ``.npz`` file; ValueError if it is unfit."""
    found = _load(path)
    if isinstance(found, np.ndarray):
        return _finite(found)
    full = np.zeros(found.shape)
    full[found.row, found.column] = found.value
    return full


def entries(table: Sequence[Any], path: str) -> Entries:
    """The matrix of a file, or of a nested list where no file is named, without its zeros.

    A ``.npz`` of ``scipy.sparse.save_npz`` is never made dense.  Rows are targets, columns sources.
    """
    found = _load(path) if path else numbers(table)
    if isinstance(found, Entries):
        return found
    if found.ndim != 2:
        raise ValueError(f"must be a matrix with one row per target, not an array of {found.ndim} dimensions")
    row, column = np.nonzero(_finite(found))
    return Entries((found.shape[0], found.shape[1]), row, column, found[row, column])


def _load(path: str) -> np.ndarray | Entries:
    try:
        stat = os.stat(path)
        return _read(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise ValueError(f"cannot be read: {path}: {error.strerror or 'not a readable file'}") from None


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> np.ndarray | Entries:
    """The content of a file as it was at ``changed``, so that checking while drawing reads it once."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _READERS:
        raise ValueError(f"must be a .csv, .npy or .npz file, not {path!r}")
    try:
        return _READERS[suffix](path)
    except (ValueError, KeyError, EOFError, UnicodeDecodeError):
        raise ValueError(f"does not hold numbers in the form its name promises: {path}") from None


def _read_csv(path: str) -> np.ndarray:
    with open(path, encoding="utf-8") as file:
        rows = [line.split(",") for line in file if line.strip()]
    return np.array(rows, np.float64)


def _read_npy(path: str) -> np.ndarray:
    return np.asarray(np.load(path, allow_pickle=False), np.float64)


def _read_npz(path: str) -> np.ndarray | Entries:
    with np.load(path, allow_pickle=False) as archive:
        if "format" not in archive.files:
            (only,) = archive.files  # several arrays: nothing says which is meant
            return np.asarray(archive[only], np.float64)
    from scipy.sparse import load_npz  # takes longer to import than the window may take to open

    matrix: Any = load_npz(path).tocoo()  # type: ignore[misc]
    matrix.sum_duplicates()
    rows, columns = matrix.shape
    value = _finite(np.asarray(matrix.data, np.float64))
    return Entries((rows, columns), matrix.row.astype(np.int64), matrix.col.astype(np.int64), value)


_READERS = {".csv": _read_csv, ".npy": _read_npy, ".npz": _read_npz}


def _finite(array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError("must hold finite numbers only")
    return array
