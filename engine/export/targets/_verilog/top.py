"""The top module: signals, parts, and what lets them run one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.export.fixed.network import FixedSynapses, FixedUnit
from engine.export.targets._c.names import comment
from engine.export.targets._verilog.expr import Value, fit, literal, span
from engine.export.targets._verilog.plan import BLOCK, Plan, Wires, bits, gives, reads
from engine.export.targets._verilog.units import Written, low_bits
from engine.program import Source


def network(plan: Plan, written: Mapping[str, Written]) -> str:
    """network.v: the module ``network``."""
    return _Top(plan, written).text()


class _Top:
    def __init__(self, plan: Plan, written: Mapping[str, Written]) -> None:
        self.plan, self.written = plan, written
        self.writer = {source: part for part in plan.parts for source in gives(part)}
        self.readers: dict[Source, list[str]] = {}
        self.sought: set[Source] = set()
        self.late: dict[Source, list[tuple[str, int]]] = {}
        for part in plan.parts:
            if part.id not in plan.parallel:
                self._note(part)

    def _note(self, part: FixedUnit | FixedSynapses) -> None:
        """Which signals a part looks up element by element."""
        name, plan = self.plan.names[part.id], self.plan
        for source in reads(part):
            self.readers.setdefault(source, []).append(f"{name}__address")
            if isinstance(part, FixedSynapses):
                self.sought.add(source)
            if isinstance(part, FixedSynapses) and plan.signals[source].depth > 1:
                self.late.setdefault(source, []).append((f"{name}__late", part.synapses.longest))

    def text(self) -> str:
        """The whole module."""
        plan = self.plan
        ports = ",\n    ".join(self._ports())
        signals = "".join(self._signal(wires) for wires in plan.signals.values())
        parts = "".join(self._part(part) for part in plan.parts)
        title = comment(plan.fixed.frozen.program.title)
        outputs = "".join(
            f"    assign {w.name}_out = {w.name};\n"
            if w.vector
            else f"    assign {w.name}_data = {w.name}__q;\n"
            for w in plan.outputs
        )
        wires = "".join(self._wires(part, number) for number, part in enumerate(plan.parts))
        control = self._control()
        head = f"// {title}: a spiking neural network, exported by Myelin Studio.  See README.md.\n"
        return (
            f"{head}module network (\n    {ports}\n);\n"
            f"{self._registers()}{wires}{control}{signals}{parts}{outputs}endmodule\n"
        )

    def _ports(self) -> Iterator[str]:
        yield from (
            "input wire clk",
            "input wire rst",
            "input wire start",
            "output wire ready",
            "output reg done",
        )
        for w in self.plan.inputs:
            if w.vector:
                yield f"input wire {span(w.size * w.width)}{w.name}_in"
            else:
                yield f"input wire {w.name}_write"
                yield f"input wire {span(w.address)}{w.name}_write_address"
                yield f"input wire {span(w.width)}{w.name}_write_data"
        for w in self.plan.outputs:
            if w.vector:
                yield f"output wire {span(w.size * w.width)}{w.name}_out"
            else:
                yield f"input wire {span(w.address)}{w.name}_address"
                yield f"output wire {span(w.width)}{w.name}_data"

    def _registers(self) -> str:
        """What the parts wait for."""
        plan, clear = self.plan, self.plan.clear
        phases = [
            "READY",
            "WORK",
            *(["CLEAR"] if plan.cleared else []),
            *(["PREPARE"] if plan.prepared else []),
        ]
        lines = [f"localparam {', '.join(f'{phase} = 2{chr(39)}d{k}' for k, phase in enumerate(phases))};"]
        lines += ["reg [1:0] phase;", f"reg {span(bits(len(plan.parts) - 1))}at;  // the part that works"]
        lines += [
            "reg go;  // and begins",
            "assign ready = phase == READY;",
            "wire advance = ready && start;",
        ]
        lines += (
            [f"reg {span(clear)}clear_address;", "wire clearing = phase == CLEAR;"] if plan.cleared else []
        )
        return _indented([*lines, *(["wire preparing = phase == PREPARE;"] if plan.prepared else [])])

    def _control(self) -> str:
        """The parts run one after the other."""
        plan, count = self.plan, len(self.plan.parts)
        width, clear = bits(count - 1), plan.clear
        sweep = {"zero": f"{clear}'d0", "one": f"{clear}'d1"}
        clearing = _CLEARING.format(last=f"{clear}'d{plan.cleared - 1}", **sweep) if plan.cleared else ""
        preparing = _PREPARING.format(last=f"{clear}'d{plan.prepared - 1}", **sweep) if plan.prepared else ""
        text = _CONTROL.format(
            first="CLEAR" if plan.cleared else "READY",
            next="PREPARE" if plan.prepared else "WORK",
            clearing=clearing,
            preparing=preparing,
            go="" if plan.prepared else "go <= 1'b1;",
            clear_zero=f"clear_address <= {clear}'d0;" if plan.cleared else "",
            zero=f"{width}'d0",
            one=f"{width}'d1",
            last=f"{width}'d{count - 1}",
            dones=" || ".join(f"{plan.names[part.id]}__done" for part in plan.parts),
            steps=self._steps(),
        )
        return "".join(line for line in text.splitlines(True) if line.strip())

    def _steps(self) -> str:
        """A counter of the steps done, where something sets in later."""
        if not self.plan.latest:
            return ""
        width = bits(self.plan.latest)
        return _STEPS.format(range=span(width), most=f"{width}'d{self.plan.latest}", bits=width)

    def _wires(self, part: FixedUnit | FixedSynapses, number: int) -> str:
        """What a part is connected with."""
        plan, name = self.plan, self.plan.names[part.id]
        lines = [f"wire go_{name} = go && at == {bits(len(plan.parts) - 1)}'d{number};"]
        parallel = part.id in plan.parallel
        for source in gives(part):
            w = plan.signals[source]
            lines.append(
                f"wire {span(w.size * w.width) if parallel else span(w.width, w.signed)}{w.name}__new;"
            )
        if parallel:
            lines += [f"reg {name}__done;", f"always @(posedge clk) {name}__done <= go_{name} && !rst;"]
            return _indented(lines)
        size = part.unit.size if isinstance(part, FixedUnit) else part.synapses.source_size
        target = part.unit.size if isinstance(part, FixedUnit) else part.synapses.target_size
        lines += [f"wire {name}__done, {name}__write;", f"wire {span(bits(size - 1))}{name}__address;"]
        lines.append(f"wire {span(bits(target - 1))}{name}__write_address;")
        if isinstance(part, FixedSynapses) and any(port == "late" for port, _ in self.written[part.id].ports):
            lines.append(f"wire {span(bits(part.synapses.longest))}{name}__late;")
        return _indented(lines)

    def _part(self, part: FixedUnit | FixedSynapses) -> str:
        name = self.plan.names[part.id]
        joined = ",\n        ".join(f".{port}({wire})" for port, wire in self.written[part.id].ports)
        return f"    {name} the_{name} (\n        {joined}\n    );\n"

    def _signal(self, w: Wires) -> str:
        text = f"    // {comment(w.title)}"
        text += f", in 2^{-w.form.fraction}\n" if w.form.fraction else "\n"
        return text + _indented(self._lookup(w) + (self._vector(w) if w.vector else self._memory(w)))

    def _lookup(self, w: Wires) -> list[str]:
        """The address of the element that is read, how many steps back, and what is there."""
        readers = self.readers.get(w.source, [])
        if not readers and w.vector:
            return []
        address = " | ".join(readers) or f"{w.address}'d0"
        if w in self.plan.outputs and not w.vector:
            address = f"ready ? {w.name}_address : {address}"
        lines = [f"wire {span(w.address)}{w.name}__place = {address};"]
        slots = w.depth if w.vector else w.slots
        if slots > 1:
            late = [fit(Value(name, bits(most), False), w.late) for name, most in self.late.get(w.source, [])]
            lines.append(
                f"wire {span(w.late)}{w.name}__late = {' | '.join(late) or literal(0, w.late, False)};"
            )
        kind = "reg" if w.vector else "wire"
        return [*lines, f"{kind} {span(w.width, w.signed)}{w.name}__q;"]

    def _vector(self, w: Wires) -> list[str]:
        """A signal in registers, with its past in a shift register."""
        total = w.size * w.width
        lines = [f"reg {span(total)}{w.name};"]
        past, old = w.name, ""
        if w.depth > 1:
            past, old = f"{w.name}__past", f"{w.name}__old"
            lines += [f"reg {span(total * (w.depth - 1))}{old};"]
            lines += [f"wire {span(total * w.depth)}{past} = {{{old}, {w.name}}};"]
        lines.append("always @(posedge clk) begin")
        if w.depth > 1:
            lines += [
                "    if (advance)",
                f"        {old} <= {low_bits(past, total * (w.depth - 1), total * w.depth)};",
            ]
        lines += [f"    {line}" for line in self._load(w)]
        lines += ["    if (rst) begin", f"        {w.name} <= {total}'d0;"]
        lines += [f"        {old} <= {total * (w.depth - 1)}'d0;"] if old else []
        lines += ["    end", "end"]
        if self.readers.get(w.source):
            place = f"{w.name}__late * {w.size} + {w.name}__place" if w.depth > 1 else f"{w.name}__place"
            element = f"{past}[({place}) * {w.width} +: {w.width}]" if total * w.depth > 1 else past
            lines.append(f"always @(posedge clk) {w.name}__q <= {element};")
        return lines

    def _load(self, w: Wires) -> list[str]:
        """How a vector gets new values."""
        part = self.writer.get(w.source)
        if part is None:
            return ["if (advance)", f"    {w.name} <= {w.name}_in;"]
        name = self.plan.names[part.id]
        if part.id in self.plan.parallel:
            return [f"if (go_{name})", f"    {w.name} <= {w.name}__new;"]
        element = (
            f"{w.name}[{name}__write_address * {w.width} +: {w.width}]" if w.size * w.width > 1 else w.name
        )
        return [f"if ({name}__write)", f"    {element} <= {w.name}__new;"]

    def _memory(self, w: Wires) -> list[str]:
        """A signal in a memory, with its past as a ring of slots."""
        plan, clear = self.plan, self.plan.clear
        full = w.address + (w.late if w.slots > 1 else 0)
        lines, here, there = list[str](), f"{w.name}__place", ""
        if w.slots > 1:
            lines += self._ring(w)
            here, there = (
                f"{{{w.name}__from, {w.name}__place}}",
                f"{w.name}__{'next' if w.given else 'slot'}, ",
            )
        part = self.writer.get(w.source)
        name = f"{w.name}_" if part is None else f"{plan.names[part.id]}__"
        write, place = f"{name}write", f"{name}write_address"
        new = f"{w.name}_write_data" if part is None else f"{w.name}__new"
        element, place = place, f"{{{there}{place}}}" if there else place
        if w.given:
            low = low_bits("clear_address", w.address, clear)
            lines.append(
                f"wire {w.name}__empty = preparing && clear_address < {literal(w.size, clear, False)};"
            )
            place = f"{w.name}__empty ? {{{there}{low}}} : {place}"
            write = f"{w.name}__empty || ({write} && ready)"
            new = f"({w.name}__empty ? {w.width}'d0 : {new})"
        all_ = f"{w.name}__clear"
        swept = fit(Value("clear_address", clear, False), full)
        lines.append(f"wire {all_} = clearing && clear_address < {literal(w.words, clear, False)};")
        lines.append(f"myelin_ram #(.WIDTH({w.width}), .WORDS({w.words}), .BITS({full})) memory_{w.name} (")
        lines.append(f"    .clk(clk), .write({all_} || {write}),")
        lines.append(f"    .write_address({all_} ? {swept} : {place}),")
        lines.append(f"    .write_data({all_} ? {w.width}'d0 : {new}),")
        lines += [f"    .address({here}), .data({w.name}__q)", ");"]
        return lines + (self._noted(w, write, element, new) if w.source in self.sought and w.noted else [])

    def _noted(self, w: Wires, write: str, element: str, new: str) -> list[str]:
        """A bit for every block of elements and slot: whether anything there fires."""
        total, high = w.slots * w.blocks, BLOCK.bit_length() - 1

        def bit(address: str, slot: str) -> str:
            block = f"{address} >> {high}" if w.blocks > 1 else "0"
            return f"{w.name}__busy[{slot} * {w.blocks} + ({block})]" if total > 1 else f"{w.name}__busy"

        ring = w.slots > 1
        here = bit(f"{w.name}__place", f"{w.name}__from" if ring else "0")
        there = bit(element, f"{w.name}__{'next' if w.given else 'slot'}" if ring else "0")
        emptied, slot = (f"{w.name}__empty", f"{w.name}__next") if w.given else ("advance", f"{w.name}__next")
        all_ = f"{w.name}__busy[{slot} * {w.blocks} +: {w.blocks}]" if ring else f"{w.name}__busy"
        return [
            f"reg {span(total)}{w.name}__busy;  // blocks of {BLOCK} elements where something fires",
            f"wire {w.name}__some = {here};",
            "always @(posedge clk) begin",
            f"    if ({write} && |{new})",
            f"        {there} <= 1'b1;",
            f"    if ({emptied})",
            f"        {all_} <= {w.blocks if ring else total}'d0;",
            "    if (rst)",
            f"        {w.name}__busy <= {total}'d0;",
            "end",
        ]

    def _ring(self, w: Wires) -> list[str]:
        """The slot of the present step, the one after it, and the one that is read."""
        slot, late, width = f"{w.name}__slot", f"{w.name}__late", span(w.late)
        last, count = literal(w.slots - 1, w.late, False), literal(w.slots, w.late, False)
        zero, one = literal(0, w.late, False), literal(1, w.late, False)
        return [
            f"reg {width}{slot};",
            f"wire {width}{w.name}__next = {slot} == {last} ? {zero} : {slot} + {one};",
            f"wire {width}{w.name}__from = {late} > {slot} ? {slot} + {count} - {late} : {slot} - {late};",
            f"always @(posedge clk) {slot} <= rst ? {zero} : advance ? {w.name}__next : {slot};",
        ]


def _indented(lines: list[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


_CONTROL = """\
    always @(posedge clk) begin
        go <= 1'b0;
        done <= 1'b0;
        case (phase)
{clearing}            READY:
                if (start) begin
                    phase <= {next};
                    {go}
                end
{preparing}            WORK:
                if ({dones}) begin
                    if (at == {last}) begin
                        at <= {zero};
                        phase <= READY;
                        done <= 1'b1;
                    end else begin
                        at <= at + {one};
                        go <= 1'b1;
                    end
                end
            default:
                phase <= {first};
        endcase
        if (rst) begin
            phase <= {first};
            {clear_zero}
            at <= {zero};
            go <= 1'b0;
            done <= 1'b0;
        end
    end
{steps}"""
_CLEARING = """\
            CLEAR: begin
                clear_address <= clear_address + {one};
                if (clear_address == {last}) begin
                    clear_address <= {zero};
                    phase <= READY;
                end
            end
"""
_PREPARING = """\
            PREPARE: begin
                clear_address <= clear_address + {one};
                if (clear_address == {last}) begin
                    clear_address <= {zero};
                    phase <= WORK;
                    go <= 1'b1;
                end
            end
"""
_STEPS = """\
    reg {range}steps;  // done so far, up to the last in which something sets in
    always @(posedge clk) begin
        if (rst)
            steps <= {bits}'d0;
        else if (done && steps != {most})
            steps <= steps + {bits}'d1;
    end
"""
