"""The recipe of a training as a form; every change is an edit."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from engine.document import Edit
from engine.document.ops import set_op
from engine.recipe import TRAIN, recipe
from studio.fields import FieldEditor, editor_for
from studio.session import Session

MAIN = {"epochs": "Epochs", "batch": "Batch", "lr": "Weight rate", "delay_lr": "Delay rate"}
TITLES = {
    "test_every": "Judge every",
    "validation": "Validation part",
    "patience": "Patience",
    "clip": "Clip gradient",
    "lr_schedule": "Weight schedule",
    "lr_peak": "Peak rate",
    "delay_schedule": "Delay schedule",
    "neuron_lr": "Neuron rate",
    "neuron_schedule": "Neuron schedule",
    "weight_decay": "Weight decay",
    "quantise_weights": "Weight bits",
    "quantise_per": "Scale per",
    "quantise_scale": "Scale rule",
    "quantise_neurons": "Neuron bits",
    "quantise_state": "State bits",
    "quantise_delays": "Delay bits",
}
"""Of settings whose names say too little."""

REST = {name: TITLES.get(name, name.replace("_", " ").capitalize()) for name in TRAIN if name not in MAIN}


class RecipeForm(QWidget):
    """What a person changes most, and the rest behind a button."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None
        self.editors: dict[str, FieldEditor] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._form(MAIN))
        self.more = QToolButton()
        self.more.setText("All settings")
        self.more.setCheckable(True)
        self.more.setArrowType(Qt.ArrowType.RightArrow)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setAutoRaise(True)
        self.more.setToolTip("Show every setting of the recipe")
        self.rest = self._form(REST)
        self.rest.hide()
        self.more.toggled.connect(self._open)
        column.addWidget(self.more)
        column.addWidget(self.rest)

    def _form(self, titles: dict[str, str]) -> QWidget:
        part = QWidget()
        form = QFormLayout(part)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        for name, title in titles.items():
            param = TRAIN[name]
            editor = editor_for(param, part)
            editor.setToolTip(param.doc)
            editor.changed.connect(partial(self._change, name, title))
            editor.finished.connect(self._finish)
            editor.refused.connect(self._refuse)
            label = QLabel(title)
            label.setToolTip(param.doc)
            label.setBuddy(editor)
            form.addRow(label, editor)
            self.editors[name] = editor
        return part

    def show_session(self, session: Session | None) -> None:
        """Show the recipe of a document."""
        if self.session is not None:
            self.session.edited.disconnect(self._on_edit)
        self.session = session
        self.setEnabled(session is not None)
        if session is not None:
            session.edited.connect(self._on_edit)
            self._show()

    def _show(self) -> None:
        assert self.session is not None
        try:
            chosen = recipe("train", self.session.document.recipes)
        except (ValueError, TypeError):  # somebody wrote nonsense into the file; training says so
            return
        for name, editor in self.editors.items():
            editor.show_value(chosen[name])

    def _on_edit(self, edit: Edit) -> None:
        if any(op.get("path", [""])[0] == "recipes" for op in edit.ops):
            self._show()

    def _change(self, name: str, title: str, value: Any, more: bool) -> None:
        if self.session is None:
            return
        recipes = self.session.document.recipes
        ops = [] if "train" in recipes else [set_op(["recipes", "train"], {})]
        merge = f"recipe {name}" if more else None
        self.session.edit(f"Set {title.lower()}", [*ops, set_op(["recipes", "train", name], value)], merge)

    def _finish(self) -> None:
        if self.session is not None:
            self.session.end_merge()

    def _refuse(self, sentence: str) -> None:
        if sentence and self.session is not None:
            self.session.refused.emit(sentence)

    def _open(self, open_: bool) -> None:
        self.rest.setVisible(open_)
        self.more.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
