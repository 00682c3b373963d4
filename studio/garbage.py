"""Python's garbage, collected on the window's thread alone.

Left to itself the collector runs in whichever thread allocates, the checker's too, and frees there what
belongs to Qt: widgets destroyed off their thread crash the program.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 200
FULL_S = 60.0
"""The oldest generation takes 50 ms at a thousand nodes, so it has its turn once a minute."""


class GarbageCollector(QObject):
    """Takes over from the automatic collector, which it switches off, with the collector's own thresholds."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()
        self._full = time.monotonic()

    def _collect(self) -> None:
        """Collect the oldest generation that is due."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [generation for generation in (0, 1, 2) if counts[generation] > thresholds[generation] > 0]
        if 2 in due and time.monotonic() - self._full < FULL_S:
            due.remove(2)
        if due:
            gc.collect(due[-1])
        if 2 in due:
            self._full = time.monotonic()
