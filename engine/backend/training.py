"""Training on Lightning: our part is the program, losses, parameter groups, schedules and live events."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
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
from engine.backend.checkpoint import RANGES
from engine.backend.data import Batch, Shuffled, Split
from engine.backend.lightning_io import SafetensorsIO
from engine.backend.metrics import FILE, Events, Stopped, last_row
from engine.backend.network import Network, first_sigma
from engine.backend.processes import share
from engine.backend.watch import Watch
from engine.errors import MyelinError
from engine.runs import BEST, EPOCHS, WEIGHTS
from nodes.spec import Values

Event = dict[str, Any]
OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


@dataclass
class Options:
    """How one training runs, besides what the document says.

    ``device``: ``auto``, ``cpu``, ``cuda`` or ``mps``; ``processes`` share every batch (DDP).  ``watch``:
    also tell, and keep in ``epochs.jsonl``, what ``engine.backend.watch`` sees.
    """

    out: Path
    seed: int
    device: str = "cpu"
    processes: int = 1
    resume: bool = False
    watch: bool = False
    on_event: Callable[[Event], None] = lambda event: None
    should_stop: Callable[[], bool] = lambda: False


class Training(lightning.LightningModule):
    """A network that Lightning can fit: steps, parameter groups, rates and widths by epoch."""

    def __init__(self, network: Network, recipe: Values, seed: int, watch: Watch | None = None) -> None:
        super().__init__()
        self.network, self.recipe, self.seed, self.watch = network, recipe, seed, watch
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
        optimiser: torch.optim.Optimizer = OPTIMISERS[self.recipe.optimiser](groups, lr=self.recipe.lr)
        return optimiser

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """How large the state gets, where it is rounded."""
        if self.network.ranges:
            checkpoint["myelin"] = {RANGES: self.network.ranges}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Back to where the range of the state was."""
        self.network.ranges = checkpoint.get("myelin", {}).get(RANGES, {})

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
        keep = self.watch.spikes if self.watch else ()
        signals, losses = evaluation.forward(self.network, batch, run, keep)
        if self.watch:
            self.watch.see(signals)
        each: Tensor = sum(losses.values())  # type: ignore[assignment]
        if not torch.isfinite(each).all():
            raise MyelinError(
                f"the loss became {float(each.detach().sum())} in epoch {self.current_epoch + 1}:"
                " lower the learning rate or clip the gradient"
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


def train(network: Network, recipe: Values, splits: dict[str, Split], options: Options) -> dict[str, Any]:
    """Fit a network on ``splits["train"]``, judging the other splits; returns the last epoch's metrics.

    Writes ``metrics.csv``, ``checkpoint.safetensors`` and TensorBoard logs to ``options.out``.  The same seed
    gives the same curve to the bit on a CPU, resumed or not.  With ``validation`` the network ends with the
    weights of the epoch that was best on it.
    """
    _check(network, recipe, options)
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.resume:
        for name in (FILE, BEST, EPOCHS):
            (options.out / name).unlink(missing_ok=True)
    if options.processes == 1:
        return fit(network, recipe, splits, options)
    metrics = share(network, recipe, splits, options)
    best = recipe.validation and not metrics.get("stopped") and (options.out / BEST).exists()
    checkpoint.read(network, options.out / (BEST if best else WEIGHTS))
    return metrics


def _check(network: Network, recipe: Values, options: Options) -> None:
    evaluation.judged(network)
    if not network.learned:
        title = network.program.title
        raise MyelinError(f"'{title}' has nothing to learn: no weights, delays or neuron parameters")
    if recipe.patience and not recipe.validation:
        raise MyelinError(
            "patience waits for the validation loss: hold out a part of the data with validation, or"
            " set patience to 0"
        )
    if options.resume and not (options.out / WEIGHTS).exists():
        raise MyelinError(f"there is no {options.out / WEIGHTS} to resume from")
    if options.resume:
        checkpoint.matching(network, options.out / WEIGHTS)
    _accelerator(options.device)


def fit(network: Network, recipe: Values, splits: dict[str, Split], options: Options) -> dict[str, Any]:
    """``train`` in this process, which may be one of several."""
    data = splits["train"]
    others = {name: split for name, split in splits.items() if name != "train"}
    if recipe.validation:
        data, others["validation"] = data.divide(recipe.validation, options.seed)
    watch = Watch(network) if options.watch else None
    module = Training(network, recipe, options.seed, watch)
    events = Events(options, data, others, watch)
    sampler = Shuffled(len(data), recipe.batch, options.seed)
    loader = DataLoader(data, sampler=sampler, batch_size=None, collate_fn=_same)
    if options.resume:  # Lightning asks for the first batch before it tells the sampler the epoch
        sampler.set_epoch(_epochs_done(options.out / WEIGHTS))
    try:
        with _quiet():
            trainer = _trainer(recipe, options, events)
            trainer.fit(module, loader, ckpt_path=_resumed(options), weights_only=False)
        last = events.rows[-1] if events.rows else last_row(options.out)
        if not recipe.validation or not (options.out / BEST).exists():
            return last
        checkpoint.read(network, options.out / BEST)
        judged = [events.judge(module, name, split) for name, split in others.items()]
        return {**last, **{key: value for row in judged for key, value in row.items()}}
    except Stopped:
        return {"stopped": True, **(events.rows[-1] if events.rows else {})}


def _epochs_done(path: Path) -> int:
    found = SafetensorsIO().load_checkpoint(path)
    done: int = found["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    return done


def _resumed(options: Options) -> Path | None:
    return options.out / WEIGHTS if options.resume else None


def _same(batch: Any) -> Any:
    return batch


def _trainer(recipe: Values, options: Options, events: Events) -> lightning.Trainer:
    saves = [_saving(options, WEIGHTS)]
    others: list[Callback] = [events.watch] if events.watch else []
    if recipe.validation:
        saves.append(_saving(options, BEST, monitor="validation_loss"))
    if recipe.patience:
        patience = recipe.patience
        others.append(EarlyStopping("validation_loss", patience=patience, check_on_train_epoch_end=True))
    return lightning.Trainer(
        max_epochs=recipe.epochs,
        accelerator=_accelerator(options.device),
        devices=options.processes,
        strategy=_shared() if options.processes > 1 else "auto",
        callbacks=[events, *saves, *others],
        plugins=[SafetensorsIO()],
        gradient_clip_val=recipe.clip or None,
        accumulate_grad_batches=recipe.accumulate,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(options.out, name="", version="tensorboard"),
    )


def _saving(options: Options, name: str, monitor: str | None = None) -> ModelCheckpoint:
    """Keeps the last checkpoint, or the one with the least ``monitor``, under one name."""
    save = ModelCheckpoint(
        options.out,
        Path(name).stem,
        monitor=monitor,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    save.FILE_EXTENSION = Path(name).suffix
    return save


def _shared() -> DDPStrategy:
    # a projection that leads to no loss gets no gradient
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    return DDPStrategy(process_group_backend=backend, find_unused_parameters=True)


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
