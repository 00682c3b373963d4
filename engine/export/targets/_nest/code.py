"""The text of a PyNEST script."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.export.frozen import Frozen, Unit
from engine.export.targets import _readouts as readouts
from engine.export.targets._cells import Cell
from engine.export.targets._names import printed
from engine.export.targets._nest.text import HEAD
from engine.export.targets._plan import BIAS, Plan, plan, wire_names
from engine.export.targets._script import MAIN, is_wide, number, part_names, signal_key, signal_names
from engine.program import Source

MODELS = {"delta": "iaf_psc_delta", "exp": "iaf_psc_exp", "izhikevich": "izhikevich"}
RECORDED = {"v": "V_m", "u": "U_m"}
_NAMES = {"v_rest": "E_L", "v_reset": "V_reset", "v_th": "V_th", "t_ref": "t_ref", "tau_m": "tau_m"}


def parameters(cell: Cell) -> dict[str, np.ndarray]:
    """NEST's own names; C_m is tau_m in number, so that currents in pA are those that we count in."""
    p = cell.p
    if cell.model == "izhikevich":
        own = {name: p[name] for name in ("a", "b", "c", "d")}
        return own | {"V_th": p["v_th"], "V_m": p["v_init"], "U_m": p["u_init"]}
    found = {_NAMES[name]: p[name] for name in _NAMES} | {"C_m": p["tau_m"], "V_m": p["v_init"]}
    if cell.model == "exp":
        found |= {"tau_syn_ex": p["tau_syn"], "tau_syn_in": p["tau_syn"]}
    return found


def script(frozen: Frozen, arrays_file: str) -> str:
    """The whole script."""
    made, names = plan(frozen), part_names(frozen)
    signals = signal_names(frozen, names)
    shown = {s: f"{signals[s]} {list(frozen.shape(s))}" for s in signals}
    head = HEAD.format(
        title=printed(frozen.program.title) or "A network",
        dt=frozen.dt,
        inputs=", ".join(shown[s] for s in frozen.inputs) or "none",
        outputs=", ".join(shown[s] for s in frozen.outputs),
        file=arrays_file,
        shift={names[key]: steps for key, steps in made.shift.items()},
    )
    body = [f"    {line}".rstrip() for line in _run(made, names, signals)]
    return (
        head + "\n".join([*readouts.functions(frozen, names), "def run(inputs, steps):", *body]) + "\n" + MAIN
    )


def arrays(frozen: Frozen) -> dict[str, np.ndarray]:
    """What lies beside the script."""
    made, names = plan(frozen), part_names(frozen)
    found = readouts.arrays(frozen, names)
    for key, cell in made.cells.items():
        found |= {f"{names[key]}.{name}": value for name, value in parameters(cell).items() if is_wide(value)}
    called = wire_names(made, names)
    for w in made.wires:
        own = {"pre": w.pre, "post": w.post, "weight": w.weight, "delay": w.delay}
        found |= {f"{called[w.name]}.{what}": array for what, array in own.items()}
    return found


def _run(made: Plan, names: Mapping[str, str], signals: Mapping[Source, str]) -> list[str]:
    frozen, called = made.frozen, wire_names(made, names)
    lines = [
        '"""Signals [steps, *shape] of every output."""',
        "nest.ResetKernel()",
        "nest.verbosity = nest.VerbosityLevel.ERROR",
        "nest.resolution = DT",
    ]
    for source, shape in frozen.inputs.items():
        size = int(np.prod(shape))
        given = f"inputs.get({signals[source]!r}, np.zeros((0, {size})))"
        lines.append(f"{names[source.op]} = generators({given}, steps, {size})")
    if any(w.source == BIAS for w in made.wires):
        lines.append(
            "bias = generators(np.ones((steps, 1)), steps, 1)  # what is constant: a spike in every step"
        )
    for unit in made.units:
        lines += _cells(unit, made.cells[unit.id], names[unit.id])
    for w in made.wires:
        sender = "bias" if w.source == BIAS else names[w.source.op]
        lines.append(f"connect({called[w.name]!r}, {sender}, {names[w.target]})")
    return [*lines, "", *_recorders(made, names), *_simulated(made, names), *_collected(made, names, signals)]


def _cells(unit: Unit, cell: Cell, name: str) -> list[str]:
    own = {key: repr(key) if is_wide(value) else number(value) for key, value in parameters(cell).items()}
    given = ", ".join(f"{key}={value}" for key, value in own.items())
    more = ", consistent_integration=False" if cell.model == "izhikevich" else ""
    return [
        f"# {printed(unit.op.name)}: {unit.op.spec.label}",
        f'{name} = cells("{MODELS[cell.model]}", {unit.size}, {name!r}, {given}{more})',
    ]


def _recorders(made: Plan, names: Mapping[str, str]) -> list[str]:
    lines = ["recorders = {"]
    for source in readouts.of_cells(made.frozen):
        device = (
            '"spike_recorder"'
            if source.port == "spikes"
            else f'"multimeter", params={{"interval": DT, "record_from": ["{RECORDED[source.port]}"]}}'
        )
        lines.append(f"    {signal_key(source, names)!r}: nest.Create({device}),")
    lines.append("}")
    for source in readouts.of_cells(made.frozen):
        ends = (names[source.op], f"recorders[{signal_key(source, names)!r}]")
        lines.append(f"nest.Connect({', '.join(ends if source.port == 'spikes' else ends[::-1])})")
    return lines


def _simulated(made: Plan, names: Mapping[str, str]) -> list[str]:
    """The run; cells that do not rest at first begin when their first step does."""
    lines, now = [], 0
    restless = [unit for unit in made.units if made.cells[unit.id].model == "izhikevich"]
    for unit in sorted(restless, key=lambda unit: made.shift[unit.id]):
        begins = made.shift[unit.id] + 1
        if begins > now:
            lines.append(f"nest.Simulate({begins - now} * DT)")
            now = begins
        own = parameters(made.cells[unit.id])
        first = ", ".join(f"{key}={number(own[key])}" for key in ("V_m", "U_m"))
        lines.append(f"{names[unit.id]}.set({first})  # its first state, now that its first step begins")
    return [*lines, f"nest.Simulate((steps + {made.latest + 3 + made.shortest - now}) * DT)", ""]


def _collected(made: Plan, names: Mapping[str, str], signals: Mapping[Source, str]) -> list[str]:
    frozen, lines = made.frozen, ["signals = {}"]
    for source in readouts.of_cells(made.frozen):
        name, key = names[source.op], signal_key(source, names)
        how = "raster" if source.port == "spikes" else "trace"
        more = "" if source.port == "spikes" else f', "{RECORDED[source.port]}"'
        shape = ", ".join(map(str, ("steps", *frozen.shape(source))))
        lines.append(f"found = {how}(recorders[{key!r}], {name}, steps, SHIFT[{name!r}]{more})")
        lines.append(f"signals[{key!r}] = found.reshape({shape})")
    own = [signal_key(source, names) for source in frozen.outputs if source in readouts.of_cells(made.frozen)]
    lines.append("outputs = {" + ", ".join(f"{key!r}: signals[{key!r}]" for key in own) + "}")
    keys = {source: signal_key(source, names) for source in readouts.recorded(frozen)} | dict(signals)
    return [*lines, *readouts.calls(frozen, names, keys), "return outputs"]
