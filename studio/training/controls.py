"""The left part of the training panel: buttons, state, progress, result, recipe."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from studio.theme import theme
from studio.training.recipe_form import RecipeForm
from studio.training.trainer import Trainer

WIDTH = 306


class Controls(QScrollArea):
    """Shows a trainer and does what its buttons say."""

    def __init__(self) -> None:
        super().__init__()
        self.trainer: Trainer | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH)
        self._make_buttons()
        self._make_words()
        self.recipe = RecipeForm()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(8, 6, 10, 6)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(6)
        for button in (self.train, self.stop, self.resume):
            row.addWidget(button)
        column.addLayout(row)
        parts = (self.state, self.bar, self.note, self.fault, self.go_there, self.result, self.protocol)
        for part in (*parts, self.starts, self.fresh, self.recipe):
            column.addWidget(part)
        column.addStretch(1)
        self.setWidget(inside)
        theme.changed.connect(self._dress)
        self._dress()

    def _make_buttons(self) -> None:
        self.train = self._button("Train", "Train the network from its starting weights (Ctrl+Return)")
        self.stop = self._button("Stop", "Stop after this batch; the last whole epoch is kept")
        self.resume = self._button("Resume", "Go on with the run that is shown")
        self.train.clicked.connect(lambda: self._do(Trainer.train))
        self.stop.clicked.connect(lambda: self._do(Trainer.stop))
        self.resume.clicked.connect(lambda: self._do(Trainer.resume))

    def _do(self, what: Callable[[Trainer], None]) -> None:
        if self.trainer is not None:
            what(self.trainer)

    def _button(self, title: str, help: str) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(help)
        return button

    def _make_words(self) -> None:
        self.state, self.note = self._label(), self._label()
        self.bar = QProgressBar(textVisible=False, minimum=0, maximum=1000)
        self.bar.setFixedHeight(6)
        self.fault = self._label()
        self.go_there = QPushButton("Show the node")
        self.go_there.setToolTip("Select the node that this is about")
        self.go_there.clicked.connect(self._go_there)
        self.result, self.protocol, self.starts = self._label(), self._label(), self._label()
        bold = QFont(self.font())
        bold.setPointSizeF(bold.pointSizeF() * 1.3)
        bold.setBold(True)
        self.result.setFont(bold)
        self.fresh = QPushButton("Start from fresh weights")
        self.fresh.setToolTip("Let the document draw its weights from its seed again")
        self.fresh.clicked.connect(lambda: self._do(Trainer.start_fresh))

    def _label(self) -> QLabel:
        label = QLabel(wordWrap=True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def show_trainer(self, trainer: Trainer | None) -> None:
        """Show the trainer of another document."""
        if self.trainer is not None:
            self.trainer.changed.disconnect(self.refresh)
            self.trainer.shown.disconnect(self.refresh)
            self.trainer.stepped.disconnect(self._progress)
            self.trainer.session.edited.disconnect(self.refresh)
        self.trainer = trainer
        self.recipe.show_session(trainer.session if trainer else None)
        if trainer is not None:
            trainer.changed.connect(self.refresh)
            trainer.shown.connect(self.refresh)
            trainer.stepped.connect(self._progress)
            trainer.session.edited.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the trainer as it is now."""
        trainer = self.trainer
        self.train.setEnabled(trainer is not None and trainer.can_train())
        self.stop.setEnabled(trainer is not None and trainer.busy and not trainer.stopping)
        self.resume.setEnabled(trainer is not None and trainer.can_resume())
        if trainer is None:
            return
        self._say(self.state, trainer.sentence)
        self._progress()
        self._say(self.fault, trainer.fault)
        self.go_there.setVisible(trainer.fault_node in trainer.session.document.nodes)
        result, protocol = trainer.result()
        self._say(self.result, result)
        self._say(self.protocol, protocol)
        starts = trainer.starts_from()
        self._say(self.starts, f"Starts from the weights of {starts}." if starts else "")
        self.fresh.setVisible(bool(starts))

    def _progress(self) -> None:
        trainer = self.trainer
        assert trainer is not None
        self.bar.setVisible(trainer.busy)
        self.bar.setMaximum(0 if trainer.part is None else 1000)
        self.bar.setValue(round(1000 * (trainer.part or 0.0)))
        self._say(self.note, trainer.note)

    def _say(self, label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)
        label.setVisible(bool(text))

    def _go_there(self) -> None:
        if self.trainer is not None:
            self.trainer.session.reveal(self.trainer.fault_node)

    def _dress(self) -> None:
        self.train.setIcon(theme.icon("train"))
        self.stop.setIcon(theme.icon("stop"))
        self.resume.setIcon(theme.icon("play"))
        for label, role in ((self.fault, "error"), (self.protocol, "muted"), (self.note, "muted")):
            palette = label.palette()
            palette.setColor(label.foregroundRole(), theme.colour(role))
            label.setPalette(palette)
