"""``myelin targets``: where a network can be exported to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli._console import out, print_json, table
from engine.cli._documents import program_of
from engine.document import load
from engine.export.target import Target, checked, discover, options_of, verdict
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
    found = [_row(target, program) for target in discover().values()]
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


def _row(target: Target, program: Program | None) -> dict[str, Any]:
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
        problems = checked(target, program, options_of(target))
        row["verdict"] = verdict(problems)
        row["problems"] = [str(d) for d in problems if d.severity != "info"]
    return row
