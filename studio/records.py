"""What a session's run has sent in the last minutes, and which part of it the plots show."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from studio.session import Session

MOST_BYTES = 256 * 2**20
MOST_FRAMES = 20_000
"""About ten minutes of frames of the screen."""

FRAME_MS = 33
"""Plots hear of new records at most this often."""

SPANS = (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 30_000.0)
"""Lengths of the shown part, in ms, that one can choose."""


@dataclass(frozen=True)
class Frame:
    """What came at once: ``steps`` steps from ``first`` on.

    ``arrays``: by name ``node.port`` or ``node.port.form``; ``neurons``: which of them, where not all.
    """

    first: int
    steps: int
    arrays: dict[str, np.ndarray]
    neurons: dict[str, list[int]]
    sample: dict[str, Any] | None = None

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return sum(array.nbytes for array in self.arrays.values()) + 1000


@dataclass(frozen=True)
class Window:
    """A signal over some steps: ``values [time, neurons]`` at ``steps [time]``; NaN where nothing came."""

    steps: np.ndarray
    values: np.ndarray
    neurons: np.ndarray


class Records(QObject):
    """The newest records of a session's run, bounded in memory.  Steps count from the run's beginning."""

    updated = Signal()
    """There is more, or all is gone; at most 30 times a second."""
    moved = Signal()
    """Another part is shown: ``follow``, ``at`` or ``span`` is another."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self.dt = 1.0
        self.span = 500.0
        """Length of the shown part in ms."""
        self.follow = True
        """Whether the newest records are shown."""
        self.one_in = 1
        """Of so many frames the newest one was shown; the others were skipped."""
        self._at = 0
        self._frames: list[Frame] = []
        self._bytes = 0
        self._timer = QTimer(self, singleShot=True, interval=FRAME_MS)
        self._timer.timeout.connect(self.updated)
        session.runner.records.connect(self._take)
        session.runner.started.connect(self.clear)

    @staticmethod
    def of(session: Session) -> Records:
        """The one of a session."""
        if session not in _made:
            _made[session] = Records(session)
        return _made[session]

    # --- what there is

    @property
    def first(self) -> int:
        """The oldest step that is kept."""
        return self._frames[0].first if self._frames else 0

    @property
    def last(self) -> int:
        """The step after the newest."""
        return self._frames[-1].first + self._frames[-1].steps if self._frames else 0

    @property
    def empty(self) -> bool:
        """Whether nothing was recorded."""
        return not self._frames

    def clear(self) -> None:
        """Forget all and follow what comes."""
        self._frames, self._bytes, self.one_in = [], 0, 1
        self.go_live()
        self._timer.start(0)

    def window(
        self, node: str, port: str, first: int, last: int, wanted: list[int] | None = None
    ) -> Window | None:
        """A signal of ``wanted`` neurons (None: those of the newest frame) at the steps ``first .. last``."""
        name = f"{node}.{port}"
        found = [frame for frame in self._between(first, last) if len(frame.arrays.get(name, ()))]
        if not found:
            return None
        neurons = _neurons(found[-1], name) if wanted is None else np.asarray(wanted, np.int64)
        parts = [_columns(frame, name, neurons) for frame in found]
        steps = [frame.first + np.arange(len(part)) for frame, part in zip(found, parts, strict=True)]
        return _cut(_bridged(steps, parts), neurons, first, last)

    def events(self, node: str, port: str, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Steps and neurons of the spikes at the steps ``first .. last``, in order of time."""
        name = f"{node}.{port}.events"
        found = [
            frame.arrays[name].astype(np.int64) + np.array([frame.first, 0])
            for frame in self._between(first, last)
            if name in frame.arrays
        ]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        steps, neurons = np.concatenate(found).T
        inside = slice(*np.searchsorted(steps, (first, last)))
        return steps[inside], neurons[inside]

    def rate(self, node: str, port: str, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Steps and, in Hz, the mean rate over neurons in each of them."""
        found = self.window(node, f"{port}.rate", first, last)
        return (found.steps, found.values[:, 0]) if found else (np.empty(0, np.int64), np.empty(0))

    def snapshot(self, node: str, port: str, at: int | None = None) -> np.ndarray | None:
        """The newest weights, delays or short form of them (``weights.histogram``) not after step ``at``."""
        name = f"{node}.{port}"
        frames = self._frames if at is None else self._frames[: self._index(at) + 1]
        return next((frame.arrays[name] for frame in reversed(frames) if name in frame.arrays), None)

    def has(self, node: str, port: str) -> bool:
        """Whether any of the newest frames holds this signal."""
        name = f"{node}.{port}"
        return any(name in frame.arrays for frame in self._frames[-8:])

    def sample(self, at: int) -> dict[str, Any] | None:
        """Which recording of the data set was running at a step."""
        index = self._index(at)
        return self._frames[index].sample if 0 <= index < len(self._frames) else None

    # --- what is shown

    @property
    def at(self) -> int:
        """The step after the last one shown."""
        return self.last if self.follow else min(max(self._at, self.first), self.last)

    @property
    def shown(self) -> tuple[int, int]:
        """The steps that plots show: from the first until before the second."""
        return self.at - max(1, round(self.span / self.dt)), self.at

    def go_live(self) -> None:
        """Show the newest records as they come."""
        if not self.follow:
            self.follow = True
            self.moved.emit()

    def go_to(self, step: int) -> None:
        """Show what ends at ``step``, and stay there; at the newest step, follow."""
        self._at, self.follow = step, step >= self.last
        self.moved.emit()

    def show(self, span: float) -> None:
        """Show so many ms."""
        self.span = span
        self.moved.emit()

    # --- keeping

    def _take(self, message: dict[str, Any]) -> None:
        frame = Frame(
            message["step"],
            message["steps"],
            message["records"],
            message.get("neurons", {}),
            message.get("sample"),
        )
        self.dt = message["dt"]
        self.one_in = message.get("one_in", 1)
        self._frames.append(frame)
        self._bytes += frame.bytes
        self._forget()
        if not self._timer.isActive():
            self._timer.start(FRAME_MS)

    def _forget(self) -> None:
        """Let the oldest tenth go when there is too much, with many frames at once since a list shifts."""
        if self._bytes <= MOST_BYTES and len(self._frames) <= MOST_FRAMES:
            return
        gone = max(1, len(self._frames) // 10)
        self._bytes -= sum(frame.bytes for frame in self._frames[:gone])
        del self._frames[:gone]

    def _index(self, step: int) -> int:
        """The last frame that begins at or before a step."""
        return bisect_right(self._frames, step, key=lambda frame: frame.first) - 1

    def _between(self, first: int, last: int) -> Iterator[Frame]:
        for frame in self._frames[max(0, self._index(first)) :]:
            if frame.first >= last:
                return
            if frame.first + frame.steps > first:
                yield frame


_made: WeakKeyDictionary[Session, Records] = WeakKeyDictionary()


def _neurons(frame: Frame, name: str) -> np.ndarray:
    array = frame.arrays[name]
    size = int(np.prod(array.shape[1:]))
    return np.asarray(frame.neurons.get(name, range(size)), np.int64)


def _columns(frame: Frame, name: str, wanted: np.ndarray) -> np.ndarray:
    """A frame's part of a signal for the wanted neurons; NaN for those that it did not hold."""
    array = frame.arrays[name]
    values = array.reshape(len(array), -1)
    held = _neurons(frame, name)
    if np.array_equal(held, wanted):
        return values
    places = {neuron: place for place, neuron in enumerate(held.tolist())}
    index = np.array([places.get(neuron, -1) for neuron in wanted.tolist()])
    return np.where(index >= 0, values[:, index], np.nan)


def _bridged(steps: list[np.ndarray], parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """One after the other; where steps are missing in between, one of NaN, so that no line is drawn there."""
    out_steps, out_parts = [steps[0]], [parts[0]]
    for at, part in zip(steps[1:], parts[1:], strict=True):
        end = out_steps[-1][-1] + 1
        if at[0] > end:
            out_steps.append(np.array([end]))
            out_parts.append(np.full((1, part.shape[1]), np.nan))
        out_steps.append(at)
        out_parts.append(part)
    return np.concatenate(out_steps), np.concatenate(out_parts)


def _cut(found: tuple[np.ndarray, np.ndarray], neurons: np.ndarray, first: int, last: int) -> Window:
    steps, values = found
    inside = slice(*np.searchsorted(steps, (first, last)))
    return Window(steps[inside], values[inside], neurons)
