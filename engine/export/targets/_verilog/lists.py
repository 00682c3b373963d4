"""Projections in Verilog whose synapses lie in a memory: every spike walks through its row of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.export.fixed.network import Format
from engine.export.targets._verilog import walk
from engine.export.targets._verilog.expr import Value, fit, literal, span
from engine.export.targets._verilog.plan import BLOCK, bits
from engine.export.targets._verilog.synapses import Projection
from engine.export.targets._verilog.units import Written, low_bits, words


def write_lists(own: Projection) -> Written:
    """The modules of a projection."""
    return _Lists(own).write()


class _Lists:
    def __init__(self, own: Projection) -> None:
        self.own, self.list, self.name, self.plan = own, own.list, own.name, own.plan
        self.delays, self.first = self.list.delays, self.list.first
        self.rows, self.count = len(self.first) - 1, len(self.list.weight)
        self.weight_bits = Format(0, min(int(self.list.weight.min()), -1), int(self.list.weight.max())).bits
        self.target_bits, self.source_bits = bits(own.targets - 1), bits(own.sources - 1)
        self.row_bits, self.place_bits = bits(self.rows - 1), bits(len(self.delays) - 1)
        self.start_bits, self.count_bits = bits(self.count), bits(int(np.diff(self.first).max()))
        self.late_bits = bits(int(self.delays.max()))
        self.delayed = any(wires.depth > 1 for wires in own.inputs)
        signed = any(wires.signed for wires in own.inputs)
        width = max((w.width + (signed and not w.signed) for w in own.inputs), default=1)
        self.value = Value("value", width, signed)
        self.which_bits = bits(len(own.inputs) - 1)
        self.blocks = -(-own.sources // BLOCK)

    def write(self) -> Written:
        """The module with its memories."""
        own = self.own
        joined = ",\n    ".join(self._ports())
        parts = [self._registers(), self._memories(), self._heard(), self._arithmetic(), self._control()]
        text = f"module {self.name} (\n    {joined}\n);\n{''.join(parts)}endmodule\n"
        lines = self.rows * (self.start_bits + self.count_bits)
        rom = lines + self.count * (self.target_bits + self.weight_bits) + own.targets * self._heard_bits
        looks = [len(self.delays) * self.blocks if w.noted else self.rows for w in own.inputs]
        idle = sum(looks) + len(looks) + own.targets + 3
        busy = idle - sum(looks) + len(looks) * (3 * self.rows + self.count)
        flops = 2 * self.row_bits + self.source_bits + self.start_bits + self.count_bits + self.value.width
        flops += 3 * self.target_bits + own.sum_bits + self.place_bits + 10
        ram = own.targets * own.sum_bits
        files = {f"{own.inner}.v": own.finish(), f"{self.name}.v": text, **self._files()}
        return Written(files, tuple(self._wired()), rom, ram, flops, idle, busy)

    @property
    def binary(self) -> bool:
        """Whether what it reads is 0 or 1."""
        return (self.value.width, self.value.signed) == (1, False)

    @property
    def _heard_bits(self) -> int:
        """Bits of a line of the memory of offsets."""
        if not self.own.offset.size:
            return 0
        return self.own.out.width + (bits(self.plan.latest) if self.own.onset is not None else 0)

    def _files(self) -> dict[str, str]:
        own = self.own
        starts, counts = self.first[:-1].astype(object), np.diff(self.first).astype(object)
        weight = self.list.weight.astype(object) & (2**self.weight_bits - 1)
        files = {
            f"{self.name}_rows.hex": words(
                (starts << self.count_bits) | counts, self.start_bits + self.count_bits
            ),
            f"{self.name}_synapses.hex": words(
                (self.list.post.astype(object) << self.weight_bits) | weight,
                self.target_bits + self.weight_bits,
            ),
        }
        if own.offset.size:
            line = own.offset.astype(object) & (2**own.out.width - 1)
            if own.onset is not None:
                line = line | (own.onset.astype(object) << own.out.width)
            files[f"{self.name}_offset.hex"] = words(line, self._heard_bits)
        return files

    def _ports(self) -> list[str]:
        own, plan = self.own, self.plan
        ports = ["input wire clk", "input wire rst", "input wire go", "input wire clearing"]
        ports += [f"input wire {span(plan.clear)}clear_address", "output reg done"]
        ports.append(f"output wire {span(self.source_bits)}address")
        ports += [f"output wire {span(self.late_bits)}late"] if self.delayed else []
        ports += [f"input wire {span(w.width, w.signed)}{w.name}" for w in own.inputs]
        ports += [f"input wire {w.name}__some" for w in own.inputs if w.noted]
        ports += [f"input wire {span(bits(plan.latest))}steps"] if own.onset is not None else []
        ports += ["output wire write", f"output wire {span(self.target_bits)}write_address"]
        return [*ports, f"output wire {span(own.out.width, own.out.signed)}{own.out.name}"]

    def _wired(self) -> Iterator[tuple[str, str]]:
        yield from (("clk", "clk"), ("rst", "rst"), ("go", f"go_{self.name}"))
        yield from (("clearing", "clearing"), ("clear_address", "clear_address"))
        ports = ["done", "address", "write", "write_address", *(["late"] if self.delayed else [])]
        yield from ((port, f"{self.name}__{port}") for port in ports)
        yield from ((wires.name, f"{wires.name}__q") for wires in self.own.inputs)
        for wires in self.own.inputs:
            if wires.noted:
                yield f"{wires.name}__some", f"{wires.name}__some"
        yield from [("steps", "steps")] if self.own.onset is not None else []
        yield self.own.out.name, f"{self.own.out.name}__new"

    def _registers(self) -> str:
        several = f"    reg {span(self.which_bits)}which;    // of the signals that arrive\n"
        places = f"    reg {span(self.place_bits)}place;    // in the list of delays\n"
        return walk.REGISTERS.format(
            which=several if len(self.own.inputs) > 1 else "",
            place=places if len(self.delays) > 1 else "",
            row=span(self.row_bits),
            source=span(self.source_bits),
            start=span(self.start_bits),
            count=span(self.count_bits),
            value="" if self.binary else f"    reg {self.value.declared}value;  // of the spike at work\n",
            target=span(self.target_bits),
            sum=span(self.own.sum_bits, True),
        )

    def _memories(self) -> str:
        row_width, word = self.start_bits + self.count_bits, self.target_bits + self.weight_bits
        synapse_address = bits(self.count - 1)
        return walk.MEMORIES.format(
            name=self.name,
            sum_range=span(self.own.sum_bits, True),
            row_width=row_width,
            row_range=span(row_width),
            rows=self.rows,
            row_bits=self.row_bits,
            count_range=span(self.count_bits),
            count_top=f"[{self.count_bits - 1}:0]" if self.count_bits > 1 else "[0]",
            start_range=span(self.start_bits),
            start_top=f"[{row_width - 1}:{self.count_bits}]",
            synapse_width=word,
            synapse_range=span(word),
            synapses=self.count,
            synapse_bits=synapse_address,
            synapse_place=low_bits("s", synapse_address, self.start_bits),
            weight_range=span(self.weight_bits, True),
            weight_top=f"[{self.weight_bits - 1}:0]" if self.weight_bits > 1 else "[0]",
            target_range=span(self.target_bits),
            target_top=f"[{word - 1}:{self.weight_bits}]" if self.target_bits > 1 else f"[{word - 1}]",
        )

    def _heard(self) -> str:
        """The memory of offsets, and the last stage."""
        own, out = self.own, self.own.out
        text, given = "", ".sum(sum), "
        if own.offset.size:
            width = self._heard_bits
            low = f"[{out.width - 1}:0]" if out.width > 1 else "[0]"
            offset = f"offset_q{low if width > 1 else ''}"
            if own.onset is not None:
                since = (
                    f"offset_q[{width - 1}:{out.width}]"
                    if width - out.width > 1
                    else f"offset_q[{width - 1}]"
                )
                offset = f"steps >= {since} ? {offset} : {literal(0, out.width, False)}"
            text = walk.OFFSET.format(name=self.name, width=width, range=span(width), targets=own.targets,
                                  bits=self.target_bits)  # fmt: skip
            text += f"    wire {span(out.width, out.signed)}heard = {offset};\n"
            given += ".heard(heard), "
        return f"{text}    {self.own.inner} finish ({given}.current({out.name}));\n"

    def _arithmetic(self) -> str:
        own, plan, wide = self.own, self.plan, self.own.sum_bits
        weight = fit(Value("weight", self.weight_bits, True), wide)
        product = weight if self.binary else f"{weight} * {fit(self.value, wide)}"
        return walk.ARITHMETIC.format(
            zero=literal(0, wide),
            wide=wide,
            sum_range=span(wide, True),
            targets=own.targets,
            bits=self.target_bits,
            clear_size=literal(own.targets, plan.clear, False),
            clear_low=low_bits("clear_address", self.target_bits, plan.clear),
            target_range=span(self.target_bits),
            product=product,
            note="    // The spike at work is 1, whenever there is one.\n" if self.binary else "",
        )

    def _chosen(self, texts: list[str]) -> str:
        """That of the signal whose turn it is."""
        chosen = texts[-1]
        for k in reversed(range(len(texts) - 1)):
            chosen = f"which == {self.which_bits}'d{k} ? {texts[k]} : {chosen}"
        return chosen

    def _skip(self) -> str:
        """Pass over a block of sources."""
        rest = self.own.sources - BLOCK * (self.blocks - 1)
        several = len(self.delays) > 1
        last_place = f"place == {self.place_bits}'d{len(self.delays) - 1}"
        first, following = f"place <= {self.place_bits}'d0;", f"place <= place + {self.place_bits}'d1;"
        over = walk.ENDS.format(
            condition=last_place, row_zero=f"{self.row_bits}'d0", first=first, following=following,
            rest=f"{self.row_bits}'d{rest}",
        ) if several else walk.END.format(row_zero=f"{self.row_bits}'d0")  # fmt: skip
        if self.blocks == 1:
            return over.strip()
        top = f"k[{self.source_bits - 1}:{BLOCK.bit_length() - 1}]"
        top = top if self.source_bits > BLOCK.bit_length() else f"k[{self.source_bits - 1}]"
        width = self.source_bits - BLOCK.bit_length() + 1
        return walk.BLOCKS.format(
            last=f"{top} == {width}'d{self.blocks - 1}",
            source_zero=f"{self.source_bits}'d0",
            over="\n    ".join(over.rstrip().split("\n")),
            source_block=f"{self.source_bits}'d{BLOCK}",
            row_block=f"{self.row_bits}'d{BLOCK}",
        )

    def _control(self) -> str:
        own = self.own
        x = self._chosen([fit(Value(w.name, w.width, w.signed), self.value.width) for w in own.inputs])
        some = self._chosen([f"{w.name}__some" if w.noted else "1'b1" for w in own.inputs])
        late = "".join(
            f"            {self.place_bits}'d{k}: late_now = {self.late_bits}'d{int(delay)};\n"
            for k, delay in enumerate(self.delays[:-1])
        )
        final = f"{self.late_bits}'d{int(self.delays[-1])}"
        several = len(self.delays) > 1
        looked = (
            f"    assign late = phase == SCAN ? late_now : {self.late_bits}'d0;\n" if self.delayed else ""
        )
        if not self.delayed:
            lates = ""
        elif several:
            lates = walk.LATES.format(range=span(self.late_bits), cases=late, final=final)
        else:
            lates = f"    wire {span(self.late_bits)}late_now = {final};\n"
        more = len(own.inputs) > 1
        text = walk.CONTROL.format(
            lates=lates + looked,
            value_range=span(self.value.width, self.value.signed),
            x=x,
            taken="" if self.binary else "value <= x;",
            some=some,
            skip=self._skip(),
            next_input=walk.NEXT_INPUT.format(last=f"{self.which_bits}'d{len(own.inputs) - 1}",
                                          one=f"{self.which_bits}'d1") if more else "phase <= SWEEP;",
            first_input=f"which <= {self.which_bits}'d0;" if more else "",
            last_source=f"{self.source_bits}'d{own.sources - 1}",
            source_zero=f"{self.source_bits}'d0",
            source_one=f"{self.source_bits}'d1",
            last_row=f"{self.row_bits}'d{self.rows - 1}",
            row_zero=f"{self.row_bits}'d0",
            row_one=f"{self.row_bits}'d1",
            place_next=f"place <= place + {self.place_bits}'d1;" if several else "",
            place_first=f"place <= {self.place_bits}'d0;" if several else "",
            start_one=f"{self.start_bits}'d1",
            count_zero=f"{self.count_bits}'d0",
            count_one=f"{self.count_bits}'d1",
            last_target=f"{self.target_bits}'d{own.targets - 1}",
            target_zero=f"{self.target_bits}'d0",
            target_one=f"{self.target_bits}'d1",
        )  # fmt: skip
        return "".join(line for line in text.splitlines(True) if line.strip())
