"""sinabs: layers for the cores of Speck and DYNAP-CNN, as a script with whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Converted, Target, target
from engine.export.targets._lif import decide, whole_numbers
from engine.export.targets._names import identifier, printed, unique
from engine.export.targets._peer_run import run_in
from engine.export.targets._speck.mapped import CORES, KI, Layer, Mapped, cores, mapped, plane, run
from engine.export.targets._speck.rules import rules
from engine.program import Program, Source
from nodes.spec import Values

SCRIPT, ARRAYS = "network.py", "arrays.npz"


@target("sinabs", label="sinabs network (Speck, DYNAP-CNN)")
class Sinabs(Target):
    """Convolutions of 8 bits with integrate-and-fire neurons, which sinabs puts on the chip's cores."""

    group: ClassVar[str] = "Hardware"
    software: ClassVar[str] = "sinabs' DynapcnnNetwork"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        return rules(program)

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        return Converted(*mapped(frozen))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        assert isinstance(frozen, Mapped)
        (folder / SCRIPT).write_text(_script(frozen), "utf-8")
        arrays: dict[str, np.ndarray] = {}
        for name, layer in zip(_names(frozen), frozen.layers, strict=True):
            arrays |= {
                f"{name}.weight": layer.kernel.astype(np.int8),
                f"{name}.bias": layer.bias.astype(np.int8),
            }
        np.savez_compressed(folder / ARRAYS, **arrays)  # type: ignore[arg-type]

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Mapped)
        return run(frozen, inputs, steps)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Mapped)
        assert frozen.host is not None
        ((source, signal),) = inputs.items()
        stimulus = whole_numbers(signal, frozen.name(source), "Speck")
        gave = run_in("sinabs", artefact / SCRIPT, {"stimulus": stimulus}, str(steps))
        found = {}
        for name, layer in zip(_names(frozen), frozen.layers, strict=True):
            key = Source(layer.id, "spikes")
            found[key] = gave[name].reshape(steps, *frozen.shape(key))
        everything = decide(frozen.host, found, steps)
        return {source: everything[source] for source in frozen.outputs}

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        assert isinstance(frozen, Mapped)
        needs = [layer.memory for layer in frozen.layers]
        return {
            "neurons": sum(int(np.prod(layer.exit)) for layer in frozen.layers),
            "words of weights": sum(weights for weights, _ in needs),
            "words of neurons": sum(neurons for _, neurons in needs),
            "cores": cores(needs),
        }


def _names(network: Mapped) -> list[str]:
    found: list[str] = []
    for layer in network.layers:
        found.append(unique(identifier(layer.name), found))
    return found


def _script(network: Mapped) -> str:
    names = _names(network)
    lines = [line for name, layer in zip(names, network.layers, strict=True) for line in _lines(name, layer)]
    (shape,) = network.inputs.values()
    return _TEMPLATE.format(
        title=printed(network.program.title),
        dt=network.dt,
        shape=plane(shape),
        names=names,
        cores=[(weights * KI, neurons * KI) for weights, neurons in CORES],
        layers="\n".join(f"        {line}," for line in lines),
    )


def _lines(name: str, layer: Layer) -> list[str]:
    out, into, window, _ = layer.kernel.shape
    moved = f", stride={layer.stride}" * (layer.stride > 1) + f", padding={layer.padding}" * bool(
        layer.padding
    )
    spikes = "" if layer.subtract else ", spike_fn=SingleSpike, reset_fn=MembraneReset()"
    pooled = [f"sl.SumPool2d({layer.pool})"] if layer.pool > 1 else []
    return [
        f"convolution({name!r}, {into}, {out}, {window}{moved})",
        f"neurons({layer.v_th}{spikes})",
        *pooled,
    ]


_TEMPLATE = '''"""{title}: for Speck and DYNAP-CNN, by sinabs.  Written by Myelin Studio.

    python network.py stimulus.npz signals.npz STEPS

A step is {dt:g} ms.  stimulus.npz holds counts of events `stimulus` [steps, *{shape}].
signals.npz gets the spikes [STEPS, channels, height, width] of every layer.
On a board: chip().to("speck2fdevkit"); biases need its slow clock at one tick a step.
"""

import sys
from pathlib import Path

import numpy as np
import sinabs.layers as sl
import torch
from sinabs.activation import MembraneReset, SingleSpike
from sinabs.backend.dynapcnn import DynapcnnNetwork
from sinabs.backend.dynapcnn.mapping import LayerConstraints, get_valid_mapping
from torch import nn

ARRAYS = dict(np.load(Path(__file__).with_name("arrays.npz")))
SHAPE = {shape}
NAMES = {names}
CORES = {cores}  # words of weights and of neurons


def convolution(name, into, out, window, **how):
    """A layer's weights and, where it has them, biases: whole numbers of 8 bits."""
    bias = ARRAYS[name + ".bias"]
    layer = nn.Conv2d(into, out, window, bias=bool(bias.any()), **how)
    layer.weight.data = torch.tensor(ARRAYS[name + ".weight"], dtype=torch.float32)
    if bias.any():
        layer.bias.data = torch.tensor(bias, dtype=torch.float32)
    return layer


def neurons(threshold, **how):
    """Neurons of 16 bits."""
    threshold = torch.tensor(float(threshold))
    return sl.IAFSqueeze(batch_size=1, spike_threshold=threshold, min_v_mem=-32768.0, **how)


def layers():
    """The network."""
    return nn.Sequential(
{layers}
    )


def chip():
    """The network on cores; an error where it fits none."""
    network = DynapcnnNetwork(layers(), input_shape=SHAPE, batch_size=1, discretize=True, dvs_input=False)
    constraints = [LayerConstraints(weights, spikes, 1024) for weights, spikes in CORES]
    get_valid_mapping(network.dynapcnn_layers, constraints)
    return network


def run(stimulus, steps):
    """Spikes [steps, channels, height, width] of every layer by its name."""
    network, found = chip(), {{}}
    for name, layer in zip(NAMES, network.dynapcnn_layers.values()):
        hook = lambda module, given, gave, name=name: found.update({{name: gave}})
        layer.spk_layer.register_forward_hook(hook)
    events = np.zeros((steps, *SHAPE), np.float32)
    events[: len(stimulus)] = np.asarray(stimulus)[:steps].reshape(-1, *SHAPE)
    with torch.no_grad():
        network(torch.tensor(events))
    return {{name: spikes.numpy() for name, spikes in found.items()}}


def main(given, signals, steps):
    """Run a stimulus from a file."""
    np.savez(signals, **run(np.load(given)["stimulus"], int(steps)))


if __name__ == "__main__":
    main(*sys.argv[1:])
'''
