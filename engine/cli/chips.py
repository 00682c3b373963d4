"""``myelin chips``: what hardware there is, and the limits of each with where they were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.cli._chips import known_chip
from engine.cli._console import out, print_json, table
from engine.cli._failures import say
from engine.export.hardware.chips import ENERGY, LIMITS, Chip, Part, problems
from engine.export.hardware.chips import chips as known_chips
from nodes import registry


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chips")(chips)


def chips(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A chip, for its limits and sources.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List chips, or show the limits of one and where each number was read."""
    for problem in problems():
        say(problem)
    shown = [known_chip(name)] if name else list(known_chips().values())
    if as_json:
        print_json({chip.id: as_dict(chip) for chip in shown})
    else:
        out().print(page(shown[0]) if name else listing(shown))


def as_dict(chip: Chip) -> dict[str, Any]:
    """A chip as JSON."""
    limits = {name: asdict(limit) | {"verified": limit.verified} for name, limit in chip.limits.items()}
    return {**asdict(chip), "limits": limits}


def listing(shown: Iterable[Chip]) -> RenderableType:
    """All chips, one line each."""
    rows = table("chip", "name", "neurons", "delays", "exports", right=("neurons", "delays"))
    for chip in shown:
        most = (chip.most("neurons") or chip.most("hidden"), chip.most("delay_steps"))
        numbers = ("" if number is None else f"{number:,.0f}" for number in most)
        rows.add_row(chip.id, chip.title, *numbers, ", ".join(chip.exports) or "none")
    return rows


def page(chip: Chip) -> Group:
    """One chip: what it is, what it can hold, and where that was read."""
    head = [f"{chip.title} ({chip.id}), {chip.maker}", chip.about]
    head.append(f"exports: {', '.join(chip.exports) or 'none'}")
    limits = _sourced("limit", "value", "of")
    for name, limit in chip.limits.items():
        limits.add_row(name, str(limit), LIMITS[name], limit.source)
    blocks: list[RenderableType] = [Text("\n".join(head)), "", limits]
    blocks += ["", _parts("neuron", chip.neurons)] if chip.neurons else []
    blocks += ["", _parts("projection", chip.projections)] if chip.projections else []
    return Group(*blocks, *_energy(chip))


def _sourced(*columns: str) -> Table:
    """A table whose last column is where a number was read, never cut short."""
    rows = table(*columns, "source")
    rows.columns[-1].overflow = "fold"
    return rows


def _parts(what: str, parts: Iterable[Part]) -> RenderableType:
    rows = _sourced(what, "conventions")
    for part in parts:
        types = [spec.label if (spec := registry.get(type)) else type for type in part.types]
        held = [f"{name} {' or '.join(map(str, values))}" for name, values in part.only.items()]
        held += [f"{name} at most {value:g}" for name, value in part.most.items()]
        where = f" ({part.where})" if part.where else ""
        rows.add_row((", ".join(types) or "none of ours") + where, "; ".join(held) or "any", part.source)
    return rows


def _energy(chip: Chip) -> list[RenderableType]:
    if chip.energy is None:
        return ["", "energy: no model is known"]
    rows = _sourced("energy", "value", "of")
    for name, cost in chip.energy.costs.items():
        rows.add_row(name, f"{cost.value:,g}", ENERGY[name], cost.source)
    return ["", Text(f"energy model: {chip.energy.model}"), rows]
