"""Training the document in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.actions import action, has_session
from studio.training.trainer import Trainer

if TYPE_CHECKING:
    from studio.window import MainWindow


def trainer_of(window: MainWindow) -> Trainer | None:
    """The trainer of the document in front."""
    session = window.workspace.current
    return Trainer.of(session) if session else None


def can_train(window: MainWindow) -> bool:
    """Whether a training may begin."""
    trainer = trainer_of(window)
    return trainer is not None and trainer.can_train()


def can_stop(window: MainWindow) -> bool:
    """Whether a training is in progress."""
    trainer = trainer_of(window)
    return trainer is not None and trainer.busy


def can_resume(window: MainWindow) -> bool:
    """Whether there is a run that may go on."""
    trainer = trainer_of(window)
    return trainer is not None and trainer.can_resume()


def uses_weights(window: MainWindow) -> bool:
    """Whether the document starts from the weights of a run."""
    session = window.workspace.current
    return session is not None and "weights" in session.document.meta


@action("train.start", "&Train", menu="Train", section=1, order=1, keys="Ctrl+Return; Ctrl+Enter",
        icon="train", toolbar=51, labelled=True, when=can_train)  # fmt: skip
def train(window: MainWindow) -> None:
    """Learn weights and delays with the recipe of the document."""
    trainer = trainer_of(window)
    if trainer:
        window.panel("training")
        trainer.train()


@action("train.stop", "&Stop training", menu="Train", section=1, order=2, icon="stoptrain", toolbar=52,
        when=can_stop)  # fmt: skip
def stop(window: MainWindow) -> None:
    """Stop after the batch at hand; the last whole epoch is kept."""
    trainer = trainer_of(window)
    if trainer:
        trainer.stop()


@action("train.resume", "&Resume training", menu="Train", section=1, order=3, keys="Ctrl+Shift+Return",
        icon="train", when=can_resume)  # fmt: skip
def resume(window: MainWindow) -> None:
    """Go on with the run that the training panel shows."""
    trainer = trainer_of(window)
    if trainer:
        window.panel("training")
        trainer.resume()


@action("train.fresh", "Start from &fresh weights", menu="Train", section=1, order=4, icon="reset",
        when=uses_weights)  # fmt: skip
def fresh(window: MainWindow) -> None:
    """Let the document draw its weights from its seed again."""
    trainer = trainer_of(window)
    if trainer:
        trainer.start_fresh()


@action("train.runs", "Show r&uns", menu="Train", section=1, order=5, icon="runs", when=has_session)
def runs(window: MainWindow) -> None:
    """Show the runs of the document."""
    window.panel("runs")
