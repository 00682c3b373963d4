"""``myelin quantise``: what fewer bits cost, before and after training with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli import _settings
from engine.cli._console import out, percent, print_json, size, table
from engine.cli._failures import UsageError, nearest
from engine.cli._live import Live
from engine.cli._network import own_weights
from engine.cli._quantising import FLOAT, Row, Task, compare, words
from engine.cli._runs import Weights, weights_of
from engine.cli._settings import Settings
from engine.export.quantise import Quantisation
from engine.recipe import TRAIN

SUFFIX = ".safetensors"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("quantise")(quantise)


def quantise(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document that was trained.")],
    weights: Weights = None,
    bits: Annotated[
        str,
        typer.Option("--bits", metavar="K,K,...", help=f"Bits of weights, 2 to 16; {FLOAT} is as they are."),
    ] = "8,6,4,3,2",
    per: Annotated[
        str,
        typer.Option("--per", metavar="tensor|channel", help="What shares a scale; both with a comma."),
    ] = "tensor",
    scale: Annotated[
        str,
        typer.Option("--scale", metavar="mse|max|power_of_two", help="How the scale of weights is chosen."),
    ] = "mse",
    neuron_bits: Annotated[int, typer.Option("--neuron-bits", help="Bits of trained neuron parameters.")] = 0,
    state_bits: Annotated[int, typer.Option("--state-bits", help="Bits of what neurons keep.")] = 0,
    delay_bits: Annotated[int, typer.Option("--delay-bits", help="Bits of delays.")] = 0,
    train: Annotated[
        int, typer.Option("--train", min=0, metavar="EPOCHS", help="Also train on with the bits in force.")
    ] = 0,
    recipe: _settings.Recipe = None,
    out_: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Keep the quantised weights.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Split of the data set to judge.")] = "test",
    sets: _settings.Sets = None,
    seed: _settings.Seed = None,
    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where to train.")
    ] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Quantise trained weights, and judge them before and after.

    Weights, trained neuron parameters, state and delays have their own bits.  With --train the network is
    also trained on, quantised, from the same weights; --recipe changes how.
    """
    one = Quantisation(0, "tensor", _one_of(scale, "quantise_scale"), neuron_bits, state_bits, delay_bits)
    shared = [_one_of(word, "quantise_per") for word in per.split(",")]
    trials = [replace(one, weights=_bits(word), per=each) for each in shared for word in bits.split(",")]
    _check_out(out_, trials)
    checkpoint = (own_weights(file) if weights is None else None) or weights_of(weights, file)
    settings = Settings(set=tuple(sets or ()), seed=seed)
    task = Task(file, checkpoint, settings, trials, train, tuple(recipe or ()), split, device, out_)
    with Live() as live:
        rows = compare(task, live)
    if as_json:
        print_json(_json(task, rows))
    else:
        _print(task, rows)


def _bits(word: str) -> int:
    if not word.strip().isdecimal():
        raise UsageError(f"--bits takes numbers separated by commas, not {word!r}")
    return 0 if int(word) == FLOAT else int(word)


def _one_of(word: str, setting: str) -> str:
    choices = TRAIN[setting].choices
    if word not in choices:
        option = setting.replace("quantise_", "--")
        raise UsageError(f"{option} cannot be {word!r} ({nearest(word, choices, 'there are')})")
    return word


def _check_out(path: Path | None, trials: list[Quantisation]) -> None:
    if path is None:
        return
    if len(trials) > 1:
        raise UsageError("--out keeps one network: name one number of bits with --bits, and one --per")
    if path.suffix != SUFFIX or path.is_dir():
        raise UsageError(f"--out takes a file whose name ends in {SUFFIX}, not {path}")


def _json(task: Task, rows: list[Row]) -> dict[str, Any]:
    before = rows[0].result
    about = {"file": str(task.file), "weights": str(task.checkpoint), "epochs": task.epochs}
    data = {key: before[key] for key in ("split", "samples", "chance")}
    return {**about, **data, "out": str(task.out) if task.out else None, "rows": [r.as_dict() for r in rows]}


def _print(task: Task, rows: list[Row]) -> None:
    before = rows[0].result
    columns = ["weights", "size", "before", "quantised", *(["trained on"] if task.epochs else [])]
    shown = table(*columns, right=tuple(columns[1:]))
    for number, row in enumerate(rows):
        after = percent(row.result["accuracy"]) if number else ""
        cells = [words(row.q), size(row.bytes), percent(before["accuracy"]), after]
        shown.add_row(*cells, *([percent(row.trained["accuracy"])] if row.trained else []))
    out().print(shown)
    low, high = (percent(end) for end in before["interval"])
    print(
        f"split '{before['split']}', {before['samples']:,} samples, chance {percent(before['chance'])};"
        f" 95 % interval before: {low} to {high}; weights {task.checkpoint}"
    )
    if task.epochs:
        print(f"trained on: {task.epochs} more epochs from the same weights, those as float as well")
    if task.out:
        print(f"kept: {task.out}")
