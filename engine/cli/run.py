"""``myelin run``: simulate, keep the records, say how much each population fired."""

from __future__ import annotations

import math
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from engine.cli import _settings
from engine.cli._console import out, print_json, table
from engine.cli._failures import UsageError, say
from engine.cli._live import Live
from engine.cli._network import Device, own_weights, trained
from engine.cli._runs import about, new_run, weights_of
from engine.cli._settings import Settings
from engine.data.store import data_root
from engine.document.document import distinct
from engine.program import Program, Record, Source
from engine.recipe import recipe as recipe_of
from engine.runs import folder_of_run, write_record
from nodes.spec import Values
from nodes.words import number

if TYPE_CHECKING:
    from engine.backend.network import Network
    from engine.run.worker.health import Health

HIDDEN = ("type", "resolved")  # of a diagnosis: what only a window needs
Arrays = dict[str, np.ndarray]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document to simulate.")],
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            metavar="RUN|FILE|newest",
            help="Trained weights; by default what the document names, else the initial ones.",
        ),
    ] = None,
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="MS", help="How long to run, in ms.")
    ] = None,
    out_: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for the records.")] = None,
    sets: _settings.Sets = None,
    recipe: _settings.Recipe = None,
    seed: _settings.Seed = None,
    device: Device = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Simulate a document.

    Writes what its probes record; without probes, the spikes of every population.
    """
    settings = Settings(tuple(sets or ()), tuple(recipe or ()), seed=seed)
    checkpoint = None if weights is None else weights_of(weights, file)
    network, document = trained(file, checkpoint, settings, device, observed)
    used = checkpoint or own_weights(file)
    folder, begun = out_ or new_run(file), time.monotonic()
    with folder_of_run(folder), Live() as live:
        health = watch_over(network, used is None)
        chosen = recipe_of("run", document.recipes)
        recorded, steps, samples = _simulate(network, chosen, duration, live, health)
        health.finish()
    kept = {record.name: recorded[record.name] for record in network.program.records if record.probe}
    report = {
        "kind": "run",
        "status": "done",
        **about(document, file, settings, device),
        "weights": str(used) if used else None,
        "steps": steps,
        "samples": samples,
        "dt_ms": network.program.dt,
        "duration_ms": steps * network.program.dt,
        "populations": activity(network.program, recorded),
        "diagnoses": [{k: v for k, v in one.items() if k not in HIDDEN} for one in health.said],
        "probes": {name: list(array.shape) for name, array in kept.items()},
        "seconds": round(time.monotonic() - begun, 3),
    }
    write_record(folder, report)
    write_probes(folder / "probes.npz", kept)
    if as_json:
        print_json(report)
    else:
        _show(network.program, report, folder)


def watch_over(network: Network, fresh: bool) -> Health:
    """The watch over a network; ``fresh``: its weights are as they are drawn."""
    from engine.run.worker.health import Health, trained_parameters

    return Health(network.program, trained_parameters(network), lambda op: fresh)


def observed(program: Program) -> Program:
    """The program with records of every population's spikes besides its probes.

    A record that no probe asked for has an empty ``probe``, unless there is no probe at all.
    """
    seen, names = spike_records(program), {record.name for record in program.records}
    extra = []
    for op in program.of_role("population"):
        if "spikes" in op.spec.outputs and op.id not in seen:
            name = distinct(op.name, names)
            names.add(name)
            extra.append(Record(name, "" if program.records else op.id, Source(op.id, "spikes"), "signal"))
    return replace(program, records=(*program.records, *extra))


def spike_records(program: Program) -> dict[str, Record]:
    """For each population whose spikes are recorded, one record of them."""
    found = [r for r in program.records if r.records == "signal" and r.source.port == "spikes"]
    return {r.source.op: r for r in found if program.ops[r.source.op].role == "population"}


def _simulate(
    network: Network, chosen: Values, duration: float | None, live: Live, health: Health
) -> tuple[Arrays, int, int]:
    """Records by name, steps, and how many samples ran side by side."""
    from engine.backend import evaluation
    from engine.backend.data import Split

    program = network.program
    if program.of_role("dataset"):
        tick = live.counting(f"reading {chosen.split}")
        batch = Split(program, chosen.split, data_root(), limit=chosen.samples, progress=tick)
        ((source, signal),) = batch[range(len(batch))].inputs.items()
        steps = len(signal) + program.tail if duration is None else _steps(duration, program.dt)
        inputs, samples = {source: signal[:steps].to(evaluation.network_device(network))}, len(batch)
    else:
        steps, inputs, samples = _steps(chosen.duration if duration is None else duration, program.dt), {}, 1
    found = evaluation.simulate(
        network, inputs, steps=steps, batch=samples, on_progress=live.counting("step"), watch=health
    )
    return found, steps, samples


def _steps(duration: float, dt: float) -> int:
    if not 0.5 * dt <= duration < math.inf:
        raise UsageError(
            f"a run of {number(duration, 'ms')} with steps of {dt:g} ms is not possible: change --duration"
        )
    return max(1, round(duration / dt))


def activity(program: Program, recorded: Arrays) -> list[dict[str, Any]]:
    """How much each population fired."""
    return [
        {"name": program.ops[op].name, **_count(recorded[record.name], program.dt)}
        for op, record in spike_records(program).items()
    ]


def _count(spikes: np.ndarray, dt: float) -> dict[str, Any]:
    """Of spikes ``[time, samples, *shape]``: how many neurons and spikes, and the mean rate."""
    steps, samples = spikes.shape[:2]
    neurons, count = int(np.prod(spikes.shape[2:])), int(spikes.sum(dtype=np.float64))
    rate = count / (neurons * samples * steps * dt / 1000.0)
    return {"neurons": neurons, "spikes": count, "rate_hz": rate}


def write_probes(path: Path, arrays: Arrays) -> None:
    """An .npz file, whole or not at all.  (numpy's savez has argument names that a probe may bear.)"""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)  # type: ignore[no-untyped-call]
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _show(program: Program, report: dict[str, Any], folder: Path) -> None:
    if report["weights"] is None and program.of_role("loss"):
        say("these are untrained weights; `--weights newest` takes those of the newest run")
    rows = table("population", "neurons", "rate (Hz)", "spikes", right=("neurons", "rate (Hz)", "spikes"))
    for one in report["populations"]:
        rows.add_row(one["name"], f"{one['neurons']:,}", f"{one['rate_hz']:.2f}", f"{one['spikes']:,}")
    out().print(rows)
    for one in report["diagnoses"]:
        print(
            f"{one['severity']} {one['code']}: {one['text']}" + (f" ({one['hint']})" if one["hint"] else "")
        )
    many = f"{report['samples']} samples of " if report["samples"] > 1 else ""
    print(f"{many}{number(report['duration_ms'], 'ms')} in {report['steps']:,} steps; records: {folder}")
