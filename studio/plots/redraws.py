"""Draws plots one after the other, so that the window stays quick however many there are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QTimer

from studio.records import Records

if TYPE_CHECKING:
    from studio.plots.base import Plot

REST = 2.0
"""The window's thread rests so many times as long as the last plot took to draw."""

LEAST_MS = 8


class Redraws(QObject):
    """The plots of a session that wait to be drawn: one in each turn of the event loop, the oldest first."""

    def __init__(self, records: Records) -> None:
        super().__init__(records)
        self.records = records
        self.shown = records.shown
        """The steps that all plots of this round show, though each is drawn in a turn of its own."""
        self._waiting: list[Plot] = []
        self._left: set[Plot] = set()
        self._timer = QTimer(self, singleShot=True, interval=LEAST_MS)
        self._timer.timeout.connect(self._next)
        records.moved.connect(self._begin)

    @staticmethod
    def of(records: Records) -> Redraws:
        """The one of a session's records."""
        if records not in _made:
            _made[records] = Redraws(records)
        return _made[records]

    def ask(self, plot: Plot) -> None:
        """Draw this plot soon."""
        if plot not in self._waiting:
            self._waiting.append(plot)
            if not self._timer.isActive():
                self._timer.start(LEAST_MS)

    def forget(self, plot: Plot) -> None:
        """The plot is closed."""
        if plot in self._waiting:
            self._waiting.remove(plot)

    def _take_turn(self, plot: Plot) -> None:
        """A plot that was drawn in this round already begins another, of the newest records."""
        if plot not in self._left:
            self._begin()
            self._left = {plot, *self._waiting}
        self._left.discard(plot)

    def _begin(self) -> None:
        self.shown, self._left = self.records.shown, set()

    def _next(self) -> None:
        while self._waiting:
            plot = self._waiting.pop(0)
            if plot.isVisible():
                self._take_turn(plot)
                began = time.perf_counter()
                plot.redraw()
                spent = 1000 * (time.perf_counter() - began)
                self._timer.start(max(LEAST_MS, round(REST * spent)))
                return


_made: WeakKeyDictionary[Records, Redraws] = WeakKeyDictionary()
