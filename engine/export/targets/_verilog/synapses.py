"""Projections in Verilog: adders side by side; see ``lists`` for those too large for that."""

from __future__ import annotations

import numpy as np

from engine.export.fixed.network import FixedSynapses, Format
from engine.export.targets._c.names import comment
from engine.export.targets._verilog.expr import Value, fit, literal, saturated, shifted, span, width_of
from engine.export.targets._verilog.plan import Plan, Wires, bits, listed, reads
from engine.export.targets._verilog.units import DROPPED, Written
from engine.program import Source


class Projection:
    """Writes a projection."""

    def __init__(self, part: FixedSynapses, plan: Plan) -> None:
        self.part, self.plan = part, plan
        self.name, self.inner = plan.names[part.id], plan.inner[part.id]
        self.inputs = [plan.signals[source] for source in reads(part)]
        self.out = plan.signals[Source(part.id, "output")]
        self.list = listed(part)
        self.sum_bits = max(Format(0, min(part.sum.low, -1), part.sum.high).bits, 2)
        self.sources, self.targets = part.synapses.source_size, part.synapses.target_size
        self.offset = np.zeros(0, np.int64) if part.offset is None else part.offset
        self.onset = part.synapses.onset if part.offset is not None else None

    def _about(self) -> str:
        synapses = self.part.synapses
        late = f"delays {synapses.shortest}..{synapses.longest} steps" if synapses.longest else "no delays"
        sizes = f"{self.sources} -> {self.targets}, {len(synapses.weight)} synapses, {late}"
        return f"// Projection '{comment(synapses.op.name)}': {sizes}; weights in 2^{-self.part.fraction}\n"

    def finish(self) -> str:
        """From a sum to a current: rounded, shifted, with its offset, and saturated."""
        part, out = self.part, self.out.form
        low, high = part.sum.low, part.sum.high
        lines, value = list[str](), Value("sum", self.sum_bits, True)
        if part.by:
            lines, value = shifted("scaled", value, low, high, part.by)
            half = 1 << (part.by - 1) if part.by > 0 else 0
            low, high = (((end + half) >> part.by if part.by > 0 else end << -part.by) for end in (low, high))
        ports = [f"input wire {span(self.sum_bits, True)}sum"]
        if self.offset.size:
            ports.append(f"input wire {span(out.bits, out.low < 0)}heard")
            low, high = min(low, low + out.low), max(high, high + out.high)
            total = Value("total", *width_of(min(low, -1), high))
            heard = Value("heard", out.bits, out.low < 0)
            lines.append(
                f"wire {total.declared}total = {fit(value, total.width)} + {fit(heard, total.width)};"
            )
            value = total
        ports.append(f"output wire {span(out.bits, out.low < 0)}current")
        lines.append(f"assign current = {saturated(value, low, high, out)};")
        body = "".join(f"    {line}\n" for line in lines)
        joined = ",\n    ".join(ports)
        return f"{self._about()}{DROPPED}module {self.inner} (\n    {joined}\n);\n{body}endmodule\n"

    def write_parallel(self) -> Written:
        """A tree of adders for every target, without a clock."""
        plan, out = self.plan, self.out
        ports = [f"input wire {span(w.size * w.depth * w.width)}{w.name}" for w in self.inputs]
        if self.onset is not None:
            ports.append(f"input wire {span(bits(plan.latest))}steps")
        ports.append(f"output wire {span(self.targets * out.width)}{out.name}")
        taps = self._taps()
        elements = sorted({(k, place) for terms in taps for k, place, _ in terms})
        lines = [self._element(self.inputs[k], place) for k, place in elements if self.inputs[k].width > 1]
        for n, terms in enumerate(taps):
            lines += self._target(n, terms)
        body = "".join(f"    {line}\n" for line in lines)
        note = "// Of the past only that is used which a synapse reads.\n/* verilator lint_off UNUSED */\n"
        joined = ",\n    ".join(ports)
        text = f"{note}module {self.name} (\n    {joined}\n);\n{body}endmodule\n"
        wired = [(w.name, f"{w.name}__past" if w.depth > 1 else w.name) for w in self.inputs]
        wired += [("steps", "steps")] if self.onset is not None else []
        files = {f"{self.inner}.v": self.finish(), f"{self.name}.v": text}
        return Written(files, (*wired, (out.name, f"{out.name}__new")))

    def _taps(self) -> list[list[tuple[int, int, int]]]:
        """For every target (input, place of the element in its past, weight)."""
        found: list[list[tuple[int, int, int]]] = [[] for _ in range(self.targets)]
        rows = np.repeat(np.arange(len(self.list.first) - 1), np.diff(self.list.first))
        for row, post, weight in zip(rows, self.list.post, self.list.weight, strict=True):
            late, pre = divmod(int(row), self.sources)
            if weight:
                place = int(self.list.delays[late]) * self.sources + pre
                found[post] += [(k, place, int(weight)) for k in range(len(self.inputs))]
        return found

    def _element(self, wires: Wires, place: int) -> str:
        """A wire of its own for an element of the past that is more than a bit."""
        end, low = (place + 1) * wires.width - 1, place * wires.width
        kind = span(wires.width, wires.signed)
        return f"wire {kind}{wires.name}_{place} = {wires.name}[{end}:{low}];"

    def _target(self, n: int, terms: list[tuple[int, int, int]]) -> list[str]:
        texts = [self._term(self.inputs[k], place, weight) for k, place, weight in terms]
        total = "\n        + ".join(texts) or literal(0, self.sum_bits)
        wire = f"wire {span(self.sum_bits, True)}sum_{n} = {total};"
        width = self.out.width
        place = f"[{(n + 1) * width - 1}:{n * width}]" if self.targets * width > 1 else ""
        ports = f".sum(sum_{n}), " + (f".heard({self._heard(n)}), " if self.offset.size else "")
        return [wire, f"{self.inner} finish_{n} ({ports}.current({self.out.name}{place}));"]

    def _term(self, wires: Wires, place: int, weight: int) -> str:
        number = literal(weight, self.sum_bits)
        if wires.width > 1:
            own = Value(f"{wires.name}_{place}", wires.width, wires.signed)
            return f"{fit(own, self.sum_bits)} * {number}"
        bit = f"{wires.name}[{place}]" if wires.size * wires.depth > 1 else wires.name
        return f"({bit} ? {number} : {literal(0, self.sum_bits)})"

    def _heard(self, n: int) -> str:
        offset = literal(int(self.offset[n]), self.out.width, self.out.signed)
        if self.onset is None:
            return offset
        if self.onset[n] == 0:
            return offset
        since = literal(int(self.onset[n]), bits(self.plan.latest), False)
        return f"steps >= {since} ? {offset} : {literal(0, self.out.width, self.out.signed)}"
