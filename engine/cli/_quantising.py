"""Trained weights quantised in several ways, as the command line asks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli._documents import learnable, program_of, set_recipe
from engine.cli._live import Live, stop_request
from engine.cli._network import on_device
from engine.cli._runs import settings_of
from engine.cli._settings import Settings
from engine.data.store import data_root
from engine.document import Document, load
from engine.document.ops import set_op
from engine.export.quantise import Quantisation
from engine.program import Program
from engine.recipe import recipe
from nodes.delays.learnable import LearnableDelays
from nodes.spec import Values

if TYPE_CHECKING:
    from engine.backend.bits import Comparison

Found = dict[str, Any]
FLOAT = 32  # bits of a weight that is left as it is
# training on from trained weights: a rate that falls from `lr`, and the last epoch counts
GENTLY = ("lr_schedule=cosine", "validation=0", "patience=0", "test_every=0")


@dataclass(frozen=True)
class Task:
    """What to quantise: ``trials``, each also trained on for ``epochs``; ``out`` keeps the last one.

    ``settings`` come over those that ``checkpoint`` was trained with; ``recipe``: settings ``key=value`` for
    training on.
    """

    file: Path
    checkpoint: Path
    settings: Settings
    trials: list[Quantisation]
    epochs: int
    recipe: tuple[str, ...]
    split: str
    device: str
    out: Path | None


@dataclass(frozen=True)
class Row:
    """What was measured of one quantisation.  ``trained``: after training on, where that was asked for."""

    q: Quantisation
    bytes: int
    result: Found
    trained: Found | None

    def as_dict(self) -> dict[str, Any]:
        """JSON."""
        chosen = {**asdict(self.q), "weights": self.q.weights or FLOAT, "bytes": self.bytes}
        return {**chosen, "result": self.result, "trained": self.trained}


def compare(task: Task, live: Live) -> list[Row]:
    """The rows of the table: the weights as they are, then every trial, the last of which may be kept."""
    settings = _with_bits(task.settings.over(settings_of(task.checkpoint)), Quantisation())
    document = load(task.file)
    settings.apply(document, "train")
    _narrow(document)
    set_recipe(document, "train", (*GENTLY, f"epochs={max(1, task.epochs)}", *task.recipe))
    comparison = _comparison(task, program_of(document, task.file), live)
    trials = (Quantisation(), *task.trials)
    rows = [_row(task, comparison, q, recipe("train", document.recipes), live) for q in trials]
    if task.out:
        _keep(task, task.out, comparison, settings, rows[-1])
    return rows


def _with_bits(settings: Settings, q: Quantisation) -> Settings:
    """The same with another quantisation in the recipe."""
    chosen = tuple(f"quantise_{name}={value}" for name, value in asdict(q).items())
    others = tuple(text for text in settings.recipe if not text.startswith("quantise_"))
    return replace(settings, recipe=(*others, *chosen))


def _narrow(document: Document) -> None:
    """Let the kernels of trained delays begin as narrow as training left them."""
    end = LearnableDelays.sigma_end.default
    params = {key: document.nodes[key].params for key in learnable(document)}
    ops = [
        set_op(["nodes", key, "params", "sigma_start"], p.get("sigma_end", end)) for key, p in params.items()
    ]
    document.edit("narrow delays", ops)


def _comparison(task: Task, program: Program, live: Live) -> Comparison:
    network = on_device(program, "cpu")
    from engine.backend import checkpoint
    from engine.backend.bits import Comparison
    from engine.backend.data import Split

    checkpoint.read(network, task.checkpoint)
    names = [task.split, *(["train"] if task.epochs or any(q.state for q in task.trials) else [])]
    splits = {
        name: Split(program, name, data_root(), progress=live.counting(f"reading {name}")) for name in names
    }
    batch = recipe("train", program.recipes).batch
    return Comparison(network, splits[task.split], splits.get("train"), batch)


def _row(task: Task, comparison: Comparison, q: Quantisation, gently: Values, live: Live) -> Row:
    name = words(q)
    result = comparison.judge(q, live.counting(f"judging {name}"))
    live.say(f"{name}: {100 * result['accuracy']:.1f} %")
    trained = _train(task, comparison, q, gently, live) if task.epochs else None
    return Row(q, comparison.bytes(q), result, trained)


def _train(task: Task, comparison: Comparison, q: Quantisation, gently: Values, live: Live) -> Found:
    from engine.backend.training import Options

    name = words(q)
    with tempfile.TemporaryDirectory() as folder, stop_request() as should_stop:
        options = Options(
            Path(folder),
            comparison.network.program.seed,
            task.device,
            on_event=live.training(name, task.epochs),
            should_stop=should_stop,
        )
        found = comparison.train_on(q, gently, options, live.counting(f"judging {name}, trained"))
    if found is None:
        raise KeyboardInterrupt
    live.say(f"{name}, trained: {100 * found['accuracy']:.1f} %")
    return found


def _keep(task: Task, out: Path, comparison: Comparison, settings: Settings, row: Row) -> None:
    from engine.backend import checkpoint
    from engine.backend.bits import settle

    settle(comparison.network)
    kept = _with_bits(settings, Quantisation(state=row.q.state)).as_dict()
    about = {"settings": kept, "from": str(task.checkpoint), "quantised": row.as_dict()}
    checkpoint.write(comparison.network, out, about)


def words(q: Quantisation) -> str:
    """A quantisation in some words."""
    others = [f"{what} {bits}" for what, bits in _others(q) if bits]
    weights = f"{q.weights} bits per {q.per}" if q.weights else "float"
    return ", ".join([weights, *others])


def _others(q: Quantisation) -> Iterable[tuple[str, int]]:
    return ("neurons", q.neurons), ("state", q.state), ("delays", q.delays)
