"""The files of a NeuroML network: cell types in LEMS, the network in NeuroML 2, the simulation in LEMS."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.export.frozen import Frozen, Synapses, Unit
from engine.export.targets._lems import SYNAPSE, ComponentType
from engine.export.targets._readouts import of_cells, readouts
from engine.export.targets._script import is_wide, part_names
from engine.program import Source

TYPES, INPUTS, NETWORK, SIMULATION = "types.xml", "inputs.xml", "network.net.nml", "LEMS_network.xml"
_NML = (
    '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.neuroml.org/schema/neuroml2 '
    'https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v2.3.xsd" id="network">'
)


@dataclass(frozen=True)
class Files:
    """Texts of a converted network."""

    frozen: Frozen

    @cached_property
    def names(self) -> dict[str, str]:
        """An identifier for each part."""
        return part_names(self.frozen)

    @cached_property
    def units(self) -> list[Unit]:
        """The populations."""
        late = {unit.id for unit in readouts(self.frozen)}
        return [unit for unit in self.frozen.units if unit.id not in late]

    @cached_property
    def cell_types(self) -> dict[str, ComponentType]:
        """The type of each population's cells."""
        return {unit.id: ComponentType(unit, f"{self.names[unit.id]}_cell") for unit in self.units}

    def alone(self, unit: Unit) -> bool:
        """Whether its neurons differ, so that each needs a component, and a population, of its own."""
        return any(is_wide(np.asarray(value)) for value in (*unit.values.values(), *unit.first.values()))

    def cell(self, source: Source, index: int) -> str:
        """The path of a cell in the network; an input is a population for each channel."""
        name = self.names[source.op]
        unit = self.frozen.by_id.get(source.op)
        if isinstance(unit, Unit) and not self.alone(unit):
            return f"{name}[{index}]"
        return f"{name}__{index}[0]"

    def types(self) -> str:
        """The ComponentTypes and the components of all cells."""
        lines = [
            SYNAPSE,
            *(made.xml() for made in self.cell_types.values()),
            '    <arrivalSynapse id="arrival"/>',
        ]
        for unit in self.units:
            made, name = self.cell_types[unit.id], self.names[unit.id]
            each = range(unit.size) if self.alone(unit) else [None]
            lines += [made.component(f"{name}_is" + (f"_{n}" if n is not None else ""), n) for n in each]
        return _lems(lines)

    def inputs(self, signals: Mapping[Source, np.ndarray], steps: int) -> str:
        """A spike array for each channel, and one that fires in every step where there are biases."""
        lines = []
        for source, shape in self.frozen.inputs.items():
            counts = np.zeros((steps, math.prod(shape)), int)
            known = signals.get(source, np.zeros((0, *shape)))
            counts[: len(known)] = np.reshape(known, (-1, counts.shape[1]))[:steps]
            for channel, column in enumerate(counts.T):
                lines += self._spikes(
                    f"{self.names[source.op]}_is_{channel}", np.repeat(np.arange(steps), column)
                )
        if self._biased():
            lines += self._spikes("bias_is_0", np.arange(steps))
        return _lems(lines)

    def _spikes(self, id: str, steps: np.ndarray) -> list[str]:
        # half a step early: the simulator's clock is a sum of rounded steps, and an event waits for it
        spikes = [
            f'        <spike id="{number}" time="{(step + 0.5) * self.frozen.dt:.12g}ms"/>'
            for number, step in enumerate(steps.tolist())
        ]
        return [f'    <spikeArray id="{id}">', *spikes, "    </spikeArray>"]

    def _biased(self) -> bool:
        return any(part.offset is not None and part.offset.any() for part in self.frozen.synapses)

    def network(self) -> Iterator[str]:
        """The network in NeuroML 2, line by line: populations in the order in which a step runs them."""
        yield f'{_NML}\n    <network id="net">\n'
        sources = [(self.names[s.op], math.prod(shape)) for s, shape in self.frozen.inputs.items()]
        for name, size in [*sources, *([("bias", 1)] if self._biased() else [])]:
            for channel in range(size):
                yield _population(f"{name}__{channel}", f"{name}_is_{channel}", 1)
        for unit in self.units:
            name = self.names[unit.id]
            if not self.alone(unit):
                yield _population(name, f"{name}_is", unit.size)
                continue
            for n in range(unit.size):
                yield _population(f"{name}__{n}", f"{name}_is_{n}", 1)
        for unit in self.units:
            for source in unit.sources:
                part = self.frozen.by_id[source.op]
                assert isinstance(part, Synapses)
                yield from self._projections(part, unit)
        yield "    </network>\n</neuroml>\n"

    def _projections(self, synapses: Synapses, unit: Unit) -> Iterator[str]:
        post = Source(unit.id, "spikes")
        name = f"{self.names[synapses.id]}_to_{self.names[unit.id]}"
        for number, source in enumerate(synapses.inputs):
            rows = zip(
                *(
                    a.tolist()
                    for a in (synapses.pre, synapses.post, synapses.weight.astype(float), synapses.delay)
                ),
                strict=True,
            )
            ends = [(self.cell(source, i), self.cell(post, j), w, d) for i, j, w, d in rows]
            yield from self._connected(f"{name}_{number}" if number else name, ends)
        if synapses.offset is not None and synapses.offset.any():
            late = np.zeros(synapses.target_size, int) if synapses.onset is None else synapses.onset
            bias = zip(
                range(synapses.target_size),
                synapses.offset.ravel().astype(float).tolist(),
                late.tolist(),
                strict=True,
            )
            yield from self._connected(
                f"{name}_bias", [("bias__0[0]", self.cell(post, j), w, d) for j, w, d in bias]
            )

    def _connected(self, name: str, ends: list[tuple[str, str, float, int]]) -> Iterator[str]:
        """Projections between every two populations that the connections join."""
        groups: dict[tuple[str, str], list[tuple[str, str, float, int]]] = {}
        for end in ends:
            groups.setdefault((end[0].split("[")[0], end[1].split("[")[0]), []).append(end)
        for number, ((pre, post), rows) in enumerate(groups.items()):
            yield (
                f'        <projection id="{name}_{number}" presynapticPopulation="{pre}" '
                f'postsynapticPopulation="{post}" synapse="arrival">\n'
            )
            for k, (a, b, weight, steps) in enumerate(rows):
                delay = max(0.0, steps - 0.5)  # as with spikes
                yield (
                    f'            <connectionWD id="{k}" preCellId="../{a}" postCellId="../{b}" '
                    f'weight="{weight!r}" delay="{delay * self.frozen.dt:.12g}ms"/>\n'
                )
            yield "        </projection>\n"

    def simulation(self, steps: int) -> str:
        """What to run and to record: events of spikes, columns of other signals."""
        wanted, lines = of_cells(self.frozen), []
        for source in wanted:
            name, cells = (
                self.names[source.op],
                [self.cell(source, n) for n in range(math.prod(self.frozen.shape(source)))],
            )
            if source.port == "spikes":
                lines.append(
                    f'        <EventOutputFile id="{name}" fileName="{name}.spikes" format="ID_TIME">'
                )
                lines += [
                    f'            <EventSelection id="{n}" select="{c}" eventPort="spike"/>'
                    for n, c in enumerate(cells)
                ]
                lines.append("        </EventOutputFile>")
            else:
                variable = self.cell_types[source.op].variables[source.port]
                lines.append(
                    f'        <OutputFile id="{name}_{source.port}" fileName="{name}.{source.port}">'
                )
                lines += [
                    f'            <OutputColumn id="{n}" quantity="{c}/{variable}"/>'
                    for n, c in enumerate(cells)
                ]
                lines.append("        </OutputFile>")
        length, step = (f"{n * self.frozen.dt:.12g}ms" for n in (steps + 1, 1))
        head = ['    <Target component="simulation"/>']
        head += [f'    <Include file="{name}"/>' for name in ("Cells.xml", "Networks.xml", "Simulation.xml")]
        head += [f'    <Include file="{name}"/>' for name in (TYPES, INPUTS, NETWORK)]
        head.append(f'    <Simulation id="simulation" length="{length}" step="{step}" target="net">')
        return _lems([*head, *lines, "    </Simulation>"])


def _population(id: str, component: str, size: int) -> str:
    return f'        <population id="{id}" component="{component}" size="{size}"/>\n'


def _lems(lines: list[str]) -> str:
    # jNeuroML cannot include a file that holds nothing but its outer element
    return "\n".join(["<Lems>", *(lines or ["    <!-- nothing -->"]), "</Lems>", ""])
