"""``myelin verify``: the same stimulus through our engine and through an export, spike by spike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import _settings
from engine.cli._console import print_json
from engine.cli._deployed import Chosen, Deployed, To, chosen, deployed
from engine.cli._failures import PROBLEM, UsageError
from engine.cli._live import Live
from engine.cli._runs import Weights
from engine.cli._settings import Settings
from engine.data.store import data_root
from engine.export.report import DIFFERS, Report
from engine.export.target import Target
from engine.export.verify import export
from nodes.spec import Values


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document that is exported.")],
    to: To,
    artefact: Annotated[
        Path | None,
        typer.Option("--artefact", metavar="PATH", help="What was exported; by default it is exported anew."),
    ] = None,
    weights: Weights = None,
    option: Chosen = None,
    sets: _settings.Sets = None,
    stimulus: Annotated[
        Path | None,
        typer.Option("--stimulus", metavar="FILE.npz", help="Signals [steps, neurons] by name of the input."),
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Recordings of the test split.")] = 3,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps of each sample.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Keep the report and the signals here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run an export in its own software and compare every spike.

    Ends with status 1 where the artefact does something else than it should.
    """
    if artefact is not None and not artefact.exists():
        raise UsageError(f"{artefact}: there is no such file or folder")
    target, options = chosen(to, option, artefact)
    made = deployed(file, weights, Settings(set=tuple(sets or ())))

    from engine.backend.deployment import Trial

    trial = Trial(samples, steps, stimulus)
    with tempfile.TemporaryDirectory(prefix="myelin-verify-") as scratch:
        place = artefact or Path(scratch) / f"artefact{target.file}"
        report, origin = _report(target, place, made, trial, options, folder, anew=artefact is None)
    if as_json:
        print_json({**report.as_json(), "stimulus": origin})
    else:
        _show(report, origin)
    if report.status == DIFFERS:
        raise typer.Exit(PROBLEM)


def _report(
    target: Target,
    place: Path,
    made: Deployed,
    trial: object,
    options: Values,
    keep: Path | None,
    *,
    anew: bool,
) -> tuple[Report, str]:
    from engine.backend.deployment import Trial, proved, stimuli

    assert isinstance(trial, Trial)
    frozen = made.frozen
    with Live() as live:
        if anew:
            export(target, made.program, frozen, place, options)
        given = stimuli(made.program, frozen, trial, data_root())
        report = proved(
            target,
            place,
            frozen,
            made.arrays,
            given,
            options,
            progress=lambda what, done, total: live.counting(what)(done, total),
            keep=keep,
        )
    return report, given.origin


def _show(report: Report, origin: str) -> None:
    print(f"{report.label}: {report.status}; {report.message}")
    print(f"stimulus: {origin}, {report.steps:,} steps in all")
    for conversion in report.conversions:
        print(f"converted: {conversion.message}")
    for comparison in report.artefact:
        print(f"artefact against its reference: {comparison}")
    for comparison in report.cost:
        print(f"export against what was drawn: {comparison}")
    for name, value in report.figures.items():
        print(f"{name}: {value}")
