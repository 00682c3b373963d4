"""The text of a PyNN script."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.export.frozen import Frozen, Unit
from engine.export.targets import _readouts as readouts
from engine.export.targets._cells import Cell
from engine.export.targets._names import printed
from engine.export.targets._plan import BIAS, Plan, plan, wire_names
from engine.export.targets._pynn.text import HEAD, MAIN
from engine.export.targets._script import is_wide, number, part_names, signal_key, signal_names
from engine.program import Source

MODELS = {"delta": "sim.IF_curr_delta", "exp": "sim.IF_curr_exp", "izhikevich": "sim.Izhikevich"}
FIXED = 32767.0  # the largest number of SpiNNaker's fixed point (16.15)
MODULES = {"nest": "nest", "neuron": "neuron", "brian2": "brian2", "spinnaker": "spiNNaker"}
_NAMES = {
    "v_rest": "v_rest", "v_reset": "v_reset", "v_th": "v_thresh", "t_ref": "tau_refrac", "tau_m": "tau_m",
}  # fmt: skip


def parameters(cell: Cell, backend: str) -> dict[str, np.ndarray]:
    """PyNN's names; cm in nF is tau_m / 1000, so that a current of 1 pA is 1 of ours."""
    most = FIXED if backend == "spinnaker" else np.inf
    p = {name: np.minimum(value, most) for name, value in cell.p.items()}
    if cell.model == "izhikevich":
        return {name: p[name] for name in ("a", "b", "c", "d")}
    found = {_NAMES[name]: p[name] for name in _NAMES} | {"cm": p["tau_m"] / 1000}
    return found | ({"tau_syn_E": p["tau_syn"], "tau_syn_I": p["tau_syn"]} if cell.model == "exp" else {})


def first(cell: Cell) -> dict[str, np.ndarray]:
    """The state before the first step."""
    return {name: cell.p[f"{name}_init"] for name in (("v", "u") if cell.model == "izhikevich" else ("v",))}


def script(frozen: Frozen, arrays_file: str, backend: str) -> str:
    """The whole script."""
    made, names = plan(frozen), part_names(frozen)
    signals = signal_names(frozen, names)
    shown = {s: f"{signals[s]} {list(frozen.shape(s))}" for s in signals}
    head = HEAD.format(
        title=printed(frozen.program.title) or "A network",
        dt=frozen.dt,
        backend=MODULES[backend],
        inputs=", ".join(shown[s] for s in frozen.inputs) or "none",
        outputs=", ".join(shown[s] for s in frozen.outputs),
        file=arrays_file,
        shift={names[key]: steps for key, steps in made.shift.items()},
    )
    body = [f"    {line}".rstrip() for line in _run(made, names, signals, backend)]
    tail = MAIN.format(backend=MODULES[backend])
    return (
        head + "\n".join([*readouts.functions(frozen, names), "def run(inputs, steps):", *body]) + "\n" + tail
    )


def arrays(frozen: Frozen, backend: str) -> dict[str, np.ndarray]:
    """What lies beside the script."""
    made, names = plan(frozen), part_names(frozen)
    found = readouts.arrays(frozen, names)
    for key, cell in made.cells.items():
        own = {**parameters(cell, backend), **first(cell)}
        found |= {f"{names[key]}.{name}": value for name, value in own.items() if is_wide(value)}
    called = wire_names(made, names)
    for w in made.wires:
        weight = w.weight / 1000 if made.cells[w.target].model == "exp" else w.weight
        own = {"pre": w.pre, "post": w.post, "weight": weight, "delay": w.delay}
        found |= {f"{called[w.name]}.{what}": array for what, array in own.items()}
    return found


def _given(name: str, value: np.ndarray) -> str:
    return repr(name) if is_wide(value) else number(value)


