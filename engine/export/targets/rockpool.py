"""Rockpool: the specification of a network for Xylo, with a script that runs it in XyloSim."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.compile.diagnostics import Diagnostic
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Converted, Target, target
from engine.export.targets._names import printed
from engine.export.targets._peer_run import run_in
from engine.export.targets._xylo.rules import CHIPS, rules
from engine.export.targets._xylo.run import run, signals, stimulus
from engine.export.targets._xylo.specified import Specified, specify
from engine.program import Program, Source
from nodes.spec import Param, Values

SCRIPT, ARRAYS = "network.py", "specification.npz"


@target("rockpool", label="Rockpool specification (Xylo)")
class Rockpool(Target):
    """Weights, shifts, thresholds and decays as Rockpool puts them on Xylo, checked by its design rules."""

    group: ClassVar[str] = "Hardware"
    software: ClassVar[str] = "Rockpool's XyloSim"
    options: ClassVar[dict[str, Param]] = {
        "chip": Param("audio2", choices=tuple(CHIPS), doc="Xylo Audio 2 or 3, which differ in size")
    }

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        return rules(program, CHIPS[options.chip])

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        return Converted(*specify(frozen))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        assert isinstance(frozen, Specified)
        title = printed(frozen.program.title)
        inputs = ", ".join(f"{printed(frozen.name(s))} {list(shape)}" for s, shape in frozen.inputs.items())
        text = _TEMPLATE.format(title=title, dt=frozen.dt, chip=CHIPS[options.chip].name, inputs=inputs)
        (folder / SCRIPT).write_text(text, "utf-8")
        np.savez_compressed(folder / ARRAYS, **_arrays(frozen))  # type: ignore[arg-type]

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Specified)
        return run(frozen, inputs, steps)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Specified)
        assert frozen.late is not None
        events = stimulus(frozen, inputs, steps + max(frozen.late.values(), default=0))
        gave = run_in("rockpool", artefact / SCRIPT, {"events": events})
        return signals(frozen, gave["hidden"], gave["readout"], gave["v"], steps)

    def figures(self, artefact: Path, frozen: Frozen, options: Values) -> dict[str, Any]:
        assert isinstance(frozen, Specified)
        layers = [layer for layer in (frozen.hidden, frozen.readout) if layer]
        weights = [matrix for layer in layers for matrix in layer.weights]
        return {
            "hidden neurons": len(layers[0].threshold),
            "readout neurons": len(layers[1].threshold),
            "synapses": sum(int(np.count_nonzero(matrix)) for matrix in weights),
        }


def _arrays(network: Specified) -> dict[str, np.ndarray]:
    """The specification by the names of XyloSim.from_specification; ``per_unit``: what its v stand for."""
    hidden, readout = network.hidden, network.readout
    assert hidden is not None
    assert readout is not None
    arrays = {
        "weights_in": hidden.weights[0].astype(np.int8),
        "weights_rec": hidden.weights[1].astype(np.int8),
        "weights_out": readout.weights[0].astype(np.int8),
        "weight_shift_in": np.array(hidden.shifts[0]),
        "weight_shift_rec": np.array(hidden.shifts[1]),
        "weight_shift_out": np.array(readout.shifts[0]),
    }
    for layer, end in ((hidden, ""), (readout, "_out")):
        arrays |= {f"threshold{end}": layer.threshold, f"bias{end}": layer.bias}
        arrays |= {f"dash_syn{end}": layer.dash_syn, f"dash_mem{end}": layer.dash_mem}
    return {**arrays, "per_unit": readout.per_unit}


_TEMPLATE = '''"""{title}: for {chip}, by Rockpool.  Written by Myelin Studio.

    python network.py stimulus.npz signals.npz

A step is {dt:g} ms.  stimulus.npz holds `events` [steps, channels], at most 15 each, of {inputs}.
signals.npz gets the spikes of the `hidden` and `readout` neurons and `v` of the readouts, [steps, neurons].
On a chip: config_from_specification(**specification()).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from rockpool.devices.xylo.syns61201 import XyloSim, mapper
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFTorch, LinearTorch

DT = {dt!r} * 1e-3  # s


def specification():
    """What describes the network to Xylo."""
    with np.load(Path(__file__).with_name("specification.npz")) as stored:
        found = {{name: stored[name] for name in stored if name != "per_unit"}}
    return {{name: int(array) if array.ndim == 0 else array.astype(int) for name, array in found.items()}}


def neurons(spec, end, recurrent):
    """A layer as Rockpool has it, with the time constants that its mapper turns into these shifts."""
    size, tensor = len(spec["threshold" + end]), lambda array: torch.tensor(array, dtype=torch.float32)
    layer = LIFTorch(size, has_rec=recurrent, dt=DT, noise_std=0.0)
    layer.tau_mem.data = tensor(DT * 2.0 ** spec["dash_mem" + end])
    layer.tau_syn.data = tensor(DT * 2.0 ** spec["dash_syn" + end]).reshape(layer.tau_syn.shape)
    layer.threshold.data, layer.bias.data = tensor(spec["threshold" + end]), tensor(spec["bias" + end])
    if recurrent:
        layer.w_rec.data = tensor(spec["weights_rec"])
    return layer


def weights(matrix):
    """Weights as Rockpool has them."""
    layer = LinearTorch(matrix.shape, has_bias=False)
    layer.weight.data = torch.tensor(matrix, dtype=torch.float32)
    return layer


def check_design_rules(spec):
    """Let Rockpool's mapper place the network: an error where it breaks a rule, or comes out otherwise."""
    hidden, readout = neurons(spec, "", True), neurons(spec, "_out", False)
    network = Sequential(weights(spec["weights_in"]), hidden, weights(spec["weights_out"]), readout)
    sizes = dict(max_hidden_neurons=len(spec["threshold"]), max_output_neurons=len(spec["threshold_out"]))
    kinds = dict(weight_dtype="float", threshold_dtype="float", dash_dtype="float")
    mapped = mapper(network.as_graph(), **kinds, **sizes)
    for name, array in spec.items():
        if isinstance(array, np.ndarray) and not np.allclose(mapped[name], array, rtol=1e-4):
            raise ValueError("Rockpool's mapper has other " + name)


def run(events):
    """Spikes and potentials [steps, neurons]."""
    spec = specification()
    check_design_rules(spec)
    readout, _, recorded = XyloSim.from_specification(**spec, dt=DT)(np.asarray(events, int), record=True)
    found = dict(hidden=recorded["Spikes"], readout=readout, v=recorded["Vmem_out"])
    return {{name: np.asarray(array).reshape(len(events), -1) for name, array in found.items()}}


def main(given, signals):
    """Run a stimulus from a file."""
    np.savez(signals, **run(np.load(given)["events"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
'''
