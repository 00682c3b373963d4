"""One of several names."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

from nodes.spec import Param
from studio.fields import MIXED, FieldEditor, field


class Combo(QComboBox):
    """A combo box that the wheel changes only while it has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll unless the box has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


@field("choice")
class ChoiceField(FieldEditor):
    """A combo box of the choices."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self.combo = Combo(self)
        self.combo.addItems(list(param.choices))
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(8)
        self.combo.setAccessibleName(param.doc)
        self.row.addWidget(self.combo, 1)
        self.setFocusProxy(self.combo)
        self.combo.activated.connect(self._on_activated)

    def show_value(self, value: Any) -> None:
        """The choice; none of them for a value that is no choice, or for several nodes that differ."""
        self.value = value
        known = value in self.param.choices if isinstance(value, str) else False
        self.combo.setPlaceholderText("mixed" if value is MIXED else str(value))
        self.combo.setCurrentIndex(self.param.choices.index(value) if known else -1)

    def _on_activated(self, index: int) -> None:
        if self.param.choices[index] != self.value:
            self.changed.emit(self.param.choices[index], False)
