"""Training on Lightning: our part is the program, losses, parameter groups, schedules and live events."""

from __future__ import annotations

import csv
import json
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor
from torch.utils.data import DataLoader

from engine.backend import checkpoint, evaluation, schedules
from engine.backend.data import Batch, Shuffled, Split
from engine.backend.network import Network, first_sigma
from engine.errors import MyelinError
from nodes.spec import Values

Event = dict[str, Any]
CHECKPOINT = "checkpoint.safetensors"
OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


@dataclass
class Options:
    """How one training runs, besides what the document says.

    ``device``: ``auto``, ``cpu``, ``cuda`` or ``mps``; ``processes`` share every batch (DDP).
    """

    out: Path
    seed: int
    device: str = "cpu"
    processes: int = 1
    resume: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    on_event: Callable[[Event], None] = lambda event: None
    should_stop: Callable[[], bool] = lambda: False


class Training(lightning.LightningModule):
    """A network that Lightning can fit: steps, parameter groups, rates and widths by epoch."""

    def __init__(self, network: Network, recipe: Values, seed: int) -> None:
        super().__init__()
        self.network, self.recipe, self.seed = network, recipe, seed
        self.first = {op.id: first_sigma(op) for op in network.program.ops.values() if op.id in network.sigma}
        self.seen = Values(loss=0.0, right=0, judged=0, samples=0)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimiser; a group each for weights, normalisation, delays and neuron parameters."""
        kinds: dict[str, list[Tensor]] = {}
        for key, parameter in self.network.learned.items():
            kinds.setdefault(self.network.declared[key].group, []).append(parameter)
        decay = {"weights": self.recipe.weight_decay}
        groups = [
            {"params": kinds[kind], "kind": kind, "weight_decay": decay.get(kind, 0.0)}
            for kind in sorted(kinds)
        ]
        if not groups:
            raise MyelinError(
                f"'{self.network.program.title}' has nothing to learn: no weights, delays or parameters"
            )
        optimiser: torch.optim.Optimizer = OPTIMISERS[self.recipe.optimiser](groups, lr=self.recipe.lr)
        return optimiser

    def on_train_epoch_start(self) -> None:
        """Rates and widths of this epoch."""
        epoch, epochs = self.current_epoch, self.recipe.epochs
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            rate = self._rate(group["kind"], epoch, epochs)
            group["lr"] = rate.lr
            if rate.beta is not None and "betas" in group:
                group["betas"] = (rate.beta, group["betas"][1])
        for key, op in ((key, self.network.program.ops[key]) for key in self.network.sigma):
            self.network.sigma[key] = schedules.sigma(op, self.first[key], epoch, epochs)
        self.seen = Values(loss=0.0, right=0, judged=0, samples=0)

    def _rate(self, kind: str, epoch: int, epochs: int) -> schedules.Rate:
        r = self.recipe
        lr, schedule = {
            "delays": (r.delay_lr, r.delay_schedule),
            "neurons": (r.neuron_lr, r.neuron_schedule),
        }.get(kind, (r.lr, r.lr_schedule))
        return schedules.SCHEDULES[schedule](epoch, epochs, lr, r.lr_peak)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Mean loss of our part of the batch, scaled so that processes average to that of the whole."""
        run = 1 + self.current_epoch * 1_000_000 + index
        signals, losses = evaluation.forward(self.network, batch, run)
        each: Tensor = sum(losses.values())  # type: ignore[assignment]
        if not torch.isfinite(each).all():
            raise MyelinError(
                f"the loss became {float(each.sum())} in epoch {self.current_epoch + 1}: lower the learning"
                " rate or clip the gradient"
            )
        self._count(signals, batch, each)
        return each.sum() * (self.trainer.world_size / batch.total)

    def _count(self, signals: dict[Any, Tensor], batch: Batch, each: Tensor) -> None:
        (source,) = evaluation.judged(self.network).inputs["prediction"]
        predicted, true = evaluation.score(signals[source].detach(), batch.label.to(self.device))
        self.seen.update(
            loss=self.seen.loss + float(each.detach().sum()),
            samples=self.seen.samples + len(each),
            right=self.seen.right + int((predicted == true).sum()),
            judged=self.seen.judged + len(true),
        )

    def on_train_batch_end(self, outputs: Any, batch: Any, index: int) -> None:
        """Keep every tensor within its bounds: delays within their taps, time constants above zero."""
        with torch.no_grad():
            for key, parameter in self.network.learned.items():
                spec = self.network.declared[key]
                if spec.low is not None or spec.high is not None:
                    parameter.clamp_(spec.low, spec.high)


