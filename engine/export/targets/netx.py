"""lava-dl: a network as the HDF5 file that lava-dl's netx reads and runs on Loihi 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import h5py
import networkx as nx
import numpy as np

from engine.compile.diagnostics import Diagnostic
from engine.errors import MyelinError
from engine.export.freeze import outside_of
from engine.export.frozen import Frozen
from engine.export.simulate import Signals
from engine.export.target import Converted, Target, target
from engine.export.targets._lif import counted, decide, refractory, whole_numbers
from engine.export.targets._loihi.deployed import Cells, Deployed, Wires, deploy
from engine.export.targets._loihi.rules import CHAIN, HELD, NEURON, rules
from engine.export.targets._loihi.run import natural, run
from engine.export.targets._peer_run import run_in
from engine.export.writing import hdf5
from engine.program import Program, Source
from nodes.spec import Values


@target("netx", label="lava-dl network (Loihi 2)")
class Netx(Target):
    """A chain of dense layers with delays, in the file format that lava-dl exchanges networks in."""

    group: ClassVar[str] = "Hardware"
    software: ClassVar[str] = "lava-dl's netx on Lava's bit-accurate model of Loihi"
    file: ClassVar[str] = ".net"

    def check(self, program: Program, options: Values) -> list[Diagnostic]:
        found = [problem for problem in rules(program) if problem.code != HELD.code]
        return [*found, *_plain(program), *_branches(program)]

    def convert(self, frozen: Frozen, options: Values) -> Converted:
        return Converted(*deploy(frozen, exponents=False))

    def write(self, frozen: Frozen, folder: Path, options: Values) -> None:
        assert isinstance(frozen, Deployed)
        layers = _layers(frozen)
        with hdf5(folder / f"network{self.file}") as file:
            file.attrs["title"] = frozen.program.title.replace("\0", "")  # which HDF5 takes for the end
            file.attrs["dt_ms"] = frozen.dt
            group = file.create_group("layer")
            _input(group.create_group("0"), layers[0][0].sizes[1])
            for number, (wires, cells) in enumerate(layers, 1):
                _dense(group.create_group(str(number)), wires, cells)

    def predict(
        self, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Deployed)
        return run(frozen, inputs, steps)

    def execute(
        self, artefact: Path, frozen: Frozen, inputs: Mapping[Source, np.ndarray], steps: int, options: Values
    ) -> Signals:
        assert isinstance(frozen, Deployed) and frozen.host is not None
        ((source, signal),) = inputs.items()
        stimulus = whole_numbers(signal, frozen.name(source), "Loihi").reshape(len(signal), -1)
        last = steps + frozen.latest
        gave = run_in("lava", _RUNNER, {"stimulus": stimulus}, str(artefact), str(last))
        order = [cells.id for _, cells in _layers(frozen)]
        shown = {}
        for s in frozen.shown:
            what = "spikes" if s.port == "spikes" else "v"
            shown[s] = natural(frozen, s, gave[f"{what}_{order.index(s.op)}"], steps)
        everything = decide(frozen.host, shown, steps)
        return {source: everything[source] for source in frozen.outputs}


def _plain(program: Program) -> Iterator[Diagnostic]:
    """What Lava's processes have and netx has not."""
    for op in program.of_role("population"):
        if refractory(op, program.dt):
            words = f"'{op.name}' is refractory, which netx leaves out"
            yield NEURON((op.id,), words, "refractory", "set it to 0, or export a Lava script")
        if op.p.get("v_leak") and op.p.get("reset") == "zero":
            words = (
                f"'{op.name}' begins at {op.p.v_leak:g} and resets to 0; in netx it begins where it resets"
            )
            yield NEURON((op.id,), words, "v_leak", "reset to the value v_leak")


