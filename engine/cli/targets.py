"""``myelin targets``: where a network can be exported to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.arrays import drawn
from engine.cli._console import out, print_json, table
from engine.cli._documents import program_of
from engine.cli._live import Live, Tick
from engine.document import load
from engine.errors import MyelinError
from engine.export.freeze import freeze
from engine.export.frozen import Frozen
from engine.export.target import Target, checked, discover, options_of, verdict
from engine.export.verify import rehearsed
from engine.program import Program


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("targets")(targets)


def targets(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Say which targets take this document."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the export targets and, for a document, which of them take it."""
    program = None if file is None else program_of(load(file), file)
    with Live() as live:
        found = list(_rows(program, live.counting("asking the targets")))
    if as_json:
        print_json(found)
        return
    rows = table("target", "group", "what it is", *(["this document"] if program else []), "verified in")
    for row in found:
        verdicts = [row["verdict"]] if program else []
        rows.add_row(row["id"], row["group"], row["label"], *verdicts, row["software"] or "")
    out().print(rows)
    for row in found if program else ():
        for sentence in row["problems"]:
            print(f"{row['id']}: {sentence}")


def _rows(program: Program | None, tick: Tick) -> Iterator[dict[str, Any]]:
    known = discover().values()
    frozen = _frozen(program) if program else None
    for number, target in enumerate(known):
        tick(number, len(known))
        yield _row(target, program, frozen)


def _frozen(program: Program) -> Frozen | None:
    """The network with its first weights; None where it cannot be frozen, which the targets' checks say."""
    try:
        return freeze(program, drawn(program))
    except MyelinError:
        return None


def _row(target: Target, program: Program | None, frozen: Frozen | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": target.id,
        "label": target.label,
        "group": target.group,
        "file": target.file,
        "software": target.software,
        "doc": (target.__doc__ or "").strip().splitlines()[0],
        "options": {
            name: {"default": p.default, "choices": list(p.choices), "doc": p.doc}
            for name, p in target.options.items()
        },
    }
    if program is not None:
        options = options_of(target)
        problems = rehearsed(target, frozen, options) if frozen else checked(target, program, options)
        row["verdict"] = verdict(problems)
        row["problems"] = [str(d) for d in problems if d.severity != "info"]
    return row
