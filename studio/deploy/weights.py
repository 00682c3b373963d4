"""Which weights are exported."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QComboBox

from studio.session import Session
from studio.training.run import Run
from studio.training.trainer import Trainer
from studio.training.words import percent


class Weights(QComboBox):
    """What the document starts from, and what its runs have learned; the newest run, unless it names one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setAccessibleName("Weights")
        self.setToolTip("The weights and delays that are exported")
        named = session.document.meta.get("weights")
        self.addItem(f"Those of the document ({named})" if named else "As drawn, untrained", None)
        runs = [run for run in Trainer.of(session).shelf.runs if run.weights.exists()]
        for run in sorted(runs, key=lambda run: run.id, reverse=True):
            self.addItem(_title(run), str(run.weights))
        if runs and not named:
            self.setCurrentIndex(1)

    @property
    def path(self) -> Path | None:
        """Their file; None for what the document starts from."""
        data = self.currentData()
        return Path(data) if data else None


def _title(run: Run) -> str:
    accuracy = f", {percent(run.accuracy)}" if run.accuracy is not None else ""
    return f"Run {run.word}: {run.epochs} epochs{accuracy}"
