"""A network for simulators whose spikes need at least one step from cell to cell.

Nothing is lost by that: each population runs some steps later than drawn (``shift``), such that every hop
takes at least one, and what it gives is moved back when it is read.  Only a loop that is too short cannot
be helped; its hops are made one step longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np

from engine.codegen.expr import Call, Symbol
from engine.errors import MyelinError
from engine.export.folding import affine, fold, rewired
from engine.export.frozen import Frozen, Part, Synapses, Unit
from engine.export.target import Conversion, Converted
from engine.export.targets._cells import Cell, cell_of, changed, changes
from engine.export.targets._readouts import readouts
from engine.export.targets._script import identifiers
from engine.program import Source

BIAS = Source("bias", "output")  # fires in every step; its weights are the constant currents


@dataclass(frozen=True)
class Wires:
    """Synapses from a signal to a cell; ``delay`` in steps, at least 1; ``weight`` in units of the cell."""

    name: str
    source: Source
    target: str
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    delay: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What a script builds.  ``shift``: steps by which a population runs later than drawn.

    A spike that leaves an input in step t is played in step t; the cells of a population do their step t in
    step t + shift + 1 of the run.
    """

    frozen: Frozen
    units: tuple[Unit, ...]
    cells: Mapping[str, Cell]
    shift: Mapping[str, int]
    wires: tuple[Wires, ...]

    @property
    def latest(self) -> int:
        """The largest shift."""
        return max(self.shift.values(), default=0)

    @property
    def shortest(self) -> int:
        """The shortest delay: NEST hands over what was recorded so many steps later."""
        return min((int(wires.delay.min()) for wires in self.wires), default=1)

    def figures(self) -> dict[str, int]:
        """Numbers for the report."""
        synapses = sum(wires.pre.size for wires in self.wires)
        neurons = sum(unit.size for unit in self.units)
        return {"neurons": neurons, "synapses": synapses, "steps of latency": self.latest}


def simplified(frozen: Frozen) -> tuple[Frozen, tuple[Conversion, ...]]:
    """The network without what stands between projections and populations, and what that changed."""
    folded, conversions = fold(frozen)
    return _without_drives(_without_reshapes(folded)), conversions


def convert(frozen: Frozen) -> Converted:
    """The network of cells that there are."""
    drawn, conversions = simplified(frozen)
    parts: list[Part] = []
    found = [*conversions]
    for part in drawn.parts:
        different = changes(part.op) if isinstance(part, Unit) else {}
        for _, words in different.values():
            found.append(Conversion(f"'{part.op.name}' {words}", (part.id,)))
        if isinstance(part, Unit) and different:
            part = changed(part, {name: value for name, (value, _) in different.items()}, frozen.dt)
        parts.append(part)
    longer, late = _longer_loops(drawn.with_parts(parts))
    return Converted(longer, (Conversion("computed in double precision instead of single"), *found, *late))


def _without_reshapes(frozen: Frozen) -> Frozen:
    """The network without nodes that only give a signal another shape."""
    passed = {}
    for unit in frozen.units:
        expr = next(iter(unit.traced.outputs.values()))
        if isinstance(expr, Call) and expr.op == "reshape" and isinstance(expr.args[0], Symbol):
            passed[Source(unit.id, "output")] = unit.sources
    gone = {source.op for source in passed}
    return frozen.with_parts(rewired(part, passed) for part in frozen.parts if part.id not in gone)


def _without_drives(frozen: Frozen) -> Frozen:
    """Currents that come straight from outside, or are constant, as synapses of the same effect."""
    outside = set(frozen.inputs)
    return frozen.with_parts(_as_synapses(part, outside) for part in frozen.parts)


def _as_synapses(part: Part, outside: set[Source]) -> Part:
    if (
        not isinstance(part, Unit)
        or part.op.role in ("population", "readout")
        or not set(part.sources) <= outside
    ):
        return part
    if part.op.role == "encoder" and not part.sources:
        shift = _constant(part)
        index, scale = np.arange(0), np.zeros(0)
    else:
        found = affine(part)
        if found is None:
            return part
        (scale, shift), index = (side.ravel() for side in found), np.arange(part.size)
    late = np.zeros(index.size, np.int64)
    return Synapses(
        part.op,
        part.sources,
        part.shape,
        part.shape,
        index,
        index,
        np.asarray(scale, np.float64),
        late,
        shift,
    )


def _constant(unit: Unit) -> np.ndarray:
    """What a unit without input gives in each step."""
    found = affine(unit)
    assert found is not None, f"'{unit.op.name}' has no constant value"
    return found[1].ravel()


def _hops(frozen: Frozen) -> Iterable[tuple[Source, Synapses, Unit]]:
    """Every (signal, projection, population) along which spikes run."""
    late = {unit.id for unit in readouts(frozen)}
    for unit in frozen.units:
        for source in unit.sources if unit.id not in late else ():
            synapses = frozen.by_id[source.op]
            if not isinstance(synapses, Synapses):
                raise MyelinError(f"'{unit.op.name}' reads '{synapses.op.name}', which is no projection")
            yield from ((signal, synapses, unit) for signal in synapses.inputs)


