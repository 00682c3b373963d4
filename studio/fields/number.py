"""Numbers: typed with SI prefixes and units, stepped by arrows and wheel, scrubbed by label or slider."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from nodes.spec import Param
from studio.fields import MIXED, field
from studio.fields._line import LineField
from studio.fields._quantity import Scale, fit, nudged, number_text, parse

NOTCHES = 1000
PIXELS = 6
"""How far the label is dragged for one step."""


class Slider(QSlider):
    """A slider that leaves the wheel to the panel around it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll."""
        event.ignore()


@field("int", "float")
class NumberField(LineField):
    """A number in its unit.  A drag on its label (``scrub``) or slider is one movement."""

    scrubs = True

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._scale = Scale.of(param)
        self._from: float | None = None
        self._moving = False
        self.slider = self._slider() if self._scale else None
        self.line.stepped.connect(self._on_stepped)
        self.line.released.connect(self._end)
        self.line.editingFinished.connect(self._end)

    def _slider(self) -> QSlider:
        slider = Slider(Qt.Orientation.Horizontal, self)
        slider.setRange(0, NOTCHES)
        slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrows in the line do the same
        slider.setMinimumWidth(48)
        slider.setToolTip("Drag to change; in the line, arrows and wheel do the same")
        slider.sliderMoved.connect(self._on_slid)
        slider.sliderReleased.connect(self._end)
        slider.actionTriggered.connect(self._on_clicked_beside)
        self.row.addWidget(slider, 1)
        return slider

    def parse(self, text: str) -> Any:
        """A number in the parameter's unit."""
        return parse(text, self.param.unit, self.param.kind == "int")

    def text_of(self, value: Any) -> str:
        """The shortest text that reads back the same."""
        return number_text(value)

    def show_value(self, value: Any) -> None:
        """Show a value in the line and on the slider."""
        super().show_value(value)
        if self._scale and self.slider and not self.slider.isSliderDown():
            there = value is not MIXED and not self.problem(value)
            self.slider.setValue(round(self._scale.place(value) * NOTCHES) if there else 0)

    def scrub(self, pixels: float) -> None:
        """Show and tell the value so many pixels from where the drag began."""
        if self._from is None:
            self._from = self._number()
        self._want(nudged(self._from, float(round(pixels / PIXELS)), self.param))

    def end_scrub(self) -> None:
        """The label was released."""
        self._from = None
        self._end()

    def _number(self) -> float:
        """The value shown, or the nearest sensible one where none can be read."""
        good = self.value is not MIXED and not self.problem(self.value)
        return self.value if good else fit(self.param.default, self.param)

    def _on_stepped(self, steps: float) -> None:
        if self.line.isModified():
            self.commit()
        self._want(nudged(self._number(), steps, self.param))

    def _on_slid(self, notch: int) -> None:
        assert self._scale
        self._want(fit(self._scale.value(notch / NOTCHES), self.param))

    def _on_clicked_beside(self, action: int) -> None:
        if self.slider and action != QSlider.SliderAction.SliderMove.value:
            self._on_slid(self.slider.sliderPosition())
            self._end()

    def _want(self, value: float) -> None:
        if value != self.value:
            self._moving = True
            self.line.setModified(False)
            self.changed.emit(value, True)

    def _end(self) -> None:
        if self._moving:
            self._moving = False
            self.finished.emit()
