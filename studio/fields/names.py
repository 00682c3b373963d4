"""Some of several names."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from nodes.spec import Param
from studio.fields import MIXED, FieldEditor, field


@field("names")
class NamesField(FieldEditor):
    """A check box for each name."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        column = QVBoxLayout()
        column.setSpacing(2)
        self.boxes = {name: QCheckBox(name, self) for name in param.choices}
        for box in self.boxes.values():
            column.addWidget(box)
            box.clicked.connect(self._on_clicked)
        self.row.addLayout(column, 1)
        if self.boxes:
            self.setFocusProxy(next(iter(self.boxes.values())))

    def show_value(self, value: Any) -> None:
        """The names in the list are checked; all are partly checked for several nodes that differ."""
        self.value = value
        chosen = value if isinstance(value, (list, tuple)) else ()
        for name, box in self.boxes.items():
            state = Qt.CheckState.Checked if name in chosen else Qt.CheckState.Unchecked
            box.setTristate(value is MIXED)
            box.setCheckState(Qt.CheckState.PartiallyChecked if value is MIXED else state)

    def _on_clicked(self) -> None:
        full = Qt.CheckState.Checked
        self.changed.emit([name for name, box in self.boxes.items() if box.checkState() == full], False)
