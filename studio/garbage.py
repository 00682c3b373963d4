"""Python's garbage, collected on the window's thread alone.

Left to itself the collector runs in whichever thread allocates, the checker's too, and frees there what
belongs to Qt: widgets destroyed off their thread crash the program.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 200


class GarbageCollector(QObject):
    """Takes over from the automatic collector, which it switches off, with the collector's own thresholds."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(collect_due)
        self._timer.start()


def collect_due() -> int | None:
    """Collect the oldest generation that is due; which one it was."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    for generation in (2, 1, 0):
        if counts[generation] > thresholds[generation] > 0:
            gc.collect(generation)
            return generation
    return None
