"""``myelin import``: a document of a file from other software."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli._console import out
from engine.cli._documents import line
from engine.cli._failures import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to import: .nir")],
    out_: Annotated[Path, typer.Option("-o", "--out", metavar="X.myelin", help="Document to write.")],
    dialect: Annotated[
        str, typer.Option("--dialect", metavar="NAME", help="Who wrote the file; `auto` finds out.")
    ] = "auto",
    dt: Annotated[
        float | None,
        typer.Option("--dt", metavar="MS", help="Length of a step, where the file leaves it open."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Import a network of other software.

    Writes a document, and its weights beside it as .safetensors.  What the file leaves open is assumed and
    said; what a document cannot hold ends the import, and nothing is written.
    """
    from engine.export.imports import read, save, weights_file

    for place in (out_, weights_file(out_)):
        if place.exists() and not force:
            raise UsageError(f"{place} exists: name another with -o, or replace it with --force")
    if dt is not None and not 1e-3 <= dt <= 1e4:
        raise UsageError(f"--dt cannot be {dt:g} ms: a step lasts 0.001 to 10,000 ms")
    imported = read(file, dialect=dialect, dt_ms=dt)
    for diagnostic in imported.diagnostics:
        print(line(file, diagnostic), file=sys.stderr)
    save(imported, out_)
    nodes = len(imported.document.nodes)
    out().print(f"{out_}: {nodes} nodes, steps of {imported.document.meta['dt_ms']:g} ms")
