"""NIR files as plain records: HDF5 read with suspicion (nothing is executed or followed), and written.

The layout is that of the package nir: ``/version`` and ``/node``; a node holds ``type``, its fields and maybe
``metadata``; a graph holds ``nodes`` and ``edges``.  Units and rules are left to ``dialects``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.bootstrap import ROOT
from engine.errors import MyelinError
from engine.export.writing import hdf5

LONGEST_READ = 120.0  # seconds
REFUSED = 3  # exit status of the process that reads, with a sentence on its standard output
DAMAGED = "cannot be read as a NIR file: it is damaged, cut short or of another format"
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
    """The graph of a file; MyelinError of one sentence where there is none.

    A process of its own reads it, for damaged HDF5 can crash the library that reads HDF5.
    """
    if not path.is_file():
        raise MyelinError(f"{path} is no file: name a NIR file")
    with tempfile.TemporaryDirectory(prefix="myelin-nir-") as folder:
        unpacked = Path(folder, "graph.npz")
        command = [
            sys.executable,
            "-P",
            "-m",
            "engine.export.nir.unpack",
            str(path.absolute()),
            str(unpacked),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=LONGEST_READ, env=_surroundings())
        except subprocess.TimeoutExpired:
            raise MyelinError(f"{path} cannot be read as a NIR file: that takes too long") from None
        if done.returncode == 0:
            return load_plain(unpacked)
        why = done.stdout.decode("utf-8", "replace").strip() if done.returncode == REFUSED else DAMAGED
        raise MyelinError(f"{path} {why}")


def _surroundings() -> dict[str, str]:
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *([before] if before else [])])}


def save_plain(path: Path, graph: NirGraph) -> None:
    """A graph as a plain archive of numpy, for ``load_plain``."""
    arrays: dict[str, np.ndarray] = {}
    header = json.dumps(_to_plain(graph, arrays))
    np.savez(path, header=np.array(header), **arrays)  # type: ignore[arg-type]


def load_plain(path: Path) -> NirGraph:
    """What ``save_plain`` saved."""
    with np.load(path, allow_pickle=False) as archive:
        graph = _from_plain(json.loads(str(archive["header"])), archive)
    assert isinstance(graph, NirGraph)
    return graph


def _to_plain(node: NirNode | NirGraph, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    def values(held: Mapping[str, Value]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for key, value in held.items():
            told[key] = value if isinstance(value, str) else len(arrays)
            if not isinstance(value, str):
                arrays[f"a{len(arrays)}"] = value
        return told

    if isinstance(node, NirNode):
        return {"type": node.type, "fields": values(node.fields), "metadata": values(node.metadata)}
    return {
        "nodes": {key: _to_plain(value, arrays) for key, value in node.nodes.items()},
        "edges": node.edges,
        "metadata": values(node.metadata),
        "version": node.version,
    }


def _from_plain(told: Mapping[str, Any], archive: Any) -> NirNode | NirGraph:
    def values(held: Mapping[str, Any]) -> dict[str, Value]:
        return {key: v if isinstance(v, str) else archive[f"a{v}"] for key, v in held.items()}

    if "fields" in told:
        return NirNode(told["type"], values(told["fields"]), values(told["metadata"]))
    nodes = {key: _from_plain(value, archive) for key, value in told["nodes"].items()}
    edges = tuple((a, b) for a, b in told["edges"])
    return NirGraph(nodes, edges, values(told["metadata"]), told["version"])


def write(path: Path, graph: NirGraph) -> None:
    """Write a graph as the package nir would."""
    import h5py

    with hdf5(path) as file:
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
