"""Populations, and other nodes that step, in Verilog: the arithmetic of one neuron and what is round it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from engine.codegen.equations import equations
from engine.codegen.printer import fitting
from engine.export.fixed.network import FixedUnit, Format
from engine.export.targets._c.names import Names, comment
from engine.export.targets._verilog.expr import Value, between, constant, literal, operation, saturated, span
from engine.export.targets._verilog.plan import Plan, Wires, bits
from engine.program import Source


@dataclass(frozen=True)
class Written:
    """A part in Verilog: modules, the files of its memories, and ports that the top connects.

    ``files``: its modules, and what its memories hold.  ``ports``: (name, what it is connected to in the
    top).  ``rom`` and ``ram``: bits of memories.
    ``registers``: bits of what is no memory.  ``idle``, ``busy``: clock cycles of a step where nothing fires,
    and where everything does.
    """

    files: dict[str, str]
    ports: tuple[tuple[str, str], ...]
    rom: int = 0
    ram: int = 0
    registers: int = 0
    idle: int = 2
    busy: int = 2


DROPPED = "// What rounding and saturation drop is not used.\n/* verilator lint_off UNUSED */\n"


def words(values: np.ndarray | list[int], width: int) -> str:
    """A file for $readmemh: a number of so many bits in every line."""
    mask, digits = 2**width - 1, (width + 3) // 4
    return "".join(f"{int(value) & mask:0{digits}x}\n" for value in values)


@dataclass
class _Field:
    """A value of every neuron: a state variable, a constant, a signal; ``values`` where they are known."""

    name: str
    value: Value
    form: Format
    values: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def width(self) -> int:
        return self.value.width


class Unit:
    """Writes a unit."""

    def __init__(self, part: FixedUnit, plan: Plan) -> None:
        self.part, self.plan = part, plan
        self.name, self.inner = plan.names[part.id], plan.inner[part.id]
        self.local = Names(plan.taken.taken)
        self.size = part.unit.size
        self.states = {name: self._state(name) for name in part.state}
        self.signals = {source: self._signal(plan.signals[source]) for source in self._read()}
        self.factors: dict[int, _Field] = {}
        self.outputs = {port: self._signal(plan.signals[Source(part.id, port)]) for port in part.outputs}

    def _read(self) -> list[Source]:
        return list(dict.fromkeys(node.source for node in self.part.nodes if node.source is not None))

    def _state(self, name: str) -> _Field:
        state = self.part.state[name]
        own = self.local.of(name)
        return _Field(own, Value(own, state.format.bits, state.format.low < 0), state.format, state.first)

    def _signal(self, wires: Wires) -> _Field:
        own = self.local.of(wires.name)
        return _Field(own, Value(own, wires.width, wires.signed), wires.form)

    def write(self) -> Written:
        """The modules."""
        neuron = self._neuron()  # first: it finds what differs between neurons
        around = self._parallel() if self.part.id in self.plan.parallel else self._serial()
        return replace(around, files={f"{self.inner}.v": _head(self.part) + neuron, **around.files})

    def _neuron(self) -> str:
        """The arithmetic of one neuron, without a clock."""
        lines, values = [], list[Value]()
        for k, node in enumerate(self.part.nodes):
            made, value = self._node(k, [values[a] for a in node.args])
            values.append(value)
            if made and node.fraction:
                made[-1] += f"  // in 2^{-node.fraction}"
            lines += made
        for output, place, form in self._stored():
            node = self.part.nodes[place]
            lines.append(f"assign {output} = {saturated(values[place], node.low, node.high, form)};")
        given = [*self.signals.values(), *self.states.values(), *self.factors.values()]
        ports = [f"input wire {one.value.declared}{one.name}" for one in given]
        ports += [f"output wire {span(form.bits, form.low < 0)}{name}" for name, _, form in self._stored()]
        body = "".join(f"    {line}\n" for line in lines)
        return f"{DROPPED}module {self.inner} (\n    {_listed(ports)}\n);\n{body}endmodule\n"

    def _stored(self) -> Iterator[tuple[str, int, Format]]:
        """What leaves the arithmetic: its port, the place of its node, its format."""
        for name, state in self.part.state.items():
            yield f"{self.states[name].name}__new", state.node, state.format
        for port, place in self.part.outputs.items():
            yield self.outputs[port].name, place, self.outputs[port].form

    def _node(self, k: int, args: list[Value]) -> tuple[list[str], Value]:
        node = self.part.nodes[k]
        if node.op == "state":
            return [], self.states[node.name].value
        if node.op == "signal":
            assert node.source is not None
            return [], self.signals[node.source].value
        if node.op != "constant":
            return operation(self.local.of("t"), node, self.part.nodes, args)
        if isinstance(node.value, int):
            return [], constant(node.value)
        own = self.local.of("factor")
        value = between(own, node.low, node.high)
        self.factors[k] = _Field(own, value, Format(node.fraction, node.low, node.high), node.value)
        return [], value

    def _parallel(self) -> Written:
        """All neurons side by side, in one clock cycle."""
        signals, states, factors = (list(g.values()) for g in (self.signals, self.states, self.factors))
        size = self.size
        ports = ["input wire clk", "input wire rst", "input wire go"] if states else []
        ports += [f"input wire {_vector(one, size)}" for one in signals]
        ports += [f"output wire {_vector(one, size)}" for one in self.outputs.values()]
        lines = [f"reg {_vector(one, size)};" for one in states]
        lines += [f"wire {_vector(one, size, '__new')};" for one in states]
        lines += [f"wire {_vector(one, size)} = {_packed(one.values, one.width)};" for one in factors]
        inner = [(one.name, one) for one in (*signals, *states, *factors, *self.outputs.values())]
        inner += [(f"{one.name}__new", one) for one in states]
        joined = _listed([f".{name}({_element(name, one.width, size)})" for name, one in inner], 12)
        around = f"""\
    genvar n;
    generate
        for (n = 0; n < {size}; n = n + 1) begin : each
            {self.inner} one (
                {joined}
            );
        end
    endgenerate
