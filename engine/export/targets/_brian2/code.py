"""The text of a Brian2 script."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.codegen.expr import Call, Expr, Symbol
from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.targets import _readouts as readouts
from engine.export.targets._brian2.text import HEAD
from engine.export.targets._names import printed
from engine.export.targets._script import (
    ADD,
    ATOM,
    MAIN,
    NEG,
    OR,
    Form,
    binary,
    identifiers,
    part_names,
    sigmoid,
    signal_names,
    step_lines,
    symbol_names,
)
from engine.program import Op, Source

# names that Brian2 keeps for itself, as variables, constants or functions
_TAKEN = {
    "i", "j", "N", "t", "dt", "t_in_timesteps", "xi", "e", "pi", "inf", "lastspike", "not_refractory", "w",
    "delay", "clip", "exp", "log", "sqrt", "abs", "tanh", "floor", "int", "rand", "randn", "sign", "sum",
}  # fmt: skip


def script(frozen: Frozen, arrays_file: str, codegen: str) -> str:
    """The whole script."""
    names = part_names(frozen)
    signals = signal_names(frozen, names)
    shown = {s: f"{signals[s]} {list(frozen.shape(s))}" for s in signals}
    head = HEAD.format(
        title=printed(frozen.program.title) or "A network",
        dt=frozen.dt,
        inputs=", ".join(shown[s] for s in frozen.inputs) or "none",
        outputs=", ".join(shown[s] for s in frozen.outputs),
        codegen=codegen,
        file=arrays_file,
    )
    lines = _Script(frozen).lines()
    return head + "\n".join([*readouts.functions(frozen, names), *lines]) + "\n" + MAIN


def arrays(frozen: Frozen) -> dict[str, np.ndarray]:
    """What lies beside the script."""
    names = part_names(frozen)
    found = readouts.arrays(frozen, names)
    late = {unit.id for unit in readouts.readouts(frozen)}
    for unit in frozen.units:
        for name, value in {**unit.first, **_wide(unit)}.items() if unit.id not in late else ():
            found[f"{names[unit.id]}.{name}"] = np.asarray(value, np.float64).ravel()
    for synapses in frozen.synapses:
        own = {"pre": synapses.pre, "post": synapses.post, "delay": synapses.delay}
        own["weight"] = synapses.weight.astype(np.float64)
        own |= {n: a for n, a in (("offset", synapses.offset), ("onset", synapses.onset)) if a is not None}
        found |= {f"{names[synapses.id]}.{name}": array for name, array in own.items()}
    return found


def _wide(unit: Unit) -> dict[str, np.ndarray]:
    """Values that differ between neurons."""
    return {name: value for name, value in unit.values.items() if np.ndim(value)}


@dataclass(frozen=True)
class _Arrival:
    """Current of a projection on its way into a port of a unit: ``name`` is the variable that collects it."""

    synapses: Synapses
    unit: Unit
    port: str
    name: str


class _Script:
    """Writes the function ``run``.  ``place``: the order of a part within a step."""

    def __init__(self, frozen: Frozen) -> None:
        self.frozen = frozen
        self.names = part_names(frozen)
        self.signals = signal_names(frozen, self.names)
        late = {unit.id for unit in readouts.readouts(frozen)}
        self.units = [unit for unit in frozen.units if unit.id not in late]
        self.place = {part.id: 10 * (number + 1) for number, part in enumerate(frozen.parts)}
        self.arrivals = [found for unit in self.units for found in self._arrivals(unit)]
        self.symbols = {unit.id: symbol_names(unit, self._taken(unit)) for unit in self.units}
        self.ports = {unit.id: self._port_names(unit) for unit in self.units}
        self.history = self._history()
        self.made: list[str] = []  # names of the synapses written so far

    def _taken(self, unit: Unit) -> set[str]:
        return {*_TAKEN, *(found.name for found in self.arrivals if found.unit is unit)}

    def _arrivals(self, unit: Unit) -> list[_Arrival]:
        own = [
            (part, port)
            for port, sources in unit.inputs.items()
            for source in sources
            if isinstance(part := self.frozen.by_id.get(source.op), Synapses)
        ]
        return [_Arrival(part, unit, port, f"from_{self.names[part.id]}") for part, port in own]

    def _port_names(self, unit: Unit) -> dict[str, str]:
        """What the outputs of a unit are called: an output that is a state variable goes by its name."""
        symbols, state = self.symbols[unit.id], unit.traced.state
        known = {expr: symbols[state[name]] for name, expr in unit.traced.new_state.items()}
        taken = {*symbols.values(), *self._taken(unit)}
        fresh = {port: port if port not in taken else f"{port}_out" for port in unit.traced.outputs}
        return {port: known.get(expr, fresh[port]) for port, expr in unit.traced.outputs.items()}

    def _history(self) -> dict[Source, int]:
        """For graded signals of the network, how many steps back a projection reads them."""
        found: dict[Source, int] = {}
        for synapses in self.frozen.synapses:
            for source in synapses.inputs:
                if source not in self.frozen.inputs and not binary(
                    self.frozen.by_id[source.op].op, source.port
                ):
                    steps = synapses.longest - self._ahead(synapses, source)
                    found[source] = max(found.get(source, 0), steps)
        return found

    def _ahead(self, synapses: Synapses, source: Source) -> int:
        """1 where a projection runs before its source, and so sees what that gave in the step before."""
        return int(source.op in self.place and self.place[source.op] > self.place[synapses.id])

    def lines(self) -> list[str]:
        """The function as lines of text: groups, then what joins them."""
        body = ["defaultclock.dt = DT", *self._inputs()]
        for unit in self.units:
            body += self._unit(unit)
        for synapses in self.frozen.synapses:
            body += self._synapses(synapses)
        doc = '"""Signals [steps, *shape] of every output."""'
        return ["def run(inputs, steps):", *(f"    {line}".rstrip() for line in [doc, *body, *self._run()])]

    def _inputs(self) -> list[str]:
        lines = [] if not self.frozen.inputs else ["", "# what arrives from outside"]
        for source, shape in self.frozen.inputs.items():
            name, size = self.names[source.op], int(np.prod(shape))
            lines += [
                f"given = inputs.get({self.signals[source]!r}, np.zeros((0, {size}))).astype(float)[:steps]",
                f"data = np.zeros((steps + 1, {size}))",
                f"data[: len(given)] = given.reshape(-1, {size})",
                f"{name}_values = TimedArray(data, dt=DT)",
                "time, index = np.nonzero(data)",
                f'{name}_spikes = SpikeGeneratorGroup({size}, index, time * DT, when="groups", order=0)',
            ]
        return lines

    def _unit(self, unit: Unit) -> list[str]:
        name, symbols, place = self.names[unit.id], self.symbols[unit.id], self.place[unit.id]
        states = {symbols[symbol]: key for key, symbol in unit.traced.state.items()}
        wide = {
            text: s.name for s, text in symbols.items() if isinstance(s, Symbol) and s.name in _wide(unit)
        }
        outputs = [text for text in self.ports[unit.id].values() if text not in states]
        declared = [*states, *outputs, *self._collectors(unit), *self._past(unit)]
        model = [f"{text} : 1" for text in dict.fromkeys(declared)]
        model += [f"{text} : 1 (constant)" for text in wide]
        model += [f"{text} : 1 (constant)" for text in self._offsets(unit)]
        model += [f"{text} : 1 (linked)" for text in self._linked(unit)]
        events = self._events(unit)
        given = ", ".join([f"name={name!r}", *events.values(), f"namespace={self._namespace(unit)}"])
        lines = ["", *_about(unit), f'{name} = NeuronGroup({unit.size}, """']
        lines += [*(f"    {line}" for line in model), f'""", {given})']
        lines += [f"{name}.{text} = ARRAYS[{f'{name}.{key}'!r}]" for text, key in {**states, **wide}.items()]
        lines += [f"{name}.{text} = ARRAYS[{key!r}]" for text, key in self._offsets(unit).items()]
        lines += [
            f"{name}.{text} = linked_var({group}, {other!r})"
            for text, (group, other) in self._linked(unit).items()
        ]
        lines += [f'{name}.run_regularly("""', *(f"    {line}" for line in self._step(unit))]
        lines += [f'""", when="groups", order={place})']
        return [*lines, f"fires({name}, {place + 1})"] if events else lines

    def _events(self, unit: Unit) -> dict[str, str]:
        """Events of a group as arguments: its spikes, and `always` where a value is sent each step."""
        spikes = self.ports[unit.id].get("spikes")
        found = {"spike": f'threshold="{spikes} > 0.5"'} if spikes else {}
        if any(source.op == unit.id for source in self.history):
            found["always"] = 'events={"always": "i >= 0"}'
        return found

    def _collectors(self, unit: Unit) -> list[str]:
        return [found.name for found in self.arrivals if found.unit is unit]

    def _offsets(self, unit: Unit) -> dict[str, str]:
        """Variables with the bias of projections and when it sets in: name -> key of the array."""
        return {
            f"{found.name}_{what}": f"{self.names[found.synapses.id]}.{what}"
            for found in self.arrivals
            if found.unit is unit
            for what in ("offset", "onset")
            if getattr(found.synapses, what) is not None
        }

    def _past(self, unit: Unit) -> list[str]:
        ports = self.ports[unit.id]
        own = {ports[source.port]: steps for source, steps in self.history.items() if source.op == unit.id}
        return [f"{text}_{back}" for text, steps in own.items() for back in range(1, steps + 1)]

    def _linked(self, unit: Unit) -> dict[str, tuple[str, str]]:
        """Variables that are those of other groups: name -> (group, its variable)."""
        found = {}
        for source in unit.sources:
            part = self.frozen.by_id.get(source.op)
            if isinstance(part, Unit):
                found[self._heard(source)] = (self.names[part.id], self.ports[part.id][source.port])
        return found

    def _heard(self, source: Source) -> str:
        return f"{source.port}_of_{self.names[source.op]}"

    def _namespace(self, unit: Unit) -> str:
        data = [self.names[source.op] for source in unit.sources if source in self.frozen.inputs]
        own = {
            text: unit.values[symbol.name]
            for symbol, text in self.symbols[unit.id].items()
            if isinstance(symbol, Symbol) and not np.ndim(unit.values.get(symbol.name, [0]))
        }
        items = [f"'{name}_values': {name}_values" for name in data]
        return "{" + ", ".join(items + [f"{name!r}: {float(value)!r}" for name, value in own.items()]) + "}"

    def _step(self, unit: Unit) -> list[str]:
        """Collect what arrived, do the step, empty the collectors."""
        symbols, ports = self.symbols[unit.id], self.ports[unit.id]
        lines = []
        for source, steps in self.history.items():
            if source.op == unit.id:
                text = ports[source.port]
                lines += [f"{text}_{back} = {text}_{back - 1}" for back in range(steps, 1, -1)]
                lines += [f"{text}_1 = {text}*int(t_in_timesteps > 0)"] if steps else []
        for port, sources in unit.inputs.items():
            arriving = " + ".join(self._arriving(source) for source in sources)
            lines.append(f"{symbols[unit.traced.inputs[port]]} = {arriving or '0'}")
        states = {symbols[symbol] for symbol in unit.traced.state.values()}
        outputs = {port: text for port, text in ports.items() if text not in states}
        lines += [f"{name} = {value}" for name, value in step_lines(unit.traced, symbols, outputs, BRIAN2)]
        return lines + [f"{name} = 0" for name in self._collectors(unit)]

    def _arriving(self, source: Source) -> str:
        if source in self.frozen.inputs:
            return f"{self.names[source.op]}_values(t, i)"
        part = self.frozen.by_id[source.op]
        if isinstance(part, Unit):
            return self._heard(source)
        name = f"from_{self.names[part.id]}"
        if part.offset is None:
            return name
        since = "" if part.onset is None else f"*int(t_in_timesteps >= {name}_onset)"
        return f"({name} + {name}_offset{since})"

    def _synapses(self, synapses: Synapses) -> list[str]:
        pairs = [(s, a) for s in synapses.inputs for a in self.arrivals if a.synapses is synapses]
        if not pairs or not synapses.pre.size:
            return []
        lines = ["", f"# {printed(synapses.op.name)}: {synapses.op.spec.label}, {synapses.pre.size} synapses"]
        for source, arrival in pairs:
            lines += (
                self._graded(source, arrival) if source in self.history else [self._spiking(source, arrival)]
            )
        return lines

    def _spiking(self, source: Source, arrival: _Arrival) -> str:
        """Synapses that let what was emitted arrive after its delay."""
        outside, group = source in self.frozen.inputs, self.names[source.op]
        early = self._ahead(arrival.synapses, source)
        amount, more = "w", f", early={early}" if early else ""
        if outside and not binary(self._op(source), source.port):
            values = f"{group}_values"
            amount, more = f"w*{values}(t - delay, i)", f"{more}, namespace={{{values!r}: {values}}}"
        return self._projected(arrival, f"{group}_spikes" if outside else group, amount, more)

    def _graded(self, source: Source, arrival: _Arrival) -> list[str]:
        """Synapses that read a value each step, as long ago as their delay; one object for each delay."""
        text, lines = self.ports[source.op][source.port], []
        for steps in np.unique(arrival.synapses.delay).tolist():
            back = steps - self._ahead(arrival.synapses, source)
            value = f"{text}_{back}_pre" if back else f"{text}_pre"
            more = f', only={steps}, on_event="always"'
            lines.append(self._projected(arrival, self.names[source.op], f"w*{value}", more))
        return lines

    def _projected(self, arrival: _Arrival, source: str, amount: str, more: str) -> str:
        key, target = self.names[arrival.synapses.id], self.names[arrival.unit.id]
        (name,) = identifiers({key: key}, self.made).values()
        self.made.append(name)
        act = f'"{arrival.name}_post += {amount}", {self.place[arrival.synapses.id]}{more}'
        return f"{name} = project({name!r}, {key!r}, {source}, {target}, {act})"

    def _op(self, source: Source) -> Op:
        outside = source in self.frozen.inputs
        return self.frozen.program.ops[source.op] if outside else self.frozen.by_id[source.op].op

    def _run(self) -> list[str]:
        """Monitors, the run itself, and what they saw as arrays."""
        wanted = [s for s in readouts.recorded(self.frozen) if s not in self.frozen.inputs]
        lines = ["", "monitors = {"]
        for source in wanted:
            lines.append(f"    {self._key(source)!r}: {self._monitor(source)},")
        groups = [self.names[unit.id] for unit in self.units] + self.made
        groups += [f"{self.names[source.op]}_spikes" for source in self.frozen.inputs]
        lines += ["}", f"network = Network({', '.join([*groups, '*monitors.values()'])})"]
        lines += ["network.run(steps * DT, namespace={})", "signals = {}"]
        for source in wanted:
            lines += self._collected(source)
        for source in set(readouts.recorded(self.frozen)) & set(self.frozen.inputs):
            lines.append(f"signals[{self._key(source)!r}] = {self.names[source.op]}_values.values[:steps]")
        own = ", ".join(
            f"{self._key(s)!r}: signals[{self._key(s)!r}]" for s in self.frozen.outputs if s in wanted
        )
        keys = {source: self._key(source) for source in readouts.recorded(self.frozen)}
        keys |= {source: self.signals[source] for source in self.frozen.outputs}
        return [
            *lines,
            f"outputs = {{{own}}}",
            *readouts.calls(self.frozen, self.names, keys),
            "return outputs",
        ]

    def _key(self, source: Source) -> str:
        return f"{self.names[source.op]}.{source.port}"

    def _monitor(self, source: Source) -> str:
        group = self.names[source.op]
        if binary(self._op(source), source.port):
            return f"SpikeMonitor({group})"
        return f'StateMonitor({group}, {self.ports[source.op][source.port]!r}, record=True, when="end")'

    def _collected(self, source: Source) -> list[str]:
        key, shape = self._key(source), ", ".join(map(str, ("steps", *self.frozen.shape(source))))
        if not binary(self._op(source), source.port):
            values = f"monitors[{key!r}].{self.ports[source.op][source.port]}"
            return [f"signals[{key!r}] = np.array({values}).T.reshape({shape})"]
        size = int(np.prod(self.frozen.shape(source)))
        return [f"signals[{key!r}] = raster(monitors[{key!r}], steps, {size}).reshape({shape})"]


def _about(unit: Unit) -> list[str]:
    """What a unit is, and the differential equations behind its step, as comments."""
    doc = textwrap.dedent(" " * 4 + (unit.op.spec.__doc__ or "")).strip()
    text = " ".join(doc.split("Source:")[0].split())
    return [f"# {line}" for line in textwrap.wrap(f"{printed(unit.op.name)}: {text}", 108)]


def _where(text: Callable[[Expr, int], str], expr: Call) -> tuple[str, int]:
    condition, yes, no = expr.args
    chosen, other = text(condition, OR), text(condition, ATOM)
    return f"int({chosen})*{text(yes, NEG)} + int(not {other})*{text(no, NEG)}", ADD


BRIAN2: dict[str, Form] = {
    "where": _where,
    "cast": lambda text, expr: (f"int({text(expr.args[0], OR)})", ATOM),
    "minimum": lambda text, e: (f"clip({text(e.args[0], OR)}, -inf, {text(e.args[1], OR)})", ATOM),
    "maximum": lambda text, e: (f"clip({text(e.args[0], OR)}, {text(e.args[1], OR)}, inf)", ATOM),
    "sigmoid": sigmoid,
}
