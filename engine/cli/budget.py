"""``myelin budget``: how much of a chip a network takes, and the energy of an inference, estimated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli._chips import known_chip
from engine.cli._console import out, percent, print_json, table
from engine.cli._documents import program_of
from engine.cli._failures import PROBLEM
from engine.document import load
from engine.export.hardware.budget import Budget, Estimate, Row
from engine.export.hardware.budget import budget as budget_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("budget")(budget)


def budget(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document.")],
    chip: Annotated[str, typer.Option(metavar="NAME", help="The chip; `myelin chips` lists them.")],
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of an inference; else the recipe's duration.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a network takes of a chip.

    Cores, neurons, synapses, memory, and the estimated energy of an inference.  The status is 1 where it does
    not fit.
    """
    target = known_chip(chip)
    found = budget_of(program_of(load(file), file), target, steps=steps)
    if as_json:
        print_json(found.to_json())
    else:
        _show(found)
    raise typer.Exit(0 if found.fits else PROBLEM)


def _show(found: Budget) -> None:
    rows = table(found.title, "used", "available", "part", "", right=("used", "available", "part"))
    for row in found.rows:
        rows.add_row(row.words, f"{row.used:,.0f}", *_of(row))
    out().print(rows)
    print(_energy(found.energy) if found.energy else found.note)


def _of(row: Row) -> tuple[str, str, str]:
    if row.available is None:
        return "", "", ""
    part = "" if row.fraction is None else percent(row.fraction)
    return f"{row.available:,.0f}", part, "too much" if row.over else ""


def _energy(energy: Estimate) -> str:
    counted = f"{energy.synaptic_operations:,.0f} synaptic operations, {energy.spikes:,.0f} spikes"
    return (
        f"estimated energy of {energy.steps:,} steps: {_joules(energy.nanojoules)} ({counted})\n"
        f"assumed: {energy.assumed}\nmodel: {energy.model}"
    )


def _joules(nanojoules: float) -> str:
    for unit in ("nJ", "uJ", "mJ"):
        if nanojoules < 1000:
            return f"{nanojoules:.3g} {unit}"
        nanojoules /= 1000
    return f"{nanojoules:.3g} J"
