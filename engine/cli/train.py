"""``myelin train``: learn weights and delays, keep the records, say what was reached."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli import _settings
from engine.cli._console import out, percent, print_json, table
from engine.cli._documents import learnable
from engine.cli._failures import STOPPED, UsageError, say
from engine.cli._live import Live, stop_request
from engine.cli._runs import new_run, newest
from engine.cli._settings import Settings
from engine.cli._training import Job, earlier_settings, epochs_done, fit
from engine.document import load

ARMS = {"learned": "learned delays", "none": "no delays"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document to train.")],
    out_: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for records and weights.")
    ] = None,
    sets: _settings.Sets = None,
    recipe: _settings.Recipe = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes over the training split.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Samples per step.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate of weights.")] = None,
    seed: _settings.Seed = None,
    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where to compute.")
    ] = "auto",
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=1024, help="Processes that share every batch (DDP).")
    ] = 1,
    delays: _settings.DelaysArm = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, or the newest.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also train without delays, and compare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Train a document.

    Ctrl-C stops and keeps the last whole epoch; --resume goes on from there.
    """
    shorthands = {"epochs": epochs, "batch": batch, "lr": lr}
    wanted = (*(recipe or ()), *(f"{key}={value}" for key, value in shorthands.items() if value is not None))
    settings = Settings(tuple(sets or ()), wanted, delays, seed)
    folder = out_ or (newest_root(file) if resume else new_run(file))
    job = Job(file.stem, file, folder, settings, device, resume, processes)
    jobs = arms(job) if compare else [resumed(job)]
    records = _fit_all(jobs)
    if as_json:
        print_json(dict(zip([job.name for job in jobs], records, strict=False)) if compare else records[0])
    else:
        summary(jobs, records)


def newest_root(file: Path) -> Path:
    """The folder of the newest run; of a comparison the folder of both arms."""
    folder = newest(file)
    return folder.parent if folder.name in ARMS else folder


def arms(job: Job) -> list[Job]:
    """The jobs that a comparison needs, alike but for the delays."""
    if job.settings.delays:
        raise UsageError("--compare trains with and without delays by itself: leave --delays out")
    document = load(job.file)
    if not learnable(document):
        raise UsageError(f"{job.file} has no learnable delays, so there is nothing to compare")
    pairs = [
        replace(job, name=arm, out=job.out / arm, settings=replace(job.settings, delays=arm)) for arm in ARMS
    ]
    return [
        resumed(arm) if (arm.out / "checkpoint.safetensors").exists() else replace(arm, resume=False)
        for arm in pairs
    ]


def resumed(job: Job) -> Job:
    """The job with the settings its folder was begun with, when it goes on with it."""
    return replace(job, settings=job.settings.over(earlier_settings(job.out))) if job.resume else job


def _fit_all(jobs: list[Job]) -> list[dict[str, Any]]:
    """Train one after the other; Ctrl-C ends the command."""
    records = []
    with Live() as live, stop_request() as should_stop:
        for job in jobs:
            records.append(fit(job, live, should_stop))
            if records[-1]["stopped"]:
                break
    if records[-1]["stopped"]:
        _stopped(jobs[len(records) - 1], len(jobs) > 1, records[-1]["recipe"]["epochs"])
    return records


def _stopped(job: Job, compare: bool, epochs: int) -> None:
    done, folder = epochs_done(job.out), job.out.parent if compare else job.out
    if not done:
        say("stopped before the first epoch was done; nothing is kept")
    else:
        again = f"myelin train {shlex.quote(str(job.file))} --resume --out {shlex.quote(str(folder))}"
        say(f"stopped after epoch {done} of {epochs}; go on with `{again}{' --compare' if compare else ''}`")
    raise typer.Exit(STOPPED)


def summary(jobs: list[Job], records: list[dict[str, Any]]) -> None:
    """The table of results with the chance line, and by which protocol they came about."""
    rows = table(
        "",
        "held-out",
        "95 % interval",
        "train",
        "loss",
        "time",
        right=("held-out", "95 % interval", "train", "loss", "time"),
    )
    for job, record in zip(jobs, records, strict=True):
        result, metrics = record["result"], record["metrics"]
        low, high = (percent(end) for end in result["interval"])
        train_part = percent(metrics["train_accuracy"]) if "train_accuracy" in metrics else ""
        rows.add_row(
            ARMS.get(job.name, job.name) if len(jobs) > 1 else job.name,
            percent(result["accuracy"]),
            f"{low} to {high}",
            train_part,
            f"{result['loss']:.4f}",
            f"{record['seconds']:.0f} s",
        )
    result = records[0]["result"]
    rows.add_row("chance", percent(result["chance"]))
    out().print(rows)
    print(label(records[0]))
    print(f"records: {jobs[0].out.parent if len(jobs) > 1 else jobs[0].out}")


def label(record: dict[str, Any]) -> str:
    """The protocol of a result in one line."""
    result = record["result"]
    return (
        f"protocol: {record['protocol']} of {record['recipe']['epochs']}; split '{result['split']}', "
        f"{result['samples']:,} samples, {len(result['classes'])} classes; seed {record['seed']}; "
        "95 % confidence interval by Wilson"
    )
