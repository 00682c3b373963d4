"""What every PyNN script begins and ends with."""

HEAD = '''"""{title}: a PyNN script, exported by Myelin Studio.

    python network.py --backend {backend} --inputs inputs.npz --steps 200 --outputs outputs.npz

PyNN's standard cells on a grid of {dt:g} ms.  A spike needs at least one step from neuron to neuron, so a
population may run some steps later than it was drawn (``SHIFT``); what it gives is moved back below.
Weights are in mV for IF_curr_delta and Izhikevich, in nA for IF_curr_exp.

Inputs [steps, *shape], whole numbers of spikes, zero where they end: {inputs}.
Outputs [steps, *shape]: {outputs}.
"""

import argparse
import importlib
from pathlib import Path

import numpy as np

ARRAYS = np.load(Path(__file__).with_name("{file}"))
DT = {dt!r}  # ms
SHIFT = {shift}  # steps
FIRST = 3  # the step of the run at whose end the cells without shift have done their first step
sim = None  # the module of the backend


def value(name, key):
    """A parameter: a number, or the name of an array in the file."""
    return ARRAYS[f"{{name}}.{{key}}"] if isinstance(key, str) else key


def sources(signal, steps, size):
    """Spike sources that play a signal [steps, size]: step t at the end of step t + 2 of the run."""
    counts = np.zeros((steps, size), int)
    known = np.asarray(signal).reshape(-1, size)[:steps]
    if np.any(known != np.rint(known)) or np.any(known < 0):
        raise SystemExit("the inputs of a PyNN network are numbers of spikes, not analog values")
    counts[: len(known)] = known
    times = [np.round(np.repeat(np.arange(steps) + 2, column) * DT, 6) for column in counts.T]
    return sim.Population(size, sim.SpikeSourceArray(spike_times=[list(own) for own in times]))


def cells(model, size, name, first, **parameters):
    """A population; ``first``: the state before its first step."""
    own = {{key: value(name, key_or_number) for key, key_or_number in parameters.items()}}
    start = {{key: value(name, key_or_number) for key, key_or_number in first.items()}}
    return sim.Population(size, model(**own), initial_values=start, label=name)


def as_published(population, v_peak):
    """Let NEST step v twice by half a step, as Izhikevich's program of 2003 does, up to v_peak."""
    if sim.__name__ == "pyNN.nest":
        population.node_collection.set(consistent_integration=False, V_th=v_peak)


def ahead():
    """Steps that the backend's first run takes more than it is told to: PyNN lets NEST go on by one."""
    return int(sim.__name__ == "pyNN.nest")


def begin(population, v, u):
    """Set the state of Izhikevich neurons, which do not rest before their first step, in the run."""
    if sim.__name__ == "pyNN.nest":
        population.node_collection.set(V_m=v, U_m=u)
    else:
        population.initialize(v=v, u=u)


def connect(name, source, target):
    """Synapses with weights, and delays in steps, of their own."""
    pre, post, weight, delay = (ARRAYS[f"{{name}}.{{what}}"] for what in ("pre", "post", "weight", "delay"))
    for receptor, own in (("excitatory", weight > 0), ("inhibitory", weight < 0)):
        rows = np.column_stack([pre, post, weight, np.round(delay * DT, 6)])[own]
        if len(rows):
            listed = sim.FromListConnector(
                [(int(i), int(j), w, d) for i, j, w, d in rows], column_names=["weight", "delay"]
            )
            sim.Projection(source, target, listed, sim.StaticSynapse(), receptor_type=receptor)


def raster(segment, steps, size, shift):
    """Spikes as [steps, neurons] of 0 and 1."""
    found = np.zeros((steps, size))
    for neuron, train in enumerate(segment.spiketrains):
        step = np.rint(np.asarray(train.magnitude, float) / DT).astype(int) - FIRST - shift
        found[step[(step >= 0) & (step < steps)], neuron] = 1
    return found


def trace(segment, steps, size, shift, what):
    """A state variable as [steps, neurons]."""
    found = np.zeros((steps, size))
    signal = next((found for found in segment.analogsignals if found.name == what), None)
    if signal is not None:  # a board that is only mapped to gives none
        known = np.asarray(signal.magnitude, float)[FIRST + shift : FIRST + shift + steps]
        found[: len(known)] = known
    return found


'''
MAIN = '''

def main():
    """Read inputs, run, write outputs."""
    global sim
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--backend", default={backend!r}, help="nest, neuron, brian2 or spiNNaker")
    options.add_argument("--inputs", type=Path, help="an .npz file")
    options.add_argument("--steps", type=int, default=1000)
    options.add_argument("--outputs", type=Path, default=Path("outputs.npz"))
    given = options.parse_args()
    sim = importlib.import_module("pyNN." + given.backend)
    if given.backend == "nest" and not hasattr(sim.IF_curr_delta, "variable_map"):
        # PyNN 0.13 forgets to say what its v is called in NEST
        sim.IF_curr_delta.variable_map, sim.IF_curr_delta.scale_factors = {{"v": "V_m"}}, {{"v": 1}}
    inputs = dict(np.load(given.inputs)) if given.inputs else {{}}
    np.savez_compressed(given.outputs, **run(inputs, given.steps))
    sim.end()


if __name__ == "__main__":
    main()
'''
