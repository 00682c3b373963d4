"""The stimulus brush's switch and the pulse it gives."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QToolButton, QWidget

from studio.plots.brush import Brush
from studio.session import Session
from studio.theme import theme

FITTING = "fitting"


class PulseBox(QWidget):
    """Brush on or off, amplitude and duration."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.brush = Brush.of(session)
        self.switch = QToolButton()
        self.switch.setText("Stimulate")
        self.switch.setCheckable(True)
        self.switch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.switch.setToolTip(
            "Stimulate: while this is on, click a neuron in a raster or a population on the canvas (B)"
        )
        self.switch.clicked.connect(self.brush.switch)
        self.amplitude = self._spin(-1e6, 1e6, "Current of the pulse; fitting: enough to reach the threshold")
        self.amplitude.setMinimum(0.0)
        self.amplitude.setSpecialValueText(FITTING)
        self.amplitude.setPrefix("current ")
        self.duration = self._spin(0.1, 1e4, "How long the pulse lasts")
        self.duration.setSuffix(" ms")
        for spin in (self.amplitude, self.duration):
            spin.valueChanged.connect(self._on_pulse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.switch, self.amplitude, self.duration):
            row.addWidget(widget)
        self.brush.changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the brush as it is."""
        brush = self.brush
        self.switch.setIcon(theme.icon("stimulate"))
        self.switch.setChecked(brush.on)
        for spin, value in ((self.amplitude, brush.amplitude or 0.0), (self.duration, brush.duration)):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)
            spin.setVisible(brush.on)

    def _spin(self, low: float, high: float, tip: str) -> QDoubleSpinBox:
        spin = QDoubleSpinBox(minimum=low, maximum=high, decimals=2, singleStep=0.5)
        spin.setToolTip(tip)
        spin.setAccessibleName(tip)
        return spin

    def _on_pulse(self) -> None:
        self.brush.set_pulse(self.amplitude.value() or None, self.duration.value())
