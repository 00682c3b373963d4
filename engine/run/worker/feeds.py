"""What a run is fed with: nothing, for ever, or one recording after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from engine.backend.data import Split
from engine.backend.noise import Noise
from engine.data.store import data_root
from engine.errors import MyelinError
from engine.program import Source
from engine.recipe import recipe
from engine.run.worker.errors import RefusedError, StoppedError, sentence
from engine.run.worker.session import Session


class Feed:
    """A network without data runs on and on.  ``end``: steps of input, None where it never ends."""

    end: int | None = None
    noise: Noise | None = None
    sample: dict[str, Any] | None = None

    def left(self, step: int) -> int | None:
        """Steps from ``step`` to the end of the present recording and what it leaves behind."""
        return None

    def inputs(self, step: int, steps: int) -> dict[Source, Tensor]:
        """Signals of a window, ``[time, 1, *shape]``."""
        return {}

    def next(self) -> bool:
        """Go to the next recording; False when there is none."""
        return False


class Recordings(Feed):
    """The first ``count`` recordings of a split (all without a count), one by one."""

    def __init__(self, session: Session, split: Split) -> None:
        self.split, self.seed, self.tail = split, session.program.seed, session.program.tail
        self.device, self.index = session.device, -1
        self.signals: dict[Source, Tensor] = {}
        if not self.next():
            raise RefusedError(f"the split {split.name!r} of the data set is empty")

    def left(self, step: int) -> int | None:
        """Steps until this recording and its tail are over."""
        assert self.end is not None
        return self.end + self.tail - step

    def inputs(self, step: int, steps: int) -> dict[Source, Tensor]:
        """The part of the recording that lies in a window."""
        return {source: signal[step : step + steps] for source, signal in self.signals.items()}

    def next(self) -> bool:
        """Each recording has its own noise; the first that of a run without data."""
        if self.index + 1 >= len(self.split):
            return False
        self.index += 1
        batch = self.split[[self.index]]
        self.signals = {source: signal.to(self.device) for source, signal in batch.inputs.items()}
        self.end = max(map(len, self.signals.values()))
        self.noise = Noise(self.seed, self.index, 1)
        self.sample = {
            "index": self.index,
            "of": len(self.split),
            "steps": self.end + self.tail,
            "label": _label(self.split, self.index),
        }
        return True


def _label(split: Split, index: int) -> str:
    """The class's name; empty where every step has its own, or none is known."""
    label = np.asarray(split.labels[index])
    return str(split.classes[int(label)]) if label.ndim == 0 and label >= 0 else ""


def open_feed(
    session: Session,
    options: dict[str, Any],
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Feed:
    """The feed a program asks for: its data set, if it has one."""
    datasets = session.program.of_role("dataset")
    if not datasets:
        return Feed()

    def progress(done: int, total: int) -> None:
        if should_stop():
            raise StoppedError("the reading of the data was stopped")
        on_progress(done, total)

    root = Path(options["data_root"]) if options.get("data_root") else data_root()
    name = options.get("split") or recipe("run", session.program.recipes).split
    try:
        return Recordings(
            session, Split(session.program, name, root, limit=options.get("samples"), progress=progress)
        )
    except StoppedError:
        raise
    except (MyelinError, ValueError, OSError) as error:
        raise RefusedError(sentence(error), getattr(error, "node", "") or datasets[0].id) from None
