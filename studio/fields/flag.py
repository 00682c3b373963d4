"""Yes or no."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QWidget

from nodes.spec import Param
from studio.fields import MIXED, FieldEditor, field


@field("bool")
class FlagField(FieldEditor):
    """A check box that says its state in words as well."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self.box = QCheckBox(self)
        self.box.setAccessibleName(param.doc)
        self.row.addWidget(self.box, 1)
        self.setFocusProxy(self.box)
        self.box.clicked.connect(self._on_clicked)

    def show_value(self, value: Any) -> None:
        """Checked, not checked, or partly for several nodes that differ."""
        self.value = value
        mixed = value is MIXED
        self.box.setTristate(mixed)
        state = Qt.CheckState.Checked if value is True else Qt.CheckState.Unchecked
        self.box.setCheckState(Qt.CheckState.PartiallyChecked if mixed else state)
        self.box.setText("mixed" if mixed else "on" if value is True else "off")

    def _on_clicked(self) -> None:
        self.changed.emit(self.value is not True, False)
