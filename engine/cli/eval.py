"""``myelin eval``: how well trained weights do on a split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli import _settings
from engine.cli._console import out, percent, print_json, table
from engine.cli._live import Live
from engine.cli._network import Device, own_weights, trained
from engine.cli._runs import Weights, weights_of
from engine.cli._settings import Settings
from engine.data.store import data_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluate)


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document that was trained.")],
    weights: Weights = None,
    split: Annotated[str, typer.Option("--split", help="Split of the data set to judge.")] = "test",
    sets: _settings.Sets = None,
    seed: _settings.Seed = None,
    device: Device = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge trained weights on a split.

    Accuracy with its interval, chance, and the accuracy of every class.
    """
    own = own_weights(file) if weights is None else None
    checkpoint = None if own else weights_of(weights, file)
    network, document = trained(file, checkpoint, Settings(set=tuple(sets or ()), seed=seed), device)

    from engine.backend import evaluation
    from engine.backend.data import Split
    from engine.backend.recorded import with_interval
    from engine.recipe import recipe

    with Live() as live:
        data = Split(network.program, split, data_root(), progress=live.counting(f"reading {split}"))
        found = with_interval(
            evaluation.evaluate(
                network,
                data,
                batch=recipe("train", document.recipes).batch,
                on_progress=live.counting(f"judging {split}"),
            )
        )
    if as_json:
        print_json({"file": str(file), "weights": str(own or checkpoint), **found})
        return
    low, high = (percent(end) for end in found["interval"])
    accuracy = f"accuracy {percent(found['accuracy'])} (95 % interval {low} to {high})"
    print(f"{accuracy}, chance {percent(found['chance'])}, loss {found['loss']:.4f}")
    print(f"split '{split}', {found['samples']:,} samples; weights {own or checkpoint}")
    rows = table("class", "right", "of", right=("right", "of"))
    for name, row, number in zip(
        found["classes"], found["confusion"], range(len(found["classes"])), strict=True
    ):
        rows.add_row(name, percent(row[number] / sum(row)) if sum(row) else "", f"{sum(row):,}")
    out().print(rows)