def _early(unit: Unit) -> int:
    return int(unit.op.p.get("current") == "new")


def _longer_loops(frozen: Frozen) -> tuple[Frozen, list[Conversion]]:
    """Loops with fewer steps than hops get a step more in each hop that has none."""
    graph = nx.MultiDiGraph()
    hops = [(s.op, u.id, y, y.shortest - _early(u)) for s, y, u in _hops(frozen) if s not in frozen.inputs]
    graph.add_edges_from((a, b, {"spare": least - 1}) for a, b, _, least in hops)
    if not nx.negative_edge_cycle(graph, weight="spare"):
        return frozen, []
    together = {node: n for n, nodes in enumerate(nx.strongly_connected_components(graph)) for node in nodes}
    missing: dict[str, int] = {}
    for a, b, synapses, least in hops:
        if together[a] == together[b] and least < 1:
            missing[synapses.id] = max(missing.get(synapses.id, 0), 1 - least)
    parts = [
        replace(part, delay=part.delay + missing[part.id])
        if isinstance(part, Synapses) and part.id in missing
        else part
        for part in frozen.parts
    ]
    said = [
        Conversion(
            f"the delays of '{frozen.by_id[key].op.name}' are longer by {steps} of the steps that each hop "
            "needs: its loop is too short",
            (key,),
        )
        for key, steps in missing.items()
    ]
    return frozen.with_parts(parts), said


def plan(frozen: Frozen) -> Plan:
    """How a converted network runs."""
    late = {unit.id for unit in readouts(frozen)}
    units = tuple(unit for unit in frozen.units if unit.id not in late)
    cells = {unit.id: cell_of(unit, frozen.dt) for unit in units}
    shift = _shifts(frozen, cells)
    wires: list[Wires] = []
    for signal, synapses, unit in _hops(frozen):
        cell, post = cells[unit.id], synapses.post
        late_by = shift[unit.id] - cell.early - shift.get(signal.op, -1)
        weight = synapses.weight.astype(np.float64) * np.broadcast_to(cell.scale, unit.size)[post]
        name = f"{synapses.id}/{signal.op}/{unit.id}"
        wires.append(Wires(name, signal, unit.id, synapses.pre, post, weight, synapses.delay + late_by))
    wires += [_bias(unit, cells[unit.id], shift[unit.id], frozen) for unit in units if _offsets(unit, frozen)]
    return Plan(frozen, units, cells, shift, tuple(w for w in wires if w.pre.size))


def _shifts(frozen: Frozen, cells: Mapping[str, Cell]) -> dict[str, int]:
    """The least shifts at which each hop takes a step: longest paths."""
    shift = {key: cells[key].early * bool(_offsets(u, frozen)) for key, u in _units(frozen, cells).items()}
    hops = [
        (signal.op, unit.id, synapses.shortest - cells[unit.id].early)
        for signal, synapses, unit in _hops(frozen)
        if synapses.pre.size
    ]
    for _ in range(len(cells) + 1):
        for source, target, least in hops:
            shift[target] = max(shift[target], shift.get(source, -1) + 1 - least)
    return shift


def _units(frozen: Frozen, cells: Mapping[str, Cell]) -> dict[str, Unit]:
    return {unit.id: unit for unit in frozen.units if unit.id in cells}


def _offsets(unit: Unit, frozen: Frozen) -> list[Synapses]:
    """The projections that bring a constant current to a population."""
    parts = (frozen.by_id[source.op] for source in unit.sources if source.op in frozen.by_id)
    return [
        part for part in parts if isinstance(part, Synapses) and part.offset is not None and part.offset.any()
    ]


def _bias(unit: Unit, cell: Cell, shift: int, frozen: Frozen) -> Wires:
    """One synapse for each neuron from what fires in every step; one for each onset where they differ."""
    index = np.arange(unit.size)
    own = _offsets(unit, frozen)
    onset = np.concatenate([np.zeros(unit.size, np.int64) if s.onset is None else s.onset for s in own])
    weight = np.concatenate([s.offset.ravel() for s in own if s.offset is not None]) * np.tile(
        np.broadcast_to(cell.scale, unit.size), len(own)
    )
    post = np.tile(index, len(own))
    delay = onset + shift + 1 - cell.early
    return Wires(
        f"bias/{unit.id}", BIAS, unit.id, np.zeros_like(post), post, weight.astype(np.float64), delay
    )


def wire_names(made: Plan, names: Mapping[str, str]) -> dict[str, str]:
    """A name for every set of synapses: that of the projection where it is the only one of it."""
    wanted = {
        w.name: f"bias {names[w.target]}" if w.source == BIAS else names[w.name.split("/")[0]]
        for w in made.wires
    }
    return identifiers(wanted, {unit for key, unit in names.items() if key in made.cells})
