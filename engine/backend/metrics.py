"""What is measured after every epoch of training: told to the listener and kept in ``metrics.csv``."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from engine.backend import evaluation
from engine.backend.data import Split
from engine.runs import WEIGHTS

if TYPE_CHECKING:
    from engine.backend.training import Options, Training

Row = dict[str, Any]
FILE = "metrics.csv"


class Stopped(BaseException):
    """Raised out of Lightning's loop when the user stops."""


class Events(Callback):
    """Evaluates after each epoch, writes ``metrics.csv``, tells the listener, and stops when asked.

    ``data`` is trained on; every process takes its share of it and of ``others``.  Times are told, but not
    written, so that the same seed writes the same bytes.
    """

    def __init__(self, options: Options, data: Split, others: dict[str, Split]) -> None:
        self.options, self.data, self.others = options, data, others
        self.began, self.rows = 0.0, list[Row]()

    def setup(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        """Tell the splits which part of a batch is ours."""
        for split in (self.data, *self.others.values()):
            split.rank, split.world = trainer.global_rank, trainer.world_size

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Forget epochs that will be run again; leave something to resume from the first step on."""
        if trainer.is_global_zero:
            _keep(self.options.out / FILE, trainer.current_epoch)
        if not self.options.resume:
            trainer.save_checkpoint(self.options.out / WEIGHTS)

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Start the clock."""
        self.began = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """A ``step`` event; stopping is possible after every batch, in all processes at once."""
        if trainer.is_global_zero:
            place = {"epoch": trainer.current_epoch + 1, "batch": index + 1}
            loss = {"batches": trainer.num_training_batches, "loss": float(outputs["loss"].detach())}
            self.options.on_event({"event": "step", **place, **loss})
        self._stop_if_asked(trainer)

    def _stop_if_asked(self, trainer: lightning.Trainer) -> None:
        asked = trainer.is_global_zero and self.options.should_stop()
        if trainer.strategy.reduce_boolean_decision(asked, all=False):
            raise Stopped

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """An ``epoch`` event with training and held-out metrics."""
        seconds, epoch = time.perf_counter() - self.began, trainer.current_epoch + 1
        training: Any = module
        loss, right, judged, samples = _summed(training)
        row = {
            "epoch": epoch,
            "train_loss": loss / max(samples, 1),
            "train_accuracy": right / max(judged, 1),
            "sigma": max(training.network.sigma.values(), default=0.0),
            **self._held_out(training, epoch),
        }
        known = {key: value for key, value in row.items() if value != ""}
        module.log_dict({key: float(value) for key, value in known.items() if key != "epoch"})
        self.rows.append(known)
        if trainer.is_global_zero:
            _append(self.options.out / FILE, row)
            speed = {"samples_per_s": samples / seconds, "seconds": seconds}
            self.options.on_event({"event": "epoch", "epochs": training.recipe.epochs, **known, **speed})

    def _held_out(self, module: Any, epoch: int) -> Row:
        """Accuracy and loss on the other splits; empty where this epoch does not judge one."""
        every, found = module.recipe.test_every, Row()
        for name, split in self.others.items():
            due = name == "validation" or epoch == module.recipe.epochs or (every and epoch % every == 0)
            found |= self.judge(module, name, split, due)
        return found

    def judge(self, module: Training, name: str, split: Split, due: bool = True) -> Row:
        """``<name>_accuracy`` and ``_loss`` with rounded delays, ``_accuracy_smeared`` as in training."""

        def measured(smeared: bool) -> Row:
            network.smeared = smeared
            try:
                return evaluation.evaluate(network, split, batch=module.recipe.batch, on_progress=poll)
            finally:
                network.smeared = False

        def poll(done: int, total: int) -> None:
            self._stop_if_asked(module.trainer)

        network = module.network
        found = measured(smeared=False) if due else {}
        row = {f"{name}_accuracy": found.get("accuracy", ""), f"{name}_loss": found.get("loss", "")}
        if network.sigma:
            smeared = measured(smeared=True) if due else {}
            row[f"{name}_accuracy_smeared"] = smeared.get("accuracy", "")
        return row


def _summed(module: Any) -> list[float]:
    """(loss, right, judged, samples) of the epoch over all processes."""
    seen = module.seen
    mine = torch.tensor([seen.loss, seen.right, seen.judged, seen.samples], dtype=torch.float64)
    return evaluation.over_processes(mine).tolist()


def last_row(out: Path) -> Row:
    """The last line of ``metrics.csv``."""
    rows = _read(out / FILE)
    return {key: json.loads(value) for key, value in rows[-1].items() if value} if rows else {}


def _read(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _append(file: Path, row: Row) -> None:
    """One line more."""
    new = not file.exists()
    with file.open("a", newline="") as out:
        writer = csv.DictWriter(out, list(row), extrasaction="ignore", restval="", lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


def _keep(file: Path, epochs: int) -> None:
    """Only the lines of the first ``epochs`` epochs."""
    rows = [row for row in _read(file) if row.get("epoch", "").isdigit() and int(row["epoch"]) <= epochs]
    file.unlink(missing_ok=True)
    for row in rows:
        _append(file, row)
