"""The script that runs a SONATA network in NEST, from nothing but its files.

NEST has a reader of SONATA of its own, but only where it was built with HDF5; the NEST of PyPI is not.
"""

SCRIPT = '''
import csv
import json
import sys
from pathlib import Path

import h5py
import nest
import numpy as np


def opened(name):
    """A file that the configuration names."""
    return h5py.File(name.replace("$BASE", str(folder)))


def types(name, key):
    """The rows of a table of types, by id."""
    with Path(name.replace("$BASE", str(folder))).open() as file:
        return {int(row[key]): row for row in csv.DictReader(file, delimiter=" ")}


def nodes(population, kind):
    """The cells of a population: native models, or spike generators where they are virtual."""
    size = len(population["node_id"])
    if kind["model_type"] == "virtual":
        return nest.Create("spike_generator", size)
    dynamics = population["0/dynamics_params"]
    params = {key: dynamics[key][:].tolist() for key in dynamics}
    return nest.Create(kind["model_template"].removeprefix("nest:"), size, params=params)


def play(events, cells):
    """Let spike generators play the events of a file."""
    times, neurons = events["timestamps"][:], events["node_ids"][:].astype(int)
    for number, cell in enumerate(cells):
        own, counts = np.unique(times[neurons == number], return_counts=True)
        cell.set(spike_times=own, spike_multiplicities=counts)


folder, wanted = Path(sys.argv[1]), json.loads(sys.argv[3])
simulation = json.loads((folder / "simulation_config.json").read_text())
circuit = json.loads((folder / "circuit_config.json").read_text())["networks"]
nest.ResetKernel()
nest.verbosity = nest.VerbosityLevel.ERROR
nest.resolution = simulation["run"]["dt"]
cells = {}
for files in circuit["nodes"]:
    known = types(files["node_types_file"], "node_type_id")
    for name, population in opened(files["nodes_file"])["nodes"].items():
        cells[name] = nodes(population, known[int(population["node_type_id"][0])])
for files in circuit["edges"]:
    known = types(files["edge_types_file"], "edge_type_id")
    for population in opened(files["edges_file"])["edges"].values():
        ends = []
        for end in ("source_node_id", "target_node_id"):
            ids = np.array(cells[population[end].attrs["node_population"]].tolist())
            ends.append(ids[population[end][:].astype(int)])
        model = known[int(population["edge_type_id"][0])]["model_template"]
        values = {"weight": population["0/syn_weight"][:], "delay": population["0/delay"][:]}
        nest.Connect(*ends, "one_to_one", {"synapse_model": model, **values})
for name, entry in simulation["inputs"].items():
    play(opened(entry["input_file"])["spikes"][entry["node_set"]], cells[name])
recorders = {}
for name, variable in wanted:
    spikes = variable == "spikes"
    recorder = nest.Create("spike_recorder") if spikes else nest.Create(
        "multimeter", params={"interval": nest.resolution, "record_from": ["V_m"]}
    )
    nest.Connect(*((cells[name], recorder) if spikes else (recorder, cells[name])))
    recorders[f"{name}.{variable}"] = recorder
nest.Simulate(simulation["run"]["tstop"])
found = {}
for key, recorder in recorders.items():
    name, variable = key.rsplit(".", 1)
    found[f"{key}.times"] = np.asarray(recorder.events["times"], float)
    found[f"{key}.neurons"] = np.asarray(recorder.events["senders"], int) - cells[name][0].global_id
    found[f"{key}.values"] = np.ones(0) if variable == "spikes" else np.asarray(recorder.events["V_m"], float)
np.savez(sys.argv[2], **found)
'''
