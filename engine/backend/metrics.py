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
from engine.backend.watch import Watch, scalars
from engine.runs import EPOCHS, WEIGHTS

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

    def __init__(
        self, options: Options, data: Split, others: dict[str, Split], watch: Watch | None = None
    ) -> None:
        self.options, self.data, self.others, self.watch = options, data, others, watch
        self.began, self.clock, self.rows = 0.0, Clock(), list[Row]()
        self.judged: Row = {}

    def setup(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        """Tell the splits which part of a batch is ours."""
        for split in (self.data, *self.others.values()):
            split.rank, split.world = trainer.global_rank, trainer.world_size

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Forget epochs that will be run again; leave something to resume from the first step on."""
        if trainer.is_global_zero:
            _keep(self.options.out / FILE, trainer.current_epoch)
            _keep_lines(self.options.out / EPOCHS, trainer.current_epoch)
        if not self.options.resume:
            trainer.save_checkpoint(self.options.out / WEIGHTS)

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Start the clock."""
        self.began = time.perf_counter()
        self.judged = {}

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
            self._tell_step(trainer, module, float(outputs["loss"].detach()), index + 1)
        self._stop_if_asked(trainer)

    def _tell_step(self, trainer: lightning.Trainer, module: Any, loss: float, batch: int) -> None:
        batches, epochs = int(trainer.num_training_batches), module.recipe.epochs
        place = {"epoch": trainer.current_epoch + 1, "batch": batch, "batches": batches}
        left = self.clock.left((trainer.current_epoch + batch / batches) / epochs)
        about = {"epochs": epochs, "samples": len(self.data), "chance": self._chance()}
        self.options.on_event({"event": "step", **place, "loss": loss, "left_s": left, **about})

    def _chance(self) -> float | None:
        """The held-out accuracy of guessing."""
        return self.others["test"].chance() if "test" in self.others else None

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
        told = self.watch.told() if self.watch else {}
        row |= scalars(told) if told else {}
        known = {key: value for key, value in row.items() if value != ""}
        module.log_dict({key: float(value) for key, value in known.items() if key != "epoch"})
        self.rows.append(known)
        if trainer.is_global_zero:
            _append(self.options.out / FILE, row)
            more = self._written(epoch, told) if told else {}
            left = self.clock.left(epoch / training.recipe.epochs)
            speed = {"samples_per_s": samples / seconds, "seconds": seconds, "left_s": left}
            event = {"event": "epoch", "epochs": training.recipe.epochs, **known, **speed, **more}
            self.options.on_event(event)

    def _written(self, epoch: int, told: Row) -> Row:
        """What was seen in an epoch and how each split was judged; also a line of ``epochs.jsonl``."""
        more = {"watched": told, "judged": self.judged}
        with (self.options.out / EPOCHS).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"epoch": epoch, **more}) + "\n")
        return {**more, "checkpoint": str(self.options.out / WEIGHTS)}

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
            if self.watch and module.trainer.is_global_zero:
                what = f"judging {name}"
                self.options.on_event({"event": "data", "what": what, "done": done, "total": total})
            self._stop_if_asked(module.trainer)

        network = module.network
        found = measured(smeared=False) if due else {}
        if found:
            self.judged[name] = {key: found[key] for key in ("accuracy", "chance", "classes", "confusion")}
        row = {f"{name}_accuracy": found.get("accuracy", ""), f"{name}_loss": found.get("loss", "")}
        if network.sigma:
            smeared = measured(smeared=True) if due else {}
            row[f"{name}_accuracy_smeared"] = smeared.get("accuracy", "")
        return row


class Clock:
    """Estimates the seconds that a training still needs from the part that is done."""

    def __init__(self) -> None:
        self.first: tuple[float, float] | None = None

    def left(self, done: float) -> float | None:
        """Seconds left when ``done`` (0 to 1) is done; None at the first look, which starts the clock."""
        now = time.perf_counter()
        if self.first is None:
            self.first = now, done
        began, before = self.first
        return (now - began) / (done - before) * (1.0 - done) if done > before else None


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
    """One line more, in the columns that the file has."""
    columns = _columns(file)
    with file.open("a", newline="") as out:
        fields = columns or list(row)
        writer = csv.DictWriter(out, fields, extrasaction="ignore", restval="", lineterminator="\n")
        if not columns:
            writer.writeheader()
        writer.writerow(row)


def _columns(file: Path) -> list[str]:
    if not file.exists():
        return []
    with file.open(newline="") as lines:
        return next(csv.reader(lines), [])


def _keep_lines(file: Path, epochs: int) -> None:
    """Only the first ``epochs`` lines of ``epochs.jsonl``, where there is one."""
    if file.exists():
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(lines[:epochs]), encoding="utf-8")


def _keep(file: Path, epochs: int) -> None:
    """Only the lines of the first ``epochs`` epochs."""
    rows = [row for row in _read(file) if row.get("epoch", "").isdigit() and int(row["epoch"]) <= epochs]
    file.unlink(missing_ok=True)
    for row in rows:
        _append(file, row)
