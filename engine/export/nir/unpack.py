"""Reads the HDF5 of a NIR file: ``python -m engine.export.nir.unpack FILE OUT.npz``.

In a process of its own, because libhdf5 may crash on a damaged file.  Nothing in the file is executed, no
link to another file is followed, and no more is read than a network can be.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from engine.errors import MyelinError
from engine.export.nir.file import DAMAGED, FIELDS, REFUSED, TEXTS, NirGraph, NirNode, Value, save_plain

LARGEST = 1 << 30
"""Bytes of all arrays of a file, unpacked."""
MOST_NODES = 10_000
DEEPEST = 8
LONGEST_TEXT = 10_000


def unpack(path: Path) -> NirGraph:
    """The graph of a file; MyelinError, the end of a sentence, where there is none."""
    with h5py.File(path, "r") as file:
        return _Reader().file(file)


class _Reader:
    def __init__(self) -> None:
        self.left, self.nodes = LARGEST, 0

    def refuse(self, why: str) -> MyelinError:
        return MyelinError(f"is no NIR file that can be read: {why}")

    def file(self, file: Any) -> NirGraph:
        if "node" not in file:
            raise self.refuse("it has no entry `node`")
        version = self.value(file, "version", "version") if "version" in file else ""
        graph = self.node(self.group(file, "node", "node"), "node", 0)
        if not isinstance(graph, NirGraph):
            name = graph.type.lower()
            graph = NirGraph({name: graph}, ())
        return NirGraph(graph.nodes, graph.edges, graph.metadata, str(version)[:40])

    def link(self, parent: Any, key: str, where: str) -> Any:
        """A member that lies in this very file: links to other files are not followed."""
        if type(parent.get(key, getlink=True)) is not h5py.HardLink:
            raise self.refuse(f"{where} is a link")
        return parent[key]

    def group(self, parent: Any, key: str, where: str) -> Any:
        found = self.link(parent, key, where)
        if not isinstance(found, h5py.Group):
            raise self.refuse(f"{where} is no group")
        return found

    def node(self, group: Any, where: str, depth: int) -> NirNode | NirGraph:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise self.refuse(f"it has more than {MOST_NODES:,} nodes or graphs nested over {DEEPEST} deep")
        if "type" not in group:
            raise self.refuse(f"{where} has no type")
        kind = self.value(group, "type", f"{where}.type")
        if kind == "NIRGraph":
            return self.graph(group, where, depth)
        if not isinstance(kind, str) or kind not in FIELDS:
            raise self.refuse(f"{where} has the type {str(kind)[:40]!r}, which NIR does not have")
        fields = {
            key: self.value(group, key, f"{where}.{key}") for key in group if key not in ("type", "metadata")
        }
        return NirNode(kind, self.checked(kind, fields, where), self.metadata(group, where))

    def graph(self, group: Any, where: str, depth: int) -> NirGraph:
        for needed in ("nodes", "edges"):
            if needed not in group:
                raise self.refuse(f"{where} has no {needed}")
        members = self.group(group, "nodes", f"{where}.nodes")
        nodes = {key: self.node(self.group(members, key, key), key, depth + 1) for key in members}
        return NirGraph(nodes, self.edges(group, nodes, where), self.metadata(group, where))

    def edges(self, group: Any, nodes: Mapping[str, Any], where: str) -> tuple[tuple[str, str], ...]:
        table = self.link(group, "edges", f"{where}.edges")
        self.spend(table, f"{where}.edges")
        if not isinstance(table, h5py.Dataset) or (table.size and table.shape[1:] != (2,)):
            raise self.refuse(f"{where}.edges is no list of pairs")
        found = [(_text(a), _text(b)) for a, b in table[()]] if table.size else []
        for end in (end for edge in found for end in edge):
            if end not in nodes:
                raise self.refuse(f"an edge of {where} names {end[:40]!r}, which is no node")
        return tuple(dict.fromkeys(found))

    def metadata(self, group: Any, where: str) -> dict[str, Value]:
        if "metadata" not in group:
            return {}
        held = self.group(group, "metadata", f"{where}.metadata")
        return {
            key: self.value(held, key, f"{where}.metadata")
            for key in held
            if isinstance(held.get(key), h5py.Dataset)
        }

    def value(self, parent: Any, key: str, where: str) -> Value:
        found = self.link(parent, key, where)
        self.spend(found, where)
        value = found[()]
        if isinstance(value, (bytes, str)):
            return _text(value)
        if isinstance(value, h5py.Empty):
            return np.zeros(0)
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise self.refuse(f"{where} holds neither numbers nor a text")
        return array

    def spend(self, found: Any, where: str) -> None:
        """Refuse what is no data of this file, or more than a network can be."""
        if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
            raise self.refuse(f"{where} is no array of this file")
        self.left -= int(found.size or 0) * max(1, found.dtype.itemsize)
        if self.left < 0:
            raise self.refuse(f"its arrays take more than {LARGEST >> 30} GiB")

    def checked(self, kind: str, fields: dict[str, Value], where: str) -> dict[str, Value]:
        for name in FIELDS[kind]:
            if name not in fields:
                raise self.refuse(f"{where} ({kind}) has no {name}")
        for name, value in fields.items():
            if isinstance(value, str) and name not in TEXTS:
                raise self.refuse(f"{name} of {where} ({kind}) is a text, not numbers")
            if not isinstance(value, str) and not np.isfinite(value).all():
                raise self.refuse(f"{name} of {where} ({kind}) holds numbers that are not finite")
        return fields


def _text(value: bytes | str) -> str:
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise ValueError("a text that cannot be printed")
    return text


def main() -> int:
    """Unpack the file that the arguments name."""
    source, target = map(Path, sys.argv[1:3])
    try:
        graph = unpack(source)
    except MyelinError as error:
        print(error)
        return REFUSED
    except Exception:  # foreign bytes may raise anything
        print(DAMAGED)
        return REFUSED
    save_plain(target, graph)
    return 0


if __name__ == "__main__":
    sys.exit(main())
