"""The options of a target as a form, made from their declarations."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from engine.export.target import Target
from studio.fields import FieldEditor, editor_for

LABEL = 110
"""Pixels of the column of labels."""


class Options(QWidget):
    """Remembers what was chosen for every target while it lives."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.chosen: dict[str, dict[str, Any]] = {}
        self.editors: dict[str, FieldEditor] = {}
        self._target = ""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._form: QWidget | None = None

    def show_target(self, target: Target) -> None:
        """The form of a target; nothing where it has no options."""
        self._target, self.editors = target.id, {}
        if self._form is not None:
            self._column.removeWidget(self._form)
            self._form.deleteLater()
        self._form = self._made(target)
        self._column.addWidget(self._form)
        self.setVisible(bool(target.options))

    def of(self, target: str) -> dict[str, Any]:
        """What was chosen for a target that is not its default."""
        return self.chosen.get(target, {})

    def _made(self, target: Target) -> QWidget:
        part = QWidget()
        form = QFormLayout(part)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(6)
        for name, param in target.options.items():
            editor = editor_for(param, part)
            editor.show_value(self.of(target.id).get(name, param.default))
            editor.setToolTip(param.doc)
            editor.changed.connect(partial(self._change, name))
            editor.refused.connect(self.refused)
            label = QLabel(name.replace("_", " ").capitalize())
            label.setToolTip(param.doc)
            label.setBuddy(editor)
            label.setMinimumWidth(LABEL)
            form.addRow(label, editor)
            self.editors[name] = editor
        return part

    def _change(self, name: str, value: Any, more: bool) -> None:
        self.editors[name].show_value(value)
        self.chosen.setdefault(self._target, {})[name] = value
        if not more:
            self.changed.emit()
