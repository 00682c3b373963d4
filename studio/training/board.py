"""The plots of the training panel: loss, accuracy, and one of several others, delays first."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from studio.made import made
from studio.training.plots_base import Panel, head
from studio.training.plots_confusion import Confusion
from studio.training.plots_curves import Curves, Series
from studio.training.plots_histogram import Bars, Histogram
from studio.training.run import Run
from studio.training.trainer import Trainer
from studio.training.words import percent

PAUSE_MS = 200
"""Batches within this time are drawn together."""

ACCURACIES = {
    "train_accuracy": "train",
    "test_accuracy": "held-out, rounded",
    "test_accuracy_smeared": "held-out, with sigma",
    "validation_accuracy": "validation",
}
TENSORS = ("weight", "delay")
"""Of the gradients, those of every projection are drawn; metrics.csv has all."""
LOSSES = {"train_loss": "train", "test_loss": "held-out", "validation_loss": "validation"}


DASHED = "; dashed: after epoch 1"
Shown = dict[str, tuple[Bars, tuple[float, float] | None, str]]
"""Bars, band and words by the name of a projection."""


NARROWEST = 64
"""Pixels that a list above a plot can do with in a narrow window."""


class Chooser(Histogram):
    """A histogram of one of several projections, with a list to choose from."""

    def __init__(self, title: str, x: str, tip: str) -> None:
        self.list = made(QComboBox(), toolTip=tip, minimumWidth=NARROWEST)
        super().__init__(title, x, self.list)
        self.list.currentIndexChanged.connect(self._draw)
        self.shown: Shown = {}

    def show_all(self, shown: Shown) -> None:
        """Show one of these."""
        self.shown = shown
        names = [self.list.itemText(index) for index in range(self.list.count())]
        if names != list(shown):
            before = self.list.currentText()
            self.list.clear()
            self.list.addItems(list(shown))
            self.list.setCurrentText(before)
            self.list.setEnabled(len(shown) > 1)
        self._draw()

    def _draw(self) -> None:
        bars, band, words = self.shown.get(self.list.currentText(), (None, None, ""))
        self.show_bars(bars, band, words)


class Board(QSplitter):
    """Draws the run that a trainer shows, and those it is compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.trainer: Trainer | None = None
        self.loss = Curves("Loss", "loss")
        self.accuracy = Curves("Accuracy", "accuracy (%)", percent=True)
        self.delays = Chooser("Delays", "delay (ms)", "Whose delays are shown")
        self.weights = Chooser("Weights", "weight", "Whose weights are shown")
        self.rates = Curves("Firing rates", "rate (Hz)")
        self.gradients = {
            tensor: Curves(f"{tensor.capitalize()} gradients", "gradient norm", log=True)
            for tensor in TENSORS
        }
        self.confusion = Confusion()
        for part in (self.loss, self.accuracy, self._others()):
            self.addWidget(part)
        self.setChildrenCollapsible(False)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._draw_loss)

    def _others(self) -> QWidget:
        self.other, self.pages, lists = QComboBox(), QStackedWidget(), QStackedWidget()
        self.other.setMinimumWidth(NARROWEST)
        self.other.setToolTip("What else to show of the training")
        pages: dict[str, Panel] = {
            "Delays": self.delays,
            "Weights": self.weights,
            "Firing rates": self.rates,
            "Weight gradients": self.gradients["weight"],
            "Delay gradients": self.gradients["delay"],
            "Confusion matrix": self.confusion,
        }
        for title, page in pages.items():
            page.top.hide()
            self.other.addItem(title)
            self.pages.addWidget(page)
            lists.addWidget(page.list if isinstance(page, Chooser) else QWidget())
        self.other.currentIndexChanged.connect(self.pages.setCurrentIndex)
        self.other.currentIndexChanged.connect(lists.setCurrentIndex)
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head(self.other, lists))
        column.addWidget(self.pages, 1)
        return part

    def show_trainer(self, trainer: Trainer | None) -> None:
        """Show the runs of another document."""
        if self.trainer is not None:
            self.trainer.shown.disconnect(self.draw)
            self.trainer.stepped.disconnect(self._soon)
            self.trainer.shelf.compared_changed.disconnect(self.draw)
        self.trainer = trainer
        for plot in self.findChildren(Panel):
            plot.session = trainer.session if trainer else None
        if trainer is not None:
            trainer.shown.connect(self.draw)
            trainer.stepped.connect(self._soon)
            trainer.shelf.compared_changed.connect(self.draw)
        self.draw()

    def _soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was not worth drawing unseen."""
        super().showEvent(event)
        self.draw()

    def _runs(self) -> list[Run]:
        """The runs that are compared, or the one that is shown."""
        if self.trainer is None:
            return []
        found = [run for run in map(self.trainer.shelf.find, self.trainer.shelf.compared) if run]
        if len(found) > 1:
            return found
        return [self.trainer.run] if self.trainer.run else []

    def draw(self) -> None:
        """Draw everything of the run as it is now."""
        self._draw_loss()
        runs = self._runs()
        chance = next((run.chance for run in runs if run.chance is not None), None)
        level = (f"chance {percent(chance)}", chance) if chance is not None else None
        self.accuracy.show_series(curves(runs, ACCURACIES, "test_accuracy"), level)
        run = self.trainer.run if self.trainer else None
        self.delays.show_all(delays(run) if run else {})
        self.weights.show_all(weights(run) if run else {})
        self.rates.show_series(history(run, "rates", "hz"))
        for tensor, plot in self.gradients.items():
            plot.show_series(history(run, "gradients", "norm", f" {tensor}"))
        judged = (run.judged() if run else None) or {}
        self.confusion.show_counts(judged.get("classes", []), judged.get("confusion", []))

    def _draw_loss(self) -> None:
        runs = self._runs()
        steps = runs[0].steps if len(runs) == 1 else []
        batches = Series("every batch", [x for x, _ in steps], [y for _, y in steps], faint=True)
        self.loss.show_series([batches, *curves(runs, LOSSES, "train_loss")])


def curves(runs: list[Run], names: dict[str, str], of_many: str) -> list[Series]:
    """Every metric of one run, or one metric of several."""
    if len(runs) > 1:
        return [Series(run.word, *run.curve(of_many)) for run in runs]
    found = [Series(title, *run.curve(name)) for run in runs for name, title in names.items()]
    return [series for series in found if series.x]


def history(run: Run | None, kind: str, value: str, end: str = "") -> list[Series]:
    """What was watched of a run over its epochs, of the names with this end, which is left out."""
    found = run.history(kind, value) if run else {}
    return [Series(name.removesuffix(end), *xy) for name, xy in sorted(found.items()) if name.endswith(end)]


def delays(run: Run) -> Shown:
    """Delays in ms by projection, with the width of the kernel around their mean."""
    found: Shown = {}
    for one in run.watched("delays"):
        dt, before = one["dt"], first(run, "delays", one["node"])
        middle, width = one["mean"] * dt, one["sigma"] * dt
        words = f"band: mean {middle:.3g} ms ± σ {width:.3g} ms" + (DASHED if before else "")
        bars = Bars(one["low"] * dt, one["high"] * dt, tuple(one["counts"]), before)
        found[one["name"]] = (bars, (middle, width), words)
    return found


def weights(run: Run) -> Shown:
    """Weights by projection."""
    found: Shown = {}
    for one in run.watched("weights"):
        words = f"mean {one['mean']:.2g}, standard deviation {one['std']:.2g}"
        found[one["name"]] = (Bars(one["low"], one["high"], tuple(one["counts"])), None, words)
    return found


def first(run: Run, kind: str, node: str) -> tuple[int, ...]:
    """The counts after the first epoch."""
    if len(run.seen) < 2:
        return ()
    entries: list[dict[str, Any]] = run.seen[0].get("watched", {}).get(kind, [])
    return next((tuple(one["counts"]) for one in entries if one["node"] == node), ())