"""
        around = around if size > 1 else f"    {self.inner} one (\n        {joined}\n    );\n"
        clocked = "".join(f"            {one.name} <= {_packed(one.values, one.width)};\n" for one in states)
        stored = "".join(f"            {one.name} <= {one.name}__new;\n" for one in states)
        always = (
            f"    always @(posedge clk) begin\n        if (rst) begin\n{clocked}"
            f"        end else if (go) begin\n{stored}        end\n    end\n"
        )
        body = "".join(f"    {line}\n" for line in lines) + around + (always if states else "")
        text = f"module {self.name} (\n    {_listed(ports)}\n);\n{body}endmodule\n"
        clock = [("clk", "clk"), ("rst", "rst"), ("go", f"go_{self.name}")] if states else []
        wired = [(one.name, self.plan.signals[source].name) for source, one in self.signals.items()]
        given = [
            (one.name, f"{self.plan.signals[Source(self.part.id, port)].name}__new")
            for port, one in self.outputs.items()
        ]
        registers = size * sum(one.width for one in states)
        return Written({f"{self.name}.v": text}, (*clock, *wired, *given), registers=registers)

    def _serial(self) -> Written:
        """One neuron after the other, one in a clock cycle; state in a memory."""
        states = list(self.states.values())
        table = [*self.factors.values(), *(one for one in states if _varies(one.values))]
        address, rom_bits = bits(self.size - 1), sum(one.width for one in table)
        state_bits = sum(one.width for one in states)
        body = [_WALK.format(bits=address, last=self.size - 1, range=span(address))]
        files = dict[str, str]()
        if states:
            low = low_bits("clear_address", address, self.plan.clear)
            size = literal(self.size, self.plan.clear, False)
            body.append(_CLEAR.format(size=size, range=span(address), low=low))
        if table:
            files[f"{self.name}.hex"] = words(_rows(table, self.size), rom_bits)
            body += self._table(table, rom_bits, address)
        if states:
            body += [f"    wire {span(state_bits)}held;\n", *_unpacked(states, "held", "", set())]
        body.append(self._inside())
        if states:
            body.append(self._memory(state_bits, address, table))
        head = f"module {self.name} (\n    {_listed(self._ports(address))}\n);\n"
        rom, ram, cycles = rom_bits * self.size, state_bits * self.size, self.size + 2
        wired, flops = tuple(self._wired()), 2 * address + 3
        files[f"{self.name}.v"] = head + "".join(body) + "endmodule\n"
        return Written(files, wired, rom, ram, flops, cycles, cycles)

    def _ports(self, address: int) -> list[str]:
        """The ports of a population that is computed neuron by neuron."""
        ports = ["input wire clk", "input wire rst", "input wire go"]
        if self.states:
            ports += ["input wire clearing", f"input wire {span(self.plan.clear)}clear_address"]
        ports += ["output reg done", f"output wire {span(address)}address", "output wire write"]
        ports += [f"output wire {span(address)}write_address"]
        ports += [f"input wire {one.value.declared}{one.name}" for one in self.signals.values()]
        return ports + [f"output wire {one.value.declared}{one.name}" for one in self.outputs.values()]

    def _table(self, table: list[_Field], width: int, address: int) -> list[str]:
        """The memory of what differs between neurons, and its fields."""
        where = "clear_now ? clear_low : n" if self.states else "n"
        kept = {"width": width, "words": self.size, "bits": address, "range": span(width)}
        rom = _ROM.format(name=self.name, where=where, **kept)
        return [rom, *_unpacked(table, "row", "__first", {id(one) for one in self.states.values()})]

    def _inside(self) -> str:
        """The one neuron."""
        names = [one.name for one in (*self.signals.values(), *self.factors.values(), *self.states.values())]
        names += [name for name, _, _ in self._stored()]
        news = "".join(f"    wire {one.value.declared}{one.name}__new;\n" for one in self.states.values())
        joined = _listed([f".{name}({name})" for name in names], 4)
        return f"{news}    {self.inner} neuron (\n        {joined}\n    );\n"

    def _memory(self, width: int, address: int, table: list[_Field]) -> str:
        states = list(self.states.values())
        first = [
            f"{one.name}__first" if one in table else literal(int(one.values[0]), one.width, False)
            for one in states
        ]
        return _STATE.format(
            width=width,
            words=self.size,
            bits=address,
            range=span(width),
            first=_joined(first),
            new=_joined([f"{one.name}__new" for one in states]),
        )

    def _wired(self) -> Iterator[tuple[str, str]]:
        yield from (("clk", "clk"), ("rst", "rst"), ("go", f"go_{self.name}"))
        if self.states:
            yield from (("clearing", "clearing"), ("clear_address", "clear_address"))
        yield from ((port, f"{self.name}__{port}") for port in ("done", "address", "write", "write_address"))
        yield from (
            (one.name, f"{self.plan.signals[source].name}__q") for source, one in self.signals.items()
        )
        for port, one in self.outputs.items():
            yield one.name, f"{self.plan.signals[Source(self.part.id, port)].name}__new"


def _head(part: FixedUnit) -> str:
    said = "".join(f"//     {comment(fitting(line, 'ascii'))}\n" for line in equations(part.unit.traced))
    return f"// {comment(part.unit.op.type)} '{comment(part.unit.op.name)}'\n{said}"


def _listed(ports: list[str], deeper: int = 0) -> str:
    return f",\n    {' ' * deeper}".join(ports)


def _vector(one: _Field, size: int, after: str = "") -> str:
    return f"{span(size * one.width)}{one.name}{after}"


def _element(name: str, width: int, size: int) -> str:
    if size == 1:
        return name
    return f"{name}[n * {width} +: {width}]" if width > 1 else f"{name}[n]"


def _packed(values: np.ndarray, width: int) -> str:
    """A vector of numbers as one."""
    total = sum((int(value) & (2**width - 1)) << (k * width) for k, value in enumerate(values))
    return f"{len(values) * width}'h{total:x}"


def _varies(values: np.ndarray) -> bool:
    return bool((values != values[0]).any())


def _rows(table: list[_Field], size: int) -> list[int]:
    """The fields of every neuron as one number, the first lowest."""
    rows = [0] * size
    place = 0
    for one in table:
        mask = 2**one.width - 1
        rows = [row | (int(value) & mask) << place for row, value in zip(rows, one.values, strict=True)]
        place += one.width
    return rows


def _unpacked(fields: list[_Field], word: str, after: str, prefixed: set[int]) -> list[str]:
    """Wires for the fields of a word; ``after`` stands behind the names of the ``prefixed``."""
    lines, place, total = [], 0, sum(one.width for one in fields)
    for one in fields:
        where = f"[{place + one.width - 1}:{place}]" if one.width > 1 else f"[{place}]"
        name = f"{one.name}{after}" if id(one) in prefixed else one.name
        kind = span(one.width, one.value.signed and id(one) not in prefixed)
        lines.append(f"    wire {kind}{name} = {word}{where if total > 1 else ''};\n")
        place += one.width
    return lines


def _joined(names: list[str]) -> str:
    """A word of fields, the first lowest."""
    return f"{{{', '.join(reversed(names))}}}" if len(names) > 1 else names[0]


def low_bits(name: str, width: int, total: int) -> str:
    """The lower bits of something."""
    if width == total:
        return name
    return f"{name}[{width - 1}:0]" if width > 1 else f"{name}[0]"


_WALK = """\
    reg {range}n;        // read in this cycle
    reg {range}n_now;    // computed in this cycle
    reg reading, valid;
    assign address = n;
    assign write = valid;
    assign write_address = n_now;
    always @(posedge clk) begin
        valid <= reading;
        n_now <= n;
        done <= 1'b0;
        if (reading) begin
            n <= n + {bits}'d1;
            if (n == {bits}'d{last}) begin
                n <= {bits}'d0;
                reading <= 1'b0;
                done <= 1'b1;
            end
        end
        if (go)
            reading <= 1'b1;
        if (rst) begin
            n <= {bits}'d0;
            reading <= 1'b0;
            valid <= 1'b0;
            done <= 1'b0;
        end
    end
"""
_CLEAR = """\
    wire clear_now = clearing && clear_address < {size};
    wire {range}clear_low = {low};
    reg clear_then;
    reg {range}clear_n;
    always @(posedge clk) begin
        clear_then <= clear_now;
        clear_n <= clear_low;
    end
"""
_ROM = """\
    wire {range}row;
    myelin_rom #(.WIDTH({width}), .WORDS({words}), .BITS({bits}), .FILE("{name}.hex")) constants (
        .clk(clk), .address({where}), .data(row)
    );
"""
_STATE = """\
    wire clear_or_write = clear_then || valid;
    myelin_ram #(.WIDTH({width}), .WORDS({words}), .BITS({bits})) state (
        .clk(clk), .write(clear_or_write), .write_address(clear_then ? clear_n : n_now),
        .write_data(clear_then ? {first} : {new}), .address(n), .data(held)
    );
"""
