"""How a network in integers is laid out in hardware: names, what is a register, what is a memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import MyelinError
from engine.export.fixed.network import FixedNetwork, FixedSynapses, FixedUnit, Format
from engine.export.frozen import every_source
from engine.export.targets._c.names import Names, slug
from engine.program import Source

LARGEST_VECTOR = 4096  # bits of a signal with its past that are registers
LARGEST_TREE = 1024  # synapses of a projection that are adders side by side
LARGEST_LIST = 4_000_000  # synapses of a projection in a memory
LARGEST_POPULATION = 65_536
BLOCK = 32  # elements that are passed over in one clock cycle where none of them fires
LONGEST_NAME = 40

_WORDS = """
always and assign begin buf case casex casez cell config deassign default defparam design disable edge
else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable endtask
event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial inout
input instance integer join large liblist library localparam macromodule medium module nand negedge nmos
nor noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown
pullup rcmos real realtime reg release repeat rnmos rpmos rtran scalared showcancelled signed small
specify specparam strong0 strong1 supply0 supply1 table task time tran tri tri0 tri1 triand trior trireg
unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor logic bit byte shortint longint
int string class interface package program property sequence assert assume cover expect final import
export new null this super type typedef union virtual void with within var unique priority tagged struct
static return ref rand randc pure protected private packed local inside iff ignore_bins illegal_bins
extends extern enum endclass dist do continue const constraint clocking bins binsof before break bind
alias chandle context covergroup coverpoint cross modport network tb clk rst go ready start done clearing
clear_address steps phase at advance preparing late address write write_address current sum heard held
state neuron valid reading which row row_now row_q row_start row_count synapse_q offset_q target
target_now weight product n_now k s x left value walked added sweeping swept late_now sum_write
sum_address sum_new clear_now clear_low clear_then clear_n clear_or_write rows synapses sums offsets
constants scaled scaled_up total some myelin_rom myelin_ram
""".split()  # noqa: SIM905 (a list of so many is longer to read)


def bits(most: int) -> int:
    """Bits of an unsigned number up to ``most``, at least one."""
    return max(1, int(most).bit_length())


@dataclass(frozen=True)
class Wires:
    """A signal in hardware.

    ``depth``: steps of it that are kept.  ``vector``: all of it is in registers.  ``given``: from outside.
    """

    source: Source
    name: str
    title: str
    size: int
    form: Format
    depth: int
    vector: bool
    given: bool = False

    @property
    def width(self) -> int:
        """Bits of an element."""
        return self.form.bits

    @property
    def signed(self) -> bool:
        """Whether elements can be negative."""
        return self.form.low < 0

    @property
    def address(self) -> int:
        """Bits of the number of an element."""
        return bits(self.size - 1)

    @property
    def slots(self) -> int:
        """Steps that its memory holds; one given from outside has a slot for the step to come."""
        return self.depth + self.given

    @property
    def late(self) -> int:
        """Bits of the number of a slot, and of steps back."""
        return bits((self.depth if self.vector else self.slots) - 1)

    @property
    def blocks(self) -> int:
        """Blocks of elements of which is known whether any fires."""
        return -(-self.size // BLOCK)

    @property
    def noted(self) -> bool:
        """Whether it is noted which blocks fire."""
        return not self.vector and self.slots * self.blocks <= LARGEST_VECTOR

    @property
    def words(self) -> int:
        """Words of its memory."""
        return ((self.slots - 1) << self.address) + self.size


@dataclass(frozen=True)
class Plan:
    """Names, signals and parts.

    ``inner``: names of the modules with the arithmetic of one element.  ``parallel``: parts that do a step in
    one clock cycle.
    """

    fixed: FixedNetwork
    taken: Names
    names: Mapping[str, str]
    inner: Mapping[str, str]
    signals: Mapping[Source, Wires]
    parts: tuple[FixedUnit | FixedSynapses, ...]
    parallel: frozenset[str]

    @property
    def inputs(self) -> tuple[Wires, ...]:
        """The signals that arrive from outside and that something reads."""
        return tuple(self.signals[source] for source in self.fixed.frozen.inputs if source in self.signals)

    @property
    def outputs(self) -> tuple[Wires, ...]:
        """The signals that the network gives."""
        return tuple(self.signals[source] for source in self.fixed.frozen.outputs)

    @property
    def latest(self) -> int:
        """The last step in which something sets in for good."""
        onsets = [part.synapses.onset for part in self.parts if isinstance(part, FixedSynapses)]
        return max((int(onset.max(initial=0)) for onset in onsets if onset is not None), default=0)

    @property
    def cleared(self) -> int:
        """Words of the largest memory that is put into its first state."""
        rings = [wires.words for wires in self.signals.values() if not wires.vector]
        parts = [
            part.unit.size if isinstance(part, FixedUnit) else part.synapses.target_size
            for part in self.parts
            if part.id not in self.parallel
        ]
        return max([*rings, *parts], default=0)

    @property
    def prepared(self) -> int:
        """Words of the largest memory that is emptied for the inputs of the next step."""
        return max((wires.size for wires in self.inputs if not wires.vector), default=0)

    @property
    def clear(self) -> int:
        """Bits of the address with which memories are cleared."""
        return bits(self.cleared)


def plan(fixed: FixedNetwork, limit: int) -> Plan:
    """The layout, with populations of up to ``limit`` neurons in parallel.

    Raises MyelinError for what is beyond any device.
    """
    frozen, taken = fixed.frozen, Names(_WORDS)
    parts = tuple(
        part
        for part in fixed.parts
        if isinstance(part, FixedUnit) or Source(part.id, "output") in fixed.signals
    )
    names = {part.id: taken.of(_op(part)[:LONGEST_NAME]) for part in parts}
    inner = {key: taken.of(f"{name}_core") for key, name in names.items()}
    depths, read = _depths(fixed, parts), {source for part in parts for source in reads(part)}
    signals = {}
    for source, form in fixed.signals.items():
        if source in frozen.inputs and source not in read:
            continue
        size, depth = math.prod(frozen.shape(source)), depths.get(source, 1)
        vector = size <= limit and size * depth * form.bits <= LARGEST_VECTOR
        stem = names.get(source.op) or slug(frozen.program.ops[source.op].name[:LONGEST_NAME])
        current = isinstance(fixed.by_id.get(source.op), FixedSynapses)
        name = taken.of(f"{stem}_{'current' if current else source.port}")
        signals[source] = Wires(
            source, name, frozen.name(source), size, form, depth, vector, source in frozen.inputs
        )
    found = Plan(fixed, taken, names, inner, signals, parts, frozenset[str]())
    parallel = frozenset(part.id for part in parts if _side_by_side(part, found, limit))
    for part in parts:
        _require_possible(part, found)
    return Plan(fixed, taken, names, inner, signals, parts, parallel)


def _op(part: FixedUnit | FixedSynapses) -> str:
    return (part.unit if isinstance(part, FixedUnit) else part.synapses).op.name


def _depths(fixed: FixedNetwork, parts: tuple[FixedUnit | FixedSynapses, ...]) -> dict[Source, int]:
    found: dict[Source, int] = {}
    for part in parts:
        if isinstance(part, FixedSynapses):
            for source in every_source(part.synapses):
                found[source] = max(found.get(source, 1), part.synapses.longest + 1)
    return found


def reads(part: FixedUnit | FixedSynapses) -> tuple[Source, ...]:
    """The signals that a part reads, each once."""
    if isinstance(part, FixedSynapses):
        return tuple(dict.fromkeys(part.synapses.inputs))
    return tuple(dict.fromkeys(node.source for node in part.nodes if node.source is not None))


def gives(part: FixedUnit | FixedSynapses) -> tuple[Source, ...]:
    """The signals that a part writes."""
    ports = part.outputs if isinstance(part, FixedUnit) else ("output",)
    return tuple(Source(part.id, port) for port in ports)


def _side_by_side(part: FixedUnit | FixedSynapses, found: Plan, limit: int) -> bool:
    if not all(found.signals[source].vector for source in (*reads(part), *gives(part))):
        return False
    if isinstance(part, FixedUnit):
        return part.unit.size <= limit
    return len(part.weight) <= LARGEST_TREE


def _require_possible(part: FixedUnit | FixedSynapses, found: Plan) -> None:
    name = _op(part)
    if isinstance(part, FixedSynapses):
        if len(part.weight) > LARGEST_LIST:
            raise MyelinError(
                f"'{name}' has {len(part.weight)} synapses; the Verilog export takes {LARGEST_LIST}"
            )
        return
    if part.unit.size > LARGEST_POPULATION:
        raise MyelinError(
            f"'{name}' has {part.unit.size} neurons; the Verilog export takes {LARGEST_POPULATION}"
        )
    odd = next((s for s in reads(part) if found.signals[s].size != part.unit.size), None)
    if odd is not None:
        raise MyelinError(f"'{name}' reads a signal of another size, '{found.signals[odd].title}'")


@dataclass(frozen=True)
class List:
    """Synapses as they lie in a memory, those of a row one after the other.

    A row has one delay and one source: row = place in ``delays`` * sources + source; ``first [rows + 1]``.
    """

    delays: np.ndarray
    first: np.ndarray
    post: np.ndarray
    weight: np.ndarray


def listed(part: FixedSynapses) -> List:
    """The synapses in rows; those alike but for the weight are one, and those of weight 0 none."""
    synapses = part.synapses
    key = np.stack([synapses.delay, synapses.pre, synapses.post]).astype(np.int64)
    alike, inverse = np.unique(key, axis=1, return_inverse=True)
    weight = np.zeros(alike.shape[1], np.int64)
    np.add.at(weight, inverse.ravel(), part.weight)
    alike, weight = alike[:, weight != 0], weight[weight != 0]
    if not weight.size:  # a memory has at least one word
        alike, weight = np.zeros((3, 1), np.int64), np.zeros(1, np.int64)
    delays = np.unique(alike[0])
    row = np.searchsorted(delays, alike[0]) * synapses.source_size + alike[1]
    counts = np.bincount(row, minlength=len(delays) * synapses.source_size)
    return List(delays, np.concatenate([[0], np.cumsum(counts)]), alike[2], weight)
