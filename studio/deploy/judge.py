"""What every target says of the drawing, found off the window's thread."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.compile import Diagnostic
from engine.errors import MyelinError
from engine.export.target import Target, checked, discover, options_of, verdict
from engine.export.verify import UNCONVERTIBLE
from engine.program import Program


@dataclass(frozen=True)
class Judged:
    """A target, whether it takes the drawing (``complete``, ``partial``, ``impossible``), and why not."""

    target: Target
    verdict: str
    diagnostics: tuple[Diagnostic, ...]


Chosen = Mapping[str, Mapping[str, Any]]


class Judge(QObject):
    """Asks all targets, or one again with other options; the newest question counts."""

    judged = Signal(object)
    """Judged by the id of the target; those that were asked."""
    failed = Signal(str)
    _arrived = Signal(int, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, "judge")
        self._number = 0
        self._closed = False
        self._arrived.connect(self._take)

    def ask(self, program: Program, chosen: Chosen, only: str = "") -> None:
        """Of every target, or of ``only`` one, with the options ``chosen`` for it."""
        self._number += 1
        number = self._number
        future = self._pool.submit(_judge, program, dict(chosen), only)
        future.add_done_callback(lambda done: self._tell(number, done))

    def close(self) -> None:
        """Ask no more."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tell(self, number: int, future: Future[dict[str, Judged]]) -> None:
        if self._closed or future.cancelled():
            return
        error = future.exception()
        self._arrived.emit(number, str(error) if error else future.result())

    def _take(self, number: int, found: dict[str, Judged] | str) -> None:
        if isinstance(found, str):
            self.failed.emit(found)
        elif number == self._number:
            self.judged.emit(found)


def _judge(program: Program, chosen: Chosen, only: str) -> dict[str, Judged]:
    wanted = {id: target for id, target in discover().items() if only in ("", id)}
    return {id: _judged(target, program, chosen.get(id, {})) for id, target in wanted.items()}


def _judged(target: Target, program: Program, chosen: Mapping[str, Any]) -> Judged:
    try:
        found = checked(target, program, options_of(target, chosen))
    except MyelinError as error:
        return Judged(target, "impossible", (UNCONVERTIBLE((), str(error)),))
    return Judged(target, verdict(found), tuple(found))
