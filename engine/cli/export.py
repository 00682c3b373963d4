"""``myelin export``: write a network for another program or a chip."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import _settings
from engine.cli._console import print_json
from engine.cli._deployed import Chosen, To, chosen, deployed
from engine.cli._documents import line
from engine.cli._failures import PROBLEM
from engine.cli._runs import Weights
from engine.cli._settings import Settings
from engine.export.target import checked, verdict
from engine.export.verify import export


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export_command)


def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document to export.")],
    to: To,
    path: Annotated[Path, typer.Option("-o", "--out", metavar="PATH", help="File or folder to write.")],
    weights: Weights = None,
    option: Chosen = None,
    sets: _settings.Sets = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Export a document.

    What the target cannot take is named first, and then nothing is written; every conversion is said.
    """
    target, options = chosen(to, option)
    made = deployed(file, weights, Settings(set=tuple(sets or ())))
    problems = checked(target, made.program, options)
    for problem in problems:
        if problem.severity != "info":
            print(line(file, problem), file=sys.stderr)
    if verdict(problems) == "impossible":
        raise typer.Exit(PROBLEM)
    converted = export(target, made.program, made.frozen, path, options)
    sentences = [conversion.message for conversion in converted.conversions]
    if as_json:
        origin = None if made.weights is None else str(made.weights)
        print_json({"path": str(path), "target": target.id, "weights": origin, "conversions": sentences})
        return
    print(f"{path}: {target.label}, weights {made.weights or 'as they are drawn, untrained'}")
    for sentence in sentences:
        print(f"converted: {sentence}")
    again = ["verify", str(file), "--to", target.id, "--artefact", str(path)]
    again += [] if weights is None else ["--weights", str(weights)]
    again += [word for text in option or () for word in ("--option", text)]
    again += [word for text in sets or () for word in ("--set", text)]
    print(f"see whether it does the same: myelin {shlex.join(again)}")
