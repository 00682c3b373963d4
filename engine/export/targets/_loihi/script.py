"""The Python source of a Lava network, and its arrays."""

from __future__ import annotations

import networkx as nx
import numpy as np

from engine.export.targets._loihi.deployed import Cells, Deployed, Wires
from engine.export.targets._names import identifier, op_names, printed, signal_names, unique
from engine.program import Source

DENSE = 0.25  # share of synapses from which a matrix is stored whole
GRADED = 24  # bits of a message from outside, which may be a count
_RESERVED = (
    "np sys Path csr_matrix implements requires tag PyOutPort LavaPyType CPU Loihi2SimCfg RunSteps "
    "LoihiProtocol Dense DelayDense Sparse DelaySparse LIF LIFRefractory AbstractPyLifModelFixed Monitor "
    "Receive Send Refractory ARRAYS LATEST projection source population run main stimulus steps last spikes "
    "signals given natural config first firsts name"
)


class Names:
    """``ops`` by id, ``signals`` by source, ``wires`` one for one."""

    def __init__(self, deployed: Deployed) -> None:
        program = deployed.program
        keys = dict.fromkeys([*(c.id for c in deployed.cells), *(s.op for s in deployed.inputs)])
        self.ops = op_names([program.ops[key] for key in keys], _RESERVED.split())
        self.signals = signal_names(deployed, [*deployed.inputs, *deployed.shown])
        taken, self.wires = {*_RESERVED.split(), *self.ops.values()}, []
        for wires in deployed.wires:
            title = "direct" if wires.id == wires.target else program.ops[wires.id].name
            self.wires.append(unique(identifier(title), taken))
            taken.add(self.wires[-1])


def sheets(wires: Wires) -> list[np.ndarray]:
    """The synapses that have a weight, as sets without two of the same pair: indices of each."""
    order = np.lexsort((wires.post, wires.pre))
    order = order[wires.weight[order] != 0]
    pre, post = wires.pre[order], wires.post[order]
    index = np.arange(order.size)
    new = np.ones(order.size, bool)
    new[1:] = (pre[1:] != pre[:-1]) | (post[1:] != post[:-1])
    rank = index - np.maximum.accumulate(np.where(new, index, 0))
    return [order[rank == number] for number in range(int(rank.max(initial=-1)) + 1)]


def arrays(deployed: Deployed) -> dict[str, np.ndarray]:
    """Weights, delays, biases, first potentials and units by ``name.what``."""
    names = Names(deployed)
    found: dict[str, np.ndarray] = {}
    for name, wires in zip(names.wires, deployed.wires, strict=True):
        for number, sheet in enumerate(sheets(wires)):
            found |= {f"{_sheet(name, number)}.{k}": x for k, x in _synapses(wires, sheet).items()}
    for cells in deployed.cells:
        own = {"bias_mant": cells.bias_mant, "bias_exp": cells.bias_exp, "v": cells.first}
        own |= {"per_unit": cells.per_unit, "rest": cells.rest}
        found |= {f"{names.ops[cells.id]}.{what}": array for what, array in own.items()}
    return found


def _sheet(name: str, number: int) -> str:
    return f"{name}_again_{number}" if number else name


def _synapses(wires: Wires, sheet: np.ndarray) -> dict[str, np.ndarray]:
    pre, post, weight, delay = (x[sheet] for x in (wires.pre, wires.post, wires.weight, wires.delay))
    if sheet.size < DENSE * wires.sizes[0] * wires.sizes[1]:
        found = {"post": post.astype(np.int32), "pre": pre.astype(np.int32), "shape": np.array(wires.sizes)}
        return {**found, "weights": weight.astype(np.int16), "delays": delay.astype(np.uint8)}
    weights, delays = np.zeros(wires.sizes, np.int16), np.zeros(wires.sizes, np.uint8)
    weights[post, pre], delays[post, pre] = weight, delay
    return {"weights": weights, "delays": delays}


