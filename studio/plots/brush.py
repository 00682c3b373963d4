"""The stimulus brush: a click gives a neuron, or a population, a pulse of current."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from studio.plots.views import name_of
from studio.session import Session

DURATION_MS = 10.0
STRENGTH = 1.5
"""Pulses reach so many times the distance from rest to threshold, unless one sets the amplitude."""


class Brush(QObject):
    """Whether the brush is on, and the pulse it gives; one for each session."""

    changed = Signal()
    touched = Signal(str, object)
    """A pulse went to a node: its id, and the neurons (None: all)."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.session = session
        self.on = False
        self.amplitude: float | None = None
        """Current of the pulse; None to fit it to each population's threshold."""
        self.duration = DURATION_MS

    @staticmethod
    def of(session: Session) -> Brush:
        """The one of a session."""
        if session not in _made:
            _made[session] = Brush(session)
        return _made[session]

    def switch(self, on: bool) -> None:
        """Take up the brush, or put it down."""
        if on != self.on:
            self.on = on
            self.changed.emit()

    def set_pulse(self, amplitude: float | None, duration: float) -> None:
        """Amplitude (None: fitting) and duration in ms of the pulses to come."""
        self.amplitude, self.duration = amplitude, duration
        self.changed.emit()

    def touch(self, node: str, neurons: list[int] | None) -> bool:
        """Stimulate if the brush is on and a run there; otherwise say what is missing."""
        if not self.on:
            return False
        runner = self.session.runner
        if runner.state not in ("running", "paused"):
            self.session.refused.emit("Nothing runs that could be stimulated: press Play first.")
            return False
        dt = float(self.session.document.meta.get("dt_ms", 1.0))
        steps, current = max(1, round(self.duration / dt)), self.fitting(node)
        runner.stimulate(node, current, steps, neurons)
        whom = name_of(self.session.document, node) + ("" if neurons is None else f" {neurons[0]}")
        self.session.noticed.emit(f"Pulse of {current:.3g} for {steps * dt:g} ms into {whom}")
        self.touched.emit(node, neurons)
        return True

    def fitting(self, node: str) -> float:
        """The amplitude for a node: the one set, or enough for its neurons to fire soon."""
        if self.amplitude is not None:
            return self.amplitude
        params = self.session.document.nodes[node].params
        distance = float(params.get("v_th", 1.0)) - float(params.get("v_leak", 0.0))
        return STRENGTH * (abs(distance) or 1.0) / (abs(float(params.get("resistance", 1.0))) or 1.0)


_made: WeakKeyDictionary[Session, Brush] = WeakKeyDictionary()
