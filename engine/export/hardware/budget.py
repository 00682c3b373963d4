"""Budget: how much of a chip a network takes, and an estimate of the energy of one inference.

Nothing is measured here: amounts follow from the drawing (``footprint`` says how), energy from the model
in the chip's file, which the budget names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.export.hardware.chips import Chip, Energy
from engine.export.hardware.demand import Demand, demand, origin
from engine.export.hardware.footprint import amounts, hop_steps
from engine.program import Program
from engine.recipe import recipe

ASSUMED = 0.05
"""Spikes of a neuron or input in a step where nothing was measured."""


@dataclass(frozen=True)
class Row:
    """One resource.  ``available`` and ``fraction`` are None where the chip has no such limit, or none known.

    ``node``: the node of the document that takes the most, ``source``: where the limit was read.
    """

    name: str
    words: str
    used: float
    available: float | None
    fraction: float | None
    node: str
    source: str

    @property
    def over(self) -> bool:
        """Whether more is needed than there is."""
        return self.available is not None and self.used > self.available


@dataclass(frozen=True)
class Estimate:
    """Energy of one inference of ``steps`` steps in nJ, what it is made of, and what was assumed."""

    nanojoules: float
    parts: Mapping[str, float]
    steps: int
    spikes: float
    synaptic_operations: float
    model: str
    assumed: str
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Budget:
    """What a program takes of a chip.  ``energy`` is None where no model is known; ``note`` then says so."""

    chip: str
    title: str
    rows: tuple[Row, ...]
    energy: Estimate | None
    note: str

    @property
    def fits(self) -> bool:
        """Whether no row is over."""
        return not any(row.over for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            **asdict(self),
            "rows": [asdict(row) | {"over": row.over} for row in self.rows],
            "fits": self.fits,
        }


def budget(
    program: Program, chip: Chip, activity: Mapping[str, float] | None = None, steps: int | None = None
) -> Budget:
    """What ``program`` takes of ``chip``.

    ``activity``: spikes of a neuron in a step, by the id of its op (populations and sources of input), as
    measured; what is not in it is taken to fire in 5 % of the steps.  ``steps``: length of one inference; by
    default that of a run without data (recipe ``run``, ``duration``).
    """
    asked = demand(program)
    rows = tuple(_rows(asked, chip))
    length = steps if steps is not None else _steps(program)
    energy = _energy(asked, chip.energy, activity or {}, length) if chip.energy else None
    note = "" if energy else f"no energy per operation is known for {chip.title}"
    return Budget(chip.id, chip.title, rows, energy, note)


def _steps(program: Program) -> int:
    duration: float = recipe("run", program.recipes).duration
    return max(1, round(duration / program.dt))


def _rows(asked: Demand, chip: Chip) -> Iterator[Row]:
    for amount in amounts(asked, chip):
        node = origin(amount.largest) if amount.largest else ""
        yield _row(chip, amount.name, amount.words, amount.used, node)
    weights = sum(link.weights for link in asked.links.values())
    yield _row(chip, "weights", "weights, shared ones counted once", weights, "")
    layers = list(asked.layers.values())
    for name, words, used in (
        ("fan_in", "synapses onto a neuron, at most", [(x.fan_in, x.op) for x in layers]),
        ("fan_out", "synapses from a neuron, at most", [(x.fan_out, x.op) for x in layers]),
        (
            "delay_steps",
            "steps of delay, at most",
            [(_delay(asked, chip, k), asked.links[k].op) for k in asked.links],
        ),
    ):
        most, op = max(used, key=lambda pair: pair[0], default=(0.0, None))
        yield _row(chip, name, words, most, origin(op) if op else "")


def _delay(asked: Demand, chip: Chip, key: str) -> float:
    link = asked.links[key]
    return max(0, link.delay_steps - hop_steps(asked, link, chip))


def _row(chip: Chip, name: str, words: str, used: float, node: str) -> Row:
    limit = chip.limit(name)
    available = limit.max if limit else None
    fraction = used / available if available else None
    return Row(name, words, used, available, fraction, node, limit.source if limit else "")


def _energy(asked: Demand, energy: Energy, activity: Mapping[str, float], steps: int) -> Estimate:
    """Spikes and their synapses, neurons' steps, and what the chip takes anyway."""
    emitted = {key: layer.neurons for key, layer in asked.layers.items()}
    emitted |= {source.op: width for source, width in asked.inputs.items()}
    rate = {key: activity.get(key, ASSUMED) for key in emitted}
    spikes = steps * sum(rate[key] * emitted[key] for key in asked.layers)
    operations = steps * sum(
        rate[source.op] * link.connections
        for link in asked.links.values()
        for source in link.sources
        if source.op in rate
    )
    parts = {
        "synapses": operations * energy.value("synapse_pj") / 1000,
        "neurons": steps * asked.neurons * energy.value("update_pj") / 1000,
        "spikes": spikes * energy.value("spike_pj") / 1000,
        "static": energy.value("static_mw") * steps * asked.program.dt * 1000,  # mW ms are uJ
    }
    guessed = len(rate.keys() - activity.keys())
    sources = {name: cost.source for name, cost in energy.costs.items()}
    return Estimate(
        sum(parts.values()),
        parts,
        steps,
        spikes,
        operations,
        energy.model,
        _assumed(guessed, len(rate)),
        sources,
    )


def _assumed(guessed: int, known: int) -> str:
    if not guessed:
        return "spikes as measured"
    which = "every" if guessed == known else f"{guessed} of {known}"
    plural = "population and input" if guessed == known else "populations and inputs"
    return f"{which} {plural} taken to fire in {ASSUMED:.0%} of the steps: nothing was measured"
