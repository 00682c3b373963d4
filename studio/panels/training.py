"""Training: how it goes and what it reaches, live."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QWidget

from studio.panels import panel
from studio.session import Session
from studio.training.board import Board
from studio.training.controls import Controls
from studio.training.trainer import Trainer
from studio.workspace import Workspace

EMPTY = (
    "Nothing has been trained yet.\n\n"
    "Train (Ctrl+Return) learns the weights and delays of the network; loss, accuracy, delays and firing"
    " rates are drawn here while it learns."
)
NO_DATA = (
    "This network has nothing to learn from: training needs a data set and a loss on the canvas.\n\n"
    "Play runs it as it is."
)


@panel("training", "Training", area="bottom", icon="train", order=2)
class Training(QWidget):
    """Buttons and recipe on the left, plots on the right."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.trainer: Trainer | None = None
        self.controls, self.board = Controls(), Board()
        self.words = QLabel(EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.words.setContentsMargins(40, 10, 40, 10)
        right = QWidget()
        self.stack = QStackedLayout(right)
        self.stack.addWidget(self.words)
        self.stack.addWidget(self.board)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.controls)
        row.addWidget(right, 1)
        workspace.current_changed.connect(self._show)
        self._show(workspace.current)

    def sizeHint(self) -> QSize:
        """Room for the plots."""
        return QSize(1200, 280)

    def _show(self, session: Session | None) -> None:
        if self.trainer is not None:
            self.trainer.shown.disconnect(self._refresh)
            self.trainer.session.edited.disconnect(self._refresh)
        self.trainer = Trainer.of(session) if session else None
        self.controls.show_trainer(self.trainer)
        self.board.show_trainer(self.trainer)
        if self.trainer is not None:
            self.trainer.shown.connect(self._refresh)
            self.trainer.session.edited.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        trainer = self.trainer
        if trainer is not None and trainer.run is not None:
            self.stack.setCurrentWidget(self.board)
            return
        self.stack.setCurrentWidget(self.words)
        self.words.setText(EMPTY if trainer is None or trainer.trainable() else NO_DATA)