class Events(Callback):
    """Evaluates after each epoch, writes ``metrics.csv``, tells the listener, and stops when asked."""

    def __init__(self, options: Options, splits: dict[str, Split]) -> None:
        self.options, self.splits, self.began, self.rows = options, splits, 0.0, [Values()][:0]

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
        """A ``step`` event; stopping is possible after every batch."""
        loss = float(outputs["loss"].detach())
        self.options.on_event(
            {
                "event": "step",
                "epoch": trainer.current_epoch + 1,
                "batch": index + 1,
                "batches": trainer.num_training_batches,
                "loss": loss,
            }
        )
        if self.options.should_stop():
            trainer.should_stop = True
            raise Stopped

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """An ``epoch`` event with training and held-out metrics."""
        assert isinstance(module, Training)
        seen, seconds = module.seen, time.perf_counter() - self.began
        row = {
            "epoch": trainer.current_epoch + 1,
            "train_loss": seen.loss / max(seen.samples, 1),
            "train_accuracy": seen.right / max(seen.judged, 1),
            "samples_per_s": seen.samples / seconds,
            "seconds": seconds,
            "sigma": max(module.network.sigma.values(), default=0.0),
            **self._held_out(trainer, module),
        }
        module.log_dict({key: float(value) for key, value in row.items() if key != "epoch"})
        self.rows.append(Values(row))
        if trainer.is_global_zero:
            _append(self.options.out / "metrics.csv", row)
            self.options.on_event({"event": "epoch", "epochs": module.recipe.epochs, **row})

    def _held_out(self, trainer: lightning.Trainer, module: Training) -> dict[str, float]:
        every, epoch = module.recipe.test_every, trainer.current_epoch + 1
        last = epoch == module.recipe.epochs
        found: dict[str, float] = {}
        for name, split in self.splits.items():
            if not (name == "validation" or last or (every and epoch % every == 0)):
                continue
            found[f"{name}_accuracy"], found[f"{name}_loss"] = self._judge(module, split)
            if module.network.sigma:
                module.network.smeared = True
                found[f"{name}_accuracy_smeared"], _ = self._judge(module, split)
                module.network.smeared = False
        return found

    @staticmethod
    def _judge(module: Training, split: Split) -> tuple[float, float]:
        found = evaluation.evaluate(module.network, split, batch=module.recipe.batch)
        return found["accuracy"], found["loss"]


class Stopped(BaseException):
    """Raised out of Lightning's loop when the user stops."""