def _branches(program: Program) -> Iterator[Diagnostic]:
    """Populations that do not lie on one chain behind one input."""
    graph = nx.DiGraph()
    for op in program.ops.values():
        if op.role not in ("readout", "loss", "probe"):
            graph.add_edges_from((s.op, op.id) for group in op.inputs.values() for s in group)
    outside = outside_of(program)
    for op in program.of_role("population"):
        if op.id in outside:
            continue
        fed = list(graph.predecessors(op.id)) if op.id in graph else []
        sent = list(graph.successors(op.id)) if op.id in graph else []
        if len(fed) != 1 or len(sent) > 1:
            counts = f"{counted(len(fed), 'node')} before and {counted(len(sent), 'node')} after it"
            words = f"'{op.name}' has {counts}; a file for lava-dl is one chain"
            yield CHAIN((op.id,), words, hint="export a Lava script instead")
        elif program.ops[fed[0]].role == "encoder" and not any(program.ops[fed[0]].inputs.values()):
            words = f"'{op.name}' is driven by a constant alone; a chain for lava-dl begins with an input"
            yield CHAIN((op.id,), words, hint="export a Lava script instead")


def _layers(deployed: Deployed) -> list[tuple[Wires, Cells]]:
    """The chain from the input on; MyelinError where the network is none."""
    by_source = {wires.source.op: wires for wires in deployed.wires}
    cells = {one.id: one for one in deployed.cells}
    chain: list[tuple[Wires, Cells]] = []
    at = next(iter(deployed.inputs), Source("", "")).op
    while at in by_source:
        wires = by_source.pop(at)
        chain.append((wires, cells[wires.target]))
        at = wires.target
    if (
        not chain
        or len(chain) != len(deployed.wires)
        or len(chain) != len(cells)
        or len(deployed.inputs) != 1
    ):
        raise MyelinError(
            "lava-dl takes one input and one chain of populations: export a Lava script instead"
        )
    return chain


def _input(group: h5py.Group, size: int) -> None:
    _typed(group, "input")
    group["shape"] = np.array([size])  # without a neuron netx takes what arrives as it is, counts, too


def _dense(group: h5py.Group, wires: Wires, cells: Cells) -> None:
    _typed(group, "dense")
    targets, sources = wires.sizes
    weights, delays = np.zeros(wires.sizes, np.int32), np.zeros(wires.sizes, np.int32)
    np.add.at(weights, (wires.post, wires.pre), wires.weight)
    delays[wires.post, wires.pre] = wires.delay
    if not weights.any() or len(np.unique(wires.post * sources + wires.pre)) != wires.pre.size:
        raise MyelinError(
            "a projection without weights, or with several synapses of a pair, has no place in lava-dl"
        )
    group["shape"] = np.array([targets])
    group["inFeatures"], group["outFeatures"] = sources, targets
    group["weight"] = weights
    if delays.any():
        group["delay"] = delays
    if cells.bias_mant.any():
        group["bias"] = cells.bias_mant.astype(np.int32)
    _neuron(group, cells.du + 1, cells.dv, cells.vth)


def _typed(group: h5py.Group, kind: str) -> None:
    group["type"] = np.array([kind], dtype="S10")


def _neuron(group: h5py.Group, current_decay: int, voltage_decay: int, threshold: int) -> None:
    neuron = group.create_group("neuron")
    _typed(neuron, "LOIHI")
    neuron["iDecay"], neuron["vDecay"], neuron["vThMant"] = current_decay, voltage_decay, threshold
    neuron["refDelay"], neuron["gradedSpike"] = 1, 0


_RUNNER = '''"""Run a netx file: spikes and v of every layer."""
import sys
import numpy as np
from lava.lib.dl import netx
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Receive
from lava.proc.io.source import RingBuffer as Send
from lava.proc.monitor.process import Monitor

given, outputs, path, last = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
stimulus = np.load(given)["stimulus"][:last]
data = np.zeros((stimulus.shape[1], last), np.int32)
data[:, : len(stimulus)] = stimulus.T
net = netx.hdf5.Network(net_config=path, input_message_bits=24)
source = Send(data=data)
source.s_out.connect(net.inp)
sinks, monitors = [], []
for layer in net.layers:
    sinks.append(Receive(shape=layer.neuron.s_out.shape, buffer=last))
    layer.out.connect(sinks[-1].a_in)
    monitors.append(Monitor())
    monitors[-1].probe(layer.neuron.v, last)
net.run(condition=RunSteps(num_steps=last), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
found = {}
for number, (sink, monitor) in enumerate(zip(sinks, monitors)):
    found[f"spikes_{number}"] = sink.data.get().T
    (recorded,) = monitor.get_data().values()
    found[f"v_{number}"] = np.asarray(recorded["v"])
net.stop()
np.savez(outputs, **found)
'''
