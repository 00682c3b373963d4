"""``myelin compile``: the program a document becomes, as text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli._documents import line, required
from engine.cli._failures import UsageError, nearest
from engine.compile import compile_document
from engine.compile.pipeline import pipeline
from engine.document import load


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compile")(compile_)


def compile_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document to compile.")],
    print_after: Annotated[
        str,
        typer.Option("--print-after", metavar="PASS|all", help="Print what a pass leaves, or every pass."),
    ] = "",
) -> None:
    """Compile a document and print the program.

    Its stages, ops with shapes and delays, and records.
    """
    if print_after not in ("", "all", *pipeline()):
        raise UsageError(
            f"there is no pass {print_after!r} ({nearest(print_after, pipeline(), 'the passes are')})"
        )
    compiled = compile_document(load(file), print_after)
    for name, text in compiled.printed.items():
        print(f"-- after {name}\n{text}")
    sys.stdout.flush()
    for diagnostic in compiled.diagnostics:
        print(line(file, diagnostic), file=sys.stderr)
    program = required(compiled)
    if not print_after:
        print(program.text(), end="")
