"""SONATA network files: nodes, edges and spikes in HDF5, types in CSV, configurations in JSON.

Layout: the SONATA Data Format Developer Guide (github.com/AllenInstitute/sonata), version 0.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from engine.export.frozen import Frozen
from engine.export.simulate import Signals, simulate
from engine.export.targets._nest.code import MODELS, parameters
from engine.export.targets._plan import BIAS, Plan, wire_names
from engine.export.writing import hdf5

NODES, EDGES, INPUTS, SPIKES = "nodes.h5", "edges.h5", "inputs.h5", "spikes.h5"
NODE_TYPES, EDGE_TYPES, NODE_SETS = "node_types.csv", "edge_types.csv", "node_sets.json"
CIRCUIT, SIMULATION = "circuit_config.json", "simulation_config.json"
DENSITY = 0.02  # spikes per step of the stimulus that comes along
FIRST = 2  # steps until the cells without shift have done their first step


def write(made: Plan, names: Mapping[str, str], steps: int, folder: Path) -> None:
    """Every file of a network, with a stimulus of ``steps`` steps and the spikes that belong to it."""
    virtual = {names[s.op]: int(np.prod(shape)) for s, shape in made.frozen.inputs.items()}
    virtual |= {"bias": 1} if any(w.source == BIAS for w in made.wires) else {}
    _nodes(made, names, virtual, folder)
    _edges(made, names, folder)
    inputs, found = example(made.frozen, steps)
    stimulus(made, names, inputs, steps, folder)
    spikes = {
        names[s.op]: _events(signal, FIRST + made.shift[s.op], made.frozen.dt)
        for s, signal in found.items()
        if s.port == "spikes"
    }
    _spikes(folder / SPIKES, spikes)


def stimulus(made: Plan, names: Mapping[str, str], inputs: Signals, steps: int, folder: Path) -> None:
    """The spikes of the inputs, and the configurations of a run that plays them."""
    given = {names[s.op]: _events(signal[:steps], 1, made.frozen.dt) for s, signal in inputs.items()}
    if any(w.source == BIAS for w in made.wires):
        given["bias"] = _events(np.ones((steps, 1)), 1, made.frozen.dt)
    _spikes(folder / INPUTS, given)
    _configurations(made, list(given), steps, folder)


def example(frozen: Frozen, steps: int) -> tuple[Signals, Signals]:
    """Random spikes for every input, and what the network does with them."""
    rng = np.random.default_rng(abs(frozen.program.seed))
    inputs = {
        source: (rng.random((steps, *shape)) < DENSITY).astype(np.float32)
        for source, shape in frozen.inputs.items()
    }
    return inputs, simulate(frozen, inputs, steps, dtype=np.float64)


def _events(signal: np.ndarray, late: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """(times in ms, neurons) of a signal ``[steps, *shape]`` of counts, in the order of time."""
    flat = signal.reshape(len(signal), -1)
    step, neuron = (np.repeat(index, flat[flat > 0].astype(int)) for index in np.nonzero(flat))
    return np.round((step + late) * dt, 6), neuron.astype(np.uint64)


@contextmanager
def _stamped(path: Path) -> Iterator[h5py.File]:
    with hdf5(path, track_order=True) as file:
        file.attrs["magic"], file.attrs["version"] = np.uint32(0x0A7A), np.array([0, 1], np.uint32)
        yield file


def _nodes(made: Plan, names: Mapping[str, str], virtual: Mapping[str, int], folder: Path) -> None:
    types = []
    with _stamped(folder / NODES) as file:
        for number, (name, size) in enumerate(virtual.items()):
            _population(file, name, size, number, {})
            types.append((number, name, "virtual", "NULL"))
        for number, unit in enumerate(made.units, len(virtual)):
            cell, name = made.cells[unit.id], names[unit.id]
            _population(file, name, unit.size, number, parameters(cell))
            types.append((number, name, "point_neuron", f"nest:{MODELS[cell.model]}"))
    _table(folder / NODE_TYPES, ("node_type_id", "pop_name", "model_type", "model_template"), types)
    (folder / NODE_SETS).write_text("{}\n", "utf-8")


def _population(file: h5py.File, name: str, size: int, type: int, own: Mapping[str, np.ndarray]) -> None:
    group = file.create_group(f"nodes/{name}")
    group["node_id"] = group["node_group_index"] = np.arange(size, dtype=np.uint64)
    group["node_type_id"] = np.full(size, type, np.int64)
    group["node_group_id"] = np.zeros(size, np.uint64)
    dynamics = group.create_group("0/dynamics_params")
    for key, value in own.items():
        dynamics[key] = np.broadcast_to(np.asarray(value, np.float64), size)


def _edges(made: Plan, names: Mapping[str, str], folder: Path) -> None:
    called, types = wire_names(made, names), []
    with _stamped(folder / EDGES) as file:
        for number, wires in enumerate(made.wires):
            group = file.create_group(f"edges/{called[wires.name]}")
            source = "bias" if wires.source == BIAS else names[wires.source.op]
            for end, index, population in (
                ("source", wires.pre, source),
                ("target", wires.post, names[wires.target]),
            ):
                ids = group.create_dataset(f"{end}_node_id", data=index.astype(np.uint64))
                ids.attrs["node_population"] = population
            count = wires.pre.size
            group["edge_type_id"] = np.full(count, number, np.int64)
            group["edge_group_id"] = np.zeros(count, np.uint64)
            group["edge_group_index"] = np.arange(count, dtype=np.uint64)
            group["0/syn_weight"] = wires.weight
            group["0/delay"] = np.round(wires.delay * made.frozen.dt, 6)
            types.append((number, called[wires.name], "static_synapse"))
    _table(folder / EDGE_TYPES, ("edge_type_id", "pop_name", "model_template"), types)


def _table(path: Path, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    lines = [" ".join(map(str, row)) for row in (head, *rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _spikes(path: Path, events: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    kinds = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
    with _stamped(path) as file:
        file.create_group("spikes")
        for name, (times, neurons) in events.items():
            group = file.create_group(f"spikes/{name}")
            group.attrs.create("sorting", 2, dtype=kinds)
            group.create_dataset("timestamps", data=times).attrs["units"] = "ms"
            group["node_ids"] = neurons


def _configurations(made: Plan, inputs: list[str], steps: int, folder: Path) -> None:
    nodes = {"nodes_file": f"$BASE/{NODES}", "node_types_file": f"$BASE/{NODE_TYPES}"}
    edges = {"edges_file": f"$BASE/{EDGES}", "edge_types_file": f"$BASE/{EDGE_TYPES}"}
    circuit = {
        "manifest": {"$BASE": "."},
        "networks": {"nodes": [nodes], "edges": [edges]},
        "target_simulator": "NEST",
    }
    last = (steps + made.latest + FIRST + 1 + made.shortest) * made.frozen.dt
    simulation = {
        "manifest": {"$BASE": "."},
        "network": f"$BASE/{CIRCUIT}",
        "node_sets_file": f"$BASE/{NODE_SETS}",
        "target_simulator": "NEST",
        "run": {"tstop": last, "dt": made.frozen.dt},
        "conditions": {"celsius": 34.0},
        "inputs": {
            name: {"input_type": "spikes", "module": "h5", "input_file": f"$BASE/{INPUTS}", "node_set": name}
            for name in inputs
        },
        "output": {"output_dir": "$BASE", "spikes_file": SPIKES},
    }
    for name, tree in ((CIRCUIT, circuit), (SIMULATION, simulation)):
        (folder / name).write_text(json.dumps(tree, indent=2) + "\n", "utf-8")