def train(network: Network, recipe: Values, splits: dict[str, Split], options: Options) -> dict[str, Any]:
    """Fit a network on ``splits["train"]``, judging the other splits; returns the last epoch's metrics.

    Writes ``metrics.csv``, ``checkpoint.safetensors`` and TensorBoard logs to ``options.out``.  The same seed
    gives the same curve to the bit on a CPU, resumed or not.
    """
    evaluation.judged(network)
    data = splits["train"]
    others = {name: split for name, split in splits.items() if name != "train"}
    if recipe.validation:
        data, others["validation"] = data.divide(recipe.validation, options.seed)
    module, events = Training(network, recipe, options.seed), Events(options, others)
    with _quiet():
        trainer = _trainer(recipe, options, events)
    sampler = Shuffled(len(data), recipe.batch, options.seed)
    loader = DataLoader(data, sampler=sampler, batch_size=None, collate_fn=_same)
    options.out.mkdir(parents=True, exist_ok=True)
    resume = options.out / CHECKPOINT if options.resume else None
    if resume is not None and not resume.exists():
        raise MyelinError(f"there is no {resume} to resume from")
    if resume is None:
        (options.out / "metrics.csv").unlink(missing_ok=True)
    if resume is not None:  # Lightning asks for the first batch before it tells the sampler the epoch
        found = checkpoint.SafetensorsIO().load_checkpoint(resume)
        sampler.set_epoch(found["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
    try:
        with _quiet():
            trainer.fit(module, loader, ckpt_path=resume, weights_only=False)
    except Stopped:
        return {"stopped": True, **(events.rows[-1] if events.rows else {})}
    if not recipe.validation or not (options.out / "best.safetensors").exists():
        return dict(events.rows[-1]) if events.rows else _last_row(options.out / "metrics.csv")
    checkpoint.read(network, options.out / "best.safetensors")
    return {**events.rows[-1], **_final(events, module, others)}


def _final(events: Events, module: Training, others: dict[str, Split]) -> dict[str, float]:
    """Held-out numbers of the epoch that validation chose."""
    return {f"{name}_accuracy": events._judge(module, split)[0] for name, split in others.items()}


def _same(batch: Any) -> Any:
    return batch


def _trainer(recipe: Values, options: Options, events: Events) -> lightning.Trainer:
    saves = [
        ModelCheckpoint(options.out, "checkpoint", save_on_train_epoch_end=True, enable_version_counter=False)
    ]
    if recipe.validation:
        saves.append(
            ModelCheckpoint(
                options.out,
                "best",
                monitor="validation_loss",
                save_on_train_epoch_end=True,
                enable_version_counter=False,
            )
        )
    for save in saves:
        save.FILE_EXTENSION = ".safetensors"
    stops = [EarlyStopping("validation_loss", patience=recipe.patience, check_on_train_epoch_end=True)]
    strategy: Any = "auto"
    if options.processes > 1:
        strategy = DDPStrategy(process_group_backend="gloo", start_method="spawn")
    return lightning.Trainer(
        max_epochs=recipe.epochs,
        accelerator=_accelerator(options.device),
        devices=options.processes,
        strategy=strategy,
        callbacks=[events, *saves, *(stops if recipe.patience and recipe.validation else [])],
        plugins=[checkpoint.SafetensorsIO()],
        gradient_clip_val=recipe.clip or None,
        accumulate_grad_batches=recipe.accumulate,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(options.out, name="", version="tensorboard"),
    )


def _accelerator(device: str) -> str:
    if device == "auto":
        return "auto"
    known = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not known.get(device, False):
        there = ", ".join(name for name, present in known.items() if present)
        raise MyelinError(f"there is no device {device} here; this machine has {there}")
    return device


class _quiet:  # noqa: N801 - reads as a statement
    """Keeps Lightning's advice to programmers away from users."""

    def __enter__(self) -> None:
        self.logger, self.caught = logging.getLogger("lightning.pytorch"), warnings.catch_warnings()
        self.level = self.logger.level
        self.logger.setLevel(logging.ERROR)
        self.caught.__enter__()
        warnings.filterwarnings("ignore", module=r"lightning\.|torch\.utils\.data|torch\.jit")

    def __exit__(self, *error: Any) -> None:
        self.caught.__exit__(*error)
        self.logger.setLevel(self.level)


def _append(file: Path, row: dict[str, Any]) -> None:
    """One line more of a csv file whose columns the first row decides."""
    known = next(csv.reader(file.read_text().splitlines()), None) if file.exists() else None
    with file.open("a", newline="") as out:
        writer = csv.DictWriter(out, known or list(row), extrasaction="ignore", restval="")
        if known is None:
            writer.writeheader()
        writer.writerow(row)


def _last_row(file: Path) -> dict[str, Any]:
    """The last line of a run that was already complete when it was resumed."""
    rows = list(csv.DictReader(file.read_text().splitlines())) if file.exists() else []
    return {key: json.loads(value) for key, value in rows[-1].items() if value} if rows else {}