def script(deployed: Deployed) -> str:
    """The script: it reads a stimulus, runs Lava's bit-accurate model of Loihi, and writes the signals."""
    names = Names(deployed)
    inputs = ", ".join(f"{names.signals[s]} {list(shape)}" for s, shape in deployed.inputs.items()) or "none"
    given = ", ".join(f"{names.signals[s]} {list(deployed.shape(s))}" for s in deployed.shown)
    title = printed(deployed.program.title)
    head = _HEAD.format(title=title, dt=deployed.dt, inputs=inputs, outputs=given, latest=deployed.latest)
    body = [*_sources(deployed, names), *_populations(deployed, names), *_projections(deployed, names)]
    return "\n".join(
        [head, *(f"    {line}" if line else "" for line in [*body, *_read(deployed, names)]), _TAIL]
    )


def _sources(deployed: Deployed, names: Names) -> list[str]:
    lines = ["# inputs"] if deployed.inputs else []
    return lines + [
        f"{names.ops[s.op]} = source(stimulus[{names.signals[s]!r}], last)" for s in deployed.inputs
    ]


def _populations(deployed: Deployed, names: Names) -> list[str]:
    return ["", "# populations", *(_population(cells, names.ops[cells.id]) for cells in deployed.cells)]


def _population(cells: Cells, name: str) -> str:
    held = f", hold={cells.hold}" if cells.hold else ""
    return f"{name} = population({name!r}, {cells.size}, du={cells.du}, dv={cells.dv}, vth={cells.vth}{held})"


def _projections(deployed: Deployed, names: Names) -> list[str]:
    lines = ["", "# projections"]
    for title, wires in zip(names.wires, deployed.wires, strict=True):
        bits = f", bits={GRADED}" if wires.source in deployed.inputs else ""
        exponent = f", exponent={wires.exponent}" if wires.exponent else ""
        for number in range(len(sheets(wires))):
            name = _sheet(title, number)
            lines += [
                f"{name} = projection({name!r}{exponent}{bits})",
                f"{names.ops[wires.source.op]}.s_out.connect({name}.s_in)",
                f"{name}.a_out.connect({names.ops[wires.target]}.a_in)",
            ]
    return lines


def _read(deployed: Deployed, names: Names) -> list[str]:
    sizes = {cells.id: cells.size for cells in deployed.cells}
    lines = ["", "# what is read"]
    for source in deployed.shown:
        name, read = names.ops[source.op], f"read_{names.signals[source]}"
        if source.port == "spikes":
            lines.append(f"{read} = Receive(shape=({sizes[source.op]},), buffer=last)")
            lines.append(f"{name}.s_out.connect({read}.a_in)")
        else:
            lines += [f"{read} = Monitor()", f"{read}.probe({name}.v, last)"]
    models = "exception_proc_model_map={LIFRefractory: Refractory}"
    lines += ["", "# Lava runs what hangs together"]
    lines.append(f"firsts = [{', '.join(_firsts(deployed, names))}]")
    lines += ["for first in firsts:", f"    config = Loihi2SimCfg(select_tag='fixed_pt', {models})"]
    lines += ["    first.run(condition=RunSteps(num_steps=last), run_cfg=config)", "signals = {"]
    lines += [_signal(deployed, names, source) for source in deployed.shown]
    return [*lines, "}", "for first in firsts:", "    first.stop()", "return signals"]


def _firsts(deployed: Deployed, names: Names) -> list[str]:
    """A population of each component of the network."""
    graph = nx.Graph()
    graph.add_nodes_from(cells.id for cells in deployed.cells)
    graph.add_edges_from((wires.source.op, wires.target) for wires in deployed.wires if sheets(wires))
    own = [cells.id for cells in deployed.cells]
    return [names.ops[next(key for key in own if key in part)] for part in nx.connected_components(graph)]


def _signal(deployed: Deployed, names: Names, source: Source) -> str:
    cells = next(cells for cells in deployed.cells if cells.id == source.op)
    name, read = names.ops[cells.id], f"read_{names.signals[source]}"
    raw = f"{read}.data.get().T" if source.port == "spikes" else f"natural({name!r}, {read})"
    when = f"[{cells.late} : {cells.late} + steps]"
    shape = ", ".join(map(str, deployed.shape(source)))
    return f"    {names.signals[source]!r}: {raw}{when}.reshape(steps, {shape}),"


