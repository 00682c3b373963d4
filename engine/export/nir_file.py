"""NIR files as plain records: HDF5 read with suspicion (nothing is executed or followed), and written.

The layout is that of the package nir: ``/version`` and ``/node``; a node holds ``type``, its fields and maybe
``metadata``; a graph holds ``nodes`` and ``edges``.  Units and rules are left to ``nir_dialects``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import MyelinError

LARGEST = 1 << 30
"""Bytes of all arrays of a file, unpacked."""
MOST_NODES = 10_000
DEEPEST = 8
LONGEST_TEXT = 10_000
WRITTEN_FOR = "1.0.8"
"""The release of nir whose layout is written."""

FIELDS: dict[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
    "Conv2d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
    "Flatten": ("start_dim", "end_dim"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "I": ("r",),
    "LI": ("tau", "r", "v_leak"),
    "IF": ("r", "v_threshold"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"),
}
"""What every node of a type must hold."""
TEXTS = ("padding",)  # fields that may be a word
Value = Any  # a numpy array, or a text


@dataclass(frozen=True)
class NirNode:
    """One primitive with its fields (arrays, or a text)."""

    type: str
    fields: Mapping[str, Value]
    metadata: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class NirGraph:
    """Nodes by name and edges (source, target); ``version``: of nir, by the file."""

    nodes: Mapping[str, NirNode | NirGraph]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, Value] = field(default_factory=dict)
    version: str = ""


def read(path: Path) -> NirGraph:
    """The graph of a file; MyelinError of one sentence where there is none."""
    import h5py  # takes longer to import than a command should

    if not path.is_file():
        raise MyelinError(f"{path} is no file: name a NIR file")
    try:
        with h5py.File(path, "r") as file:
            graph = _Reader(h5py, path).file(file)
    except MyelinError:
        raise
    except Exception as error:  # foreign bytes may raise anything; --debug shows what it was
        raise MyelinError(
            f"{path} cannot be read as a NIR file: it is damaged, cut short or of another format"
        ) from error
    return graph


class _Reader:
    def __init__(self, h5py: Any, path: Path) -> None:
        self.h5py, self.path, self.left, self.nodes = h5py, path, LARGEST, 0

    def refuse(self, why: str) -> MyelinError:
        return MyelinError(f"{self.path} is no NIR file that can be read: {why}")

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
        if type(parent.get(key, getlink=True)) is not self.h5py.HardLink:
            raise self.refuse(f"{where} is a link")
        return parent[key]

    def group(self, parent: Any, key: str, where: str) -> Any:
        found = self.link(parent, key, where)
        if not isinstance(found, self.h5py.Group):
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
        if not isinstance(table, self.h5py.Dataset) or (table.size and table.shape[1:] != (2,)):
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
            if isinstance(held.get(key), self.h5py.Dataset)
        }

    def value(self, parent: Any, key: str, where: str) -> Value:
        found = self.link(parent, key, where)
        self.spend(found, where)
        value = found[()]
        if isinstance(value, (bytes, str)):
            return _text(value)
        if isinstance(value, self.h5py.Empty):
            return np.zeros(0)
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise self.refuse(f"{where} holds neither numbers nor a text")
        return array

    def spend(self, found: Any, where: str) -> None:
        """Refuse what is no data of this file, or more than a network can be."""
        if not isinstance(found, self.h5py.Dataset) or found.is_virtual or found.external:
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


def write(path: Path, graph: NirGraph) -> None:
    """Write a graph as the package nir would."""
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("version", data=WRITTEN_FOR, dtype=h5py.string_dtype())
        _write_graph(file.create_group("node"), graph, h5py.string_dtype())


def _write_graph(group: Any, graph: NirGraph, text: Any) -> None:
    _write_values(group, {"type": "NIRGraph"}, text)
    pairs = np.array(graph.edges, dtype=object).reshape(-1, 2)
    group.create_dataset("edges", data=pairs, dtype=text)
    _write_metadata(group, graph.metadata, text)
    nodes = group.create_group("nodes")
    for name, node in graph.nodes.items():
        own = nodes.create_group(name)
        if isinstance(node, NirGraph):
            _write_graph(own, node, text)
        else:
            _write_values(own, {"type": node.type, **node.fields}, text)
            _write_metadata(own, node.metadata, text)


def _write_metadata(group: Any, metadata: Mapping[str, Value], text: Any) -> None:
    if metadata:
        _write_values(group.create_group("metadata"), metadata, text)


def _write_values(group: Any, values: Mapping[str, Value], text: Any) -> None:
    for name, value in values.items():
        if isinstance(value, str):
            group.create_dataset(name, data=value, dtype=text)
        elif np.ndim(value) and np.size(value) > 64:
            group.create_dataset(name, data=np.asarray(value), compression="gzip")
        else:
            group.create_dataset(name, data=np.asarray(value))


def flattened(graph: NirGraph) -> NirGraph:
    """The graph with the nodes of nested graphs beside its own, named ``outer.inner``.

    Inputs and outputs of nested graphs become wires; MyelinError where one has several of either.
    """
    nodes: dict[str, NirNode | NirGraph] = {}
    edges: list[tuple[str, str]] = []
    entry: dict[str, str] = {}
    leave: dict[str, str] = {}
    for name, node in graph.nodes.items():
        if not isinstance(node, NirGraph):
            nodes[name] = node
            continue
        inner = flattened(node)
        entry[name], leave[name] = (f"{name}.{_only(inner, kind, name)}" for kind in ("Input", "Output"))
        nodes.update({f"{name}.{key}": value for key, value in inner.nodes.items()})
        edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in inner.edges]
    edges += [(leave.get(a, a), entry.get(b, b)) for a, b in graph.edges]
    for gate in (*entry.values(), *leave.values()):
        edges = _through(gate, edges)
        del nodes[gate]
    return NirGraph(nodes, tuple(dict.fromkeys(edges)), graph.metadata, graph.version)


def _only(graph: NirGraph, kind: str, name: str) -> str:
    found = [key for key, node in graph.nodes.items() if isinstance(node, NirNode) and node.type == kind]
    if len(found) != 1:
        raise MyelinError(
            f"the graph '{name}' inside the NIR file has {len(found)} nodes {kind}; only one can be connected"
        )
    return found[0]


def _through(gate: str, edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges without a node that only passes on."""
    sources = [a for a, b in edges if b == gate]
    targets = [b for a, b in edges if a == gate]
    joined = [(a, b) for a in sources for b in targets]
    return [edge for edge in edges if gate not in edge] + joined
