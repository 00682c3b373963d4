"""Where the plots are in time: the play head, a way back through the last minutes, and the speed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from studio.made import made
from studio.plots.header import Elided
from studio.records import SPANS, Records
from studio.session import Session
from studio.theme import theme

NARROWEST = 76
"""Pixels that a box can do with where there is little room."""


class Timeline(QWidget):
    """A slider over what is recorded, of one session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session, self.records = session, Records.of(session)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Scrub back through what is recorded (arrow keys too)")
        self.slider.setAccessibleName("Time shown")
        self.slider.valueChanged.connect(self._on_slider)
        self.clock = QLabel("0 ms")
        self.clock.setToolTip("Time shown by the plots")
        self.note = Elided(self)
        self.live = QToolButton()
        self.live.setText("Live")
        self.live.setCheckable(True)
        self.live.setToolTip("Follow the run as it goes on")
        self.live.clicked.connect(self.records.go_live)
        self.span = made(QComboBox(), minimumWidth=NARROWEST)
        self.span.setToolTip("How much time the plots show (the wheel over a plot does the same)")
        for span in SPANS:
            self.span.addItem(_time(span), span)
        self.span.activated.connect(lambda index: self.records.show(SPANS[index]))
        self._lay_out()
        self.records.updated.connect(self.refresh)
        self.records.moved.connect(self.refresh)
        session.runner.state_changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show where the records are."""
        records = self.records
        self.slider.blockSignals(True)
        self.slider.setRange(records.first, records.last)
        self.slider.setPageStep(max(1, round(records.span / records.dt)))
        self.slider.setSingleStep(max(1, round(records.span / records.dt / 20)))
        self.slider.setValue(records.at)
        self.slider.blockSignals(False)
        self.slider.setEnabled(not records.empty)
        self.live.setEnabled(not records.empty)
        self.live.setChecked(records.follow and not records.empty)
        self.clock.setText(_time(records.at * records.dt))
        note = self._note()
        self.note.say(note, note)
        self.note.setVisible(bool(note))
        nearest = min(range(len(SPANS)), key=lambda i: abs(SPANS[i] - records.span))
        self.span.setCurrentIndex(nearest)

    def _note(self) -> str:
        parts = []
        sample = self.records.sample(self.records.at - 1)
        if sample:
            label = f", label {sample['label']}" if sample.get("label") else ""
            parts.append(f"recording {sample['index'] + 1} of {sample['of']}{label}")
        if self.records.one_in > 1 and self.session.runner.state == "running":
            parts.append(f"1 in {self.records.one_in} shown")
        return "  ·  ".join(parts)

    def _on_slider(self, step: int) -> None:
        self.records.go_to(step)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(6)
        self.slider.setMinimumWidth(60)
        self.clock.setMinimumWidth(self.clock.fontMetrics().horizontalAdvance("0 000 ms"))
        row.addWidget(self.clock)
        row.addWidget(self.slider, 2)
        row.addWidget(self.note, 3)
        row.addWidget(self.live)
        row.addWidget(self.span)


SPEEDS: tuple[float | None, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, None)
"""Times real time; None: as fast as possible."""


class SpeedBox(QComboBox):
    """How fast the run goes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.runner = session.runner
        self.setMinimumWidth(NARROWEST)
        for speed in SPEEDS:
            self.addItem("as fast as possible" if speed is None else f"{speed:g} × real time", speed)
        self.setToolTip("Speed of the run: simulated seconds a second ( [ and ] )")
        self.setAccessibleName("Speed")
        self.activated.connect(lambda index: choose_speed(session, SPEEDS[index]))
        self.runner.speed_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the speed that is set."""
        self.setCurrentIndex(nearest_speed(self.runner.speed.get("factor")))


def nearest_speed(factor: float | None) -> int:
    """The place in ``SPEEDS`` of a speed."""
    if factor is None:
        return len(SPEEDS) - 1
    known = [(abs(speed - factor), place) for place, speed in enumerate(SPEEDS) if speed is not None]
    return min(known)[1]


def choose_speed(session: Session, speed: float | None) -> None:
    """Run so many times as fast as real time, or as fast as possible."""
    session.runner.set_speed(**({} if speed is None else {"factor": float(speed)}))


def _time(ms: float) -> str:
    return f"{ms:,.0f} ms".replace(",", " ") if ms < 10_000 else f"{ms / 1000:,.1f} s".replace(",", " ")