_HEAD = '''"""{title}: for Loihi 2, by Lava.  Written by Myelin Studio.

    python network.py stimulus.npz signals.npz STEPS

A step is {dt:g} ms.  stimulus.npz holds whole numbers [steps, *shape] for: {inputs}.
signals.npz gets [STEPS, *shape] of: {outputs}.
Loihi needs a step for every hop.  What is late by that is put back in time: it runs {latest} steps longer.
On a chip, take Loihi2HwCfg instead of Loihi2SimCfg, and adapters for input and output.
"""

import sys
from pathlib import Path

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.process import Dense, DelayDense
from lava.proc.io.sink import RingBuffer as Receive
from lava.proc.io.source import RingBuffer as Send
from lava.proc.lif.models import AbstractPyLifModelFixed
from lava.proc.lif.process import LIF, LIFRefractory
from lava.proc.monitor.process import Monitor
from lava.proc.sparse.process import DelaySparse, Sparse
from scipy.sparse import csr_matrix

ARRAYS = dict(np.load(Path(__file__).with_name("arrays.npz")))
LATEST = {latest}  # steps


@implements(proc=LIFRefractory, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class Refractory(AbstractPyLifModelFixed):
    """Lava's bit-accurate LIF, held after a spike; Lava itself has that in floating point only."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    vth: int = LavaPyType(int, np.int32, precision=17)
    refractory_period_end: np.ndarray = LavaPyType(np.ndarray, int)

    def scale_threshold(self):
        self.isthrscaled = True

    def spiking_activation(self):
        return self.v > (self.vth << self.vth_shift)

    def subthr_dynamics(self, activation_in):
        held, before = self.refractory_period_end >= self.time_step, self.v.copy()
        super().subthr_dynamics(activation_in)
        self.v[held] = before[held]

    def reset_voltage(self, spike_vector):
        super().reset_voltage(spike_vector)
        self.refractory_period_end[spike_vector] = self.time_step + self.proc_params["refractory_period"]


def source(signal, last):
    """What arrives from outside, zero after its end."""
    flat = np.asarray(signal).reshape(len(signal), -1)[:last]
    data = np.zeros((flat.shape[1], last), np.int32)
    data[:, : len(flat)] = flat.T
    return Send(data=data)


def population(name, size, hold=0, **numbers):
    """Neurons with their biases and first potentials."""
    own = dict((what, ARRAYS[name + "." + what]) for what in ("bias_mant", "bias_exp", "v"))
    if hold:
        return LIFRefractory(shape=(size,), refractory_period=hold, **numbers, **own)
    return LIF(shape=(size,), **numbers, **own)


def projection(name, exponent=0, bits=0):
    """Synapses, whole or sparse, with delays besides the step of the hop where there are any."""
    weights, delays = (ARRAYS[name + what].astype(int) for what in (".weights", ".delays"))
    delayed, own = delays.any(), dict(weight_exp=exponent, num_message_bits=bits)
    if name + ".post" in ARRAYS:
        where, shape = (ARRAYS[name + ".post"], ARRAYS[name + ".pre"]), ARRAYS[name + ".shape"].tolist()
        weights, delays = (csr_matrix((values, where), shape) for values in (weights, delays))
        if delayed:
            return DelaySparse(weights=weights, delays=delays, **own)
        return Sparse(weights=weights, **own)
    return DelayDense(weights=weights, delays=delays, **own) if delayed else Dense(weights=weights, **own)


def natural(name, monitor):
    """Potentials [time, size] in the unit in which they were drawn."""
    (recorded,) = monitor.get_data().values()
    v = np.asarray(recorded["v"], float) / ARRAYS[name + ".per_unit"] + ARRAYS[name + ".rest"]
    return v.astype(np.float32)


def run(stimulus, steps):
    """Signals [steps, *shape] by name."""
    last = steps + LATEST
'''

_TAIL = '''

def main(given, signals, steps):
    """Run a stimulus from a file."""
    np.savez(signals, **run(np.load(given), int(steps)))


if __name__ == "__main__":
    main(*sys.argv[1:])
'''