def _run(made: Plan, names: Mapping[str, str], signals: Mapping[Source, str], backend: str) -> list[str]:
    frozen, called = made.frozen, wire_names(made, names)
    longest = max((int(w.delay.max()) for w in made.wires), default=1)
    lines = ['"""Signals [steps, *shape] of every output."""']
    lines += ['more = {"spike_precision": "on_grid"} if sim.__name__ == "pyNN.nest" else {}']
    lines += [f"sim.setup(timestep=DT, min_delay=DT, max_delay={longest + 1} * DT, **more)"]
    for source, shape in frozen.inputs.items():
        size = int(np.prod(shape))
        given = f"inputs.get({signals[source]!r}, np.zeros((0, {size})))"
        lines.append(f"{names[source.op]} = sources({given}, steps, {size})")
    if any(w.source == BIAS for w in made.wires):
        lines.append(
            "bias = sources(np.ones((steps, 1)), steps, 1)  # what is constant: a spike in every step"
        )
    for unit in made.units:
        lines += _cells(unit, made.cells[unit.id], names[unit.id], backend)
    for w in made.wires:
        source_name = "bias" if w.source == BIAS else names[w.source.op]
        lines.append(f"connect({called[w.name]!r}, {source_name}, {names[w.target]})")
    for source in readouts.of_cells(frozen):
        lines.append(f"{names[source.op]}.record({source.port!r})")
    return [*lines, "", *_simulated(made, names), *_collected(made, names, signals)]


def _cells(unit: Unit, cell: Cell, name: str, backend: str) -> list[str]:
    start = "{" + ", ".join(f"{key!r}: {_given(key, value)}" for key, value in first(cell).items()) + "}"
    own = ", ".join(f"{key}={_given(key, value)}" for key, value in parameters(cell, backend).items())
    made = f"{name} = cells({MODELS[cell.model]}, {unit.size}, {name!r}, {start}, {own})"
    lines = [f"# {printed(unit.op.name)}: {unit.op.spec.label}", made]
    if cell.model == "izhikevich":
        lines.append(f"as_published({name}, {number(cell.p['v_th'])})")
    return lines


def _simulated(made: Plan, names: Mapping[str, str]) -> list[str]:
    """The run; cells that do not rest at first begin when their first step does."""
    lines, now = [], 0
    restless = [unit for unit in made.units if made.cells[unit.id].model == "izhikevich"]
    for unit in sorted(restless, key=lambda unit: made.shift[unit.id]):
        begins = made.shift[unit.id] + 2
        if begins > now:
            ahead = "" if now else " - ahead()"
            lines.append(f"sim.run(({begins - now}{ahead}) * DT)")
            now = begins
        start = ", ".join(f"{key}={number(value)}" for key, value in first(made.cells[unit.id]).items())
        lines.append(f"begin({names[unit.id]}, {start})  # its first step is next")
    return [*lines, f"sim.run((steps + {made.latest + 4 + made.shortest - now}) * DT)"]


def _collected(made: Plan, names: Mapping[str, str], signals: Mapping[Source, str]) -> list[str]:
    frozen, lines = made.frozen, ["signals = {}"]
    for source in readouts.of_cells(frozen):
        name, key, shape = names[source.op], signal_key(source, names), frozen.shape(source)
        size = int(np.prod(shape))
        how = "raster" if source.port == "spikes" else "trace"
        what = "" if source.port == "spikes" else f", {source.port!r}"
        lines.append(f"segment = {name}.get_data({source.port!r}).segments[0]")
        lines.append(f"found = {how}(segment, steps, {size}, SHIFT[{name!r}]{what})")
        lines.append(f"signals[{key!r}] = found.reshape({', '.join(map(str, ('steps', *shape)))})")
    own = [signal_key(source, names) for source in frozen.outputs if source in readouts.of_cells(frozen)]
    lines.append("outputs = {" + ", ".join(f"{key!r}: signals[{key!r}]" for key in own) + "}")
    keys = {source: signal_key(source, names) for source in readouts.recorded(frozen)} | dict(signals)
    return [*lines, *readouts.calls(frozen, names, keys), "return outputs"]
