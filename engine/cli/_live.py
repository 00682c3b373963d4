"""What is shown while a program trains or runs: one bar with the time left, one line for every epoch."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.cli._console import err, percent, shown

Tick = Callable[[int, int], None]  # done, in all


class Live:
    """A progress bar on standard error; where that is no terminal, only the lines of epochs."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(30),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=err(), transient=True)
        self._display = shown(self._progress)
        self._bar = self._progress.add_task("", total=None, note="")

    def __enter__(self) -> Live:
        self._display.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._display.__exit__(None, None, None)

    def say(self, text: str) -> None:
        """One line above the bar."""
        self._progress.console.print(text, soft_wrap=True)

    def counting(self, what: str) -> Tick:
        """A callback ``(done, total)`` that shows how far ``what`` has come."""
        self._progress.reset(self._bar, description=what, total=None, note="")

        def tick(done: int, total: int) -> None:
            self._progress.update(self._bar, completed=done, total=total, note=f"{done:,} of {total:,}")

        return tick

    def training(self, name: str, epochs: int) -> Callable[[dict[str, Any]], None]:
        """A listener to the events of training."""
        begun = False

        def listen(event: dict[str, Any]) -> None:
            nonlocal begun
            if not begun:  # the data have been read
                self._progress.reset(self._bar, description=name, total=epochs, note="")
                begun = True
            if event["event"] == "step":
                part = event["batch"] / event["batches"]
                place = f"epoch {event['epoch']}/{epochs}  batch {event['batch']}/{event['batches']}"
                note = f"{place}  loss {event['loss']:.4f}"
                self._progress.update(self._bar, completed=event["epoch"] - 1 + part, note=note)
            elif event["event"] == "epoch":
                self.say(f"{name}: {epoch_line(event)}")

        return listen


def epoch_line(event: dict[str, Any]) -> str:
    """The measurements of one epoch."""
    words = [
        f"epoch {event['epoch']}/{event['epochs']}",
        f"loss {event['train_loss']:.4f}",
        f"train {percent(event['train_accuracy'])}",
    ]
    for split, title in (("validation", "validation"), ("test", "held-out")):
        if f"{split}_accuracy" in event:
            words.append(f"{title} {percent(event[f'{split}_accuracy'])}")
        if f"{split}_accuracy_smeared" in event:
            words[-1] += f" (smeared {percent(event[f'{split}_accuracy_smeared'])})"
    words += [f"sigma {event['sigma']:.2f}"] if event.get("sigma") else []
    return "  ".join([*words, f"{event['samples_per_s']:.0f} samples/s"])


@contextmanager
def stop_request() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks to stop after the step at hand; a second one stops at once."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
