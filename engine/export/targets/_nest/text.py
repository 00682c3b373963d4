"""What every PyNEST script begins and ends with."""

HEAD = '''"""{title}: a PyNEST script, exported by Myelin Studio.

    python network.py --inputs inputs.npz --steps 200 --outputs outputs.npz

Native NEST models on a grid of {dt:g} ms.  In NEST a spike needs at least one step from neuron to
neuron, so a population may run some steps later than it was drawn (``SHIFT``); what it gives is moved
back below.
Weights have the units of the models: mV for iaf_psc_delta and izhikevich, pA for iaf_psc_exp.

Inputs [steps, *shape], whole numbers of spikes, zero where they end: {inputs}.
Outputs [steps, *shape]: {outputs}.
"""

import argparse
from pathlib import Path

import nest
import numpy as np

ARRAYS = np.load(Path(__file__).with_name("{file}"))
DT = {dt!r}  # ms
SHIFT = {shift}  # steps
FIRST = 2  # the step of the run at whose end the cells without shift have done their first step


def generators(signal, steps, size):
    """Spike generators that play a signal [steps, size]: step t at the end of step t + 1 of the run."""
    counts = np.zeros((steps, size), int)
    known = np.asarray(signal).reshape(-1, size)[:steps]
    if np.any(known != np.rint(known)) or np.any(known < 0):
        raise SystemExit("the inputs of a NEST network are numbers of spikes, not analog values")
    counts[: len(known)] = known
    made = nest.Create("spike_generator", size)
    for node, column in zip(made, counts.T):
        times = np.nonzero(column)[0]
        node.set(spike_times=np.round((times + 1) * DT, 6), spike_multiplicities=column[times])
    return made


def cells(model, size, name, **parameters):
    """Neurons whose parameters are numbers, or the names of arrays in the file."""
    own = {{key: ARRAYS[f"{{name}}.{{value}}"].tolist() if isinstance(value, str) else value
           for key, value in parameters.items()}}
    return nest.Create(model, size, params=own)


def connect(name, source, target):
    """Synapses with weights, and delays in steps, of their own."""
    pre, post, weight, delay = (ARRAYS[f"{{name}}.{{what}}"] for what in ("pre", "post", "weight", "delay"))
    synapses = {{"weight": weight, "delay": np.round(delay * DT, 6)}}
    ids = np.array(source.tolist()), np.array(target.tolist())
    nest.Connect(ids[0][pre], ids[1][post], "one_to_one", synapses)


def seen(recorder, population, steps, shift):
    """Which entries of a recorder lie within the steps: their steps and their neurons."""
    step = np.rint(np.asarray(recorder.events["times"]) / DT).astype(int) - FIRST - shift
    neuron = np.asarray(recorder.events["senders"], int) - population[0].global_id
    inside = (step >= 0) & (step < steps)
    return inside, step[inside], neuron[inside]


def raster(recorder, population, steps, shift):
    """Spikes as [steps, neurons] of 0 and 1."""
    found = np.zeros((steps, len(population)))
    _, step, neuron = seen(recorder, population, steps, shift)
    found[step, neuron] = 1
    return found


def trace(meter, population, steps, shift, what):
    """A state variable as [steps, neurons]."""
    found = np.zeros((steps, len(population)))
    inside, step, neuron = seen(meter, population, steps, shift)
    found[step, neuron] = np.asarray(meter.events[what])[inside]
    return found


'''
