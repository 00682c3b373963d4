"""What every Brian2 script begins and ends with."""

HEAD = '''"""{title}: a Brian2 script, exported by Myelin Studio.

    python network.py --inputs inputs.npz --steps 200 --outputs outputs.npz

One step of {dt:g} ms after the other does what the document says, in the same order: all objects
run in Brian2's slot `groups`, one after the other, so a spike reaches the next layer in the step in
which it is emitted unless its synapse delays it.  A projection that runs before its source sees the
spikes of the step before; its delays are one step shorter, so that they arrive when they should.

Inputs [steps, *shape], zero where they end: {inputs}.
Outputs [steps, *shape]: {outputs}.
"""

import argparse
from pathlib import Path

import numpy as np
from brian2 import (
    Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, TimedArray, defaultclock,
    linked_var, ms, prefs,
)

prefs.codegen.target = "{codegen}"
prefs.codegen.loop_invariant_optimisations = False  # another order rounds differently
ARRAYS = np.load(Path(__file__).with_name("{file}"))
DT = {dt!r} * ms


def project(name, key, source, target, on_pre, place, early=0, only=None, **more):
    """Synapses with the weights and delays of ``key`` at ``place`` in the step; ``only``: of one delay."""
    pre, post, weight, delay = (ARRAYS[f"{{key}}.{{what}}"] for what in ("pre", "post", "weight", "delay"))
    chosen = slice(None) if only is None else delay == only
    synapses = Synapses(source, target, "w : 1", on_pre=on_pre, name=name, **more)
    synapses.connect(i=pre[chosen], j=post[chosen])
    synapses.w = weight[chosen]
    if only is None:
        synapses.pre.delay = (delay - early) * DT
    synapses.pre.when, synapses.pre.order = "groups", place
    return synapses


def fires(group, place):
    """Let the events of a group happen at ``place`` in the step."""
    for thresholder in group.thresholder.values():
        thresholder.when, thresholder.order = "groups", place


def raster(monitor, steps, size):
    """Spikes as [steps, neurons] of 0 and 1."""
    found = np.zeros((steps, size))
    found[np.rint(monitor.t / DT).astype(int), monitor.i] = 1
    return found


'''
