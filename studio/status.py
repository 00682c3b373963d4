"""The status bar: the newest message, what is in progress, and how fast a run goes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar

from studio.made import made
from studio.session import Session
from studio.workspace import Workspace

STATES = {
    "off": "Engine asleep", "starting": "Engine starts", "ready": "Engine ready", "loading": "Preparing",
    "running": "Running", "paused": "Paused", "training": "Training",
}  # fmt: skip
MESSAGE_MS = 15_000
ROOM = 4
"""Pixels above and below: what comes and goes in the bar moves nothing in the window."""

MEBI, GIBI = 2**20, 2**30


class Status(QObject):
    """Fills a status bar from the session in front."""

    def __init__(self, bar: QStatusBar, workspace: Workspace) -> None:
        super().__init__(bar)
        self.bar, self._session = bar, workspace.current
        self.progress = made(QProgressBar(), maximumWidth=260, minimumWidth=180)
        bar.setMinimumHeight(self.progress.sizeHint().height() + ROOM)
        self.progress.setToolTip("How far the work in progress has come")
        self.meter = made(
            QLabel(), toolTip="Simulated seconds a second, spikes a second, memory of the engine"
        )
        self.state = made(QLabel(), toolTip="What the engine, a process of its own, does")
        for widget in (self.progress, self.meter, self.state):
            bar.addPermanentWidget(widget)
        workspace.message.connect(lambda text: bar.showMessage(text, MESSAGE_MS))
        workspace.current_changed.connect(self.follow)
        self.follow(workspace.current)

    def follow(self, session: Session | None) -> None:
        """Show another session."""
        if self._session is not None:
            for signal, slot in self._pairs(self._session):
                signal.disconnect(slot)
        self._session = session
        if session is not None:
            for signal, slot in self._pairs(session):
                signal.connect(slot)
        self.meter.clear()
        self._show_state(session.runner.state if session else "")

    def _pairs(self, session: Session) -> list[tuple[Any, Any]]:
        runner = session.runner
        return [
            (runner.state_changed, self._show_state),
            (runner.meter, self._show_meter),
            (runner.progress, self._show_progress),
        ]

    def _show_state(self, state: str) -> None:
        self.state.setText(STATES.get(state, state.capitalize()))
        self.state.setVisible(bool(state))
        busy = state in ("loading", "starting")
        self.progress.setVisible(busy)
        self.progress.setRange(0, 0 if busy else 100)
        self.progress.setFormat(STATES.get(state, ""))

    def _show_meter(self, message: dict[str, Any]) -> None:
        self.meter.setText(meter_text(message))

    def _show_progress(self, message: dict[str, Any]) -> None:
        done, total, text = progress_of(message)
        self.progress.setVisible(total > 0)
        if total > 0:
            self.progress.setRange(0, total)
            self.progress.setValue(min(done, total))
            self.progress.setFormat(text)


def meter_text(message: dict[str, Any]) -> str:
    """A worker's ``state`` message as ``2.1 × real time · 12 400 spikes/s · 310 MiB``."""
    parts = []
    if message.get("real_time") is not None:
        parts.append(f"{message['real_time']:.3g} × real time")
    if message.get("spikes_per_s") is not None:
        parts.append(f"{message['spikes_per_s']:,.0f} spikes/s".replace(",", "\N{NARROW NO-BREAK SPACE}"))
    if message.get("memory"):
        parts.append(memory_text(message["memory"]))
    return "  ·  ".join(parts)


def memory_text(size: int) -> str:
    """Bytes in MiB, or in GiB from one on."""
    return f"{size / GIBI:.1f} GiB" if size >= GIBI else f"{size / MEBI:.0f} MiB"


def progress_of(message: dict[str, Any]) -> tuple[int, int, str]:
    """A worker's ``progress`` message: done, total (0 if it does not say) and a text to show."""
    if "epochs" in message:
        epoch, epochs = max(int(message.get("epoch", 1)), 1), int(message["epochs"])
        batch, batches = int(message.get("batch", 0)), max(int(message.get("batches", 1)), 1)
        return (epoch - 1) * batches + batch, epochs * batches, f"epoch {epoch} of {epochs}"
    done, total = int(message.get("done", 0)), int(message.get("total", 0))
    return done, total, f"{message.get('what') or message.get('of', '')} %p %".strip()
