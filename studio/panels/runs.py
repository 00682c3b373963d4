"""Runs: what was trained from the document, to compare, to use, to clear away."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.panels import panel
from studio.session import Session
from studio.theme import theme
from studio.training.run import Run
from studio.training.runs_table import COLUMNS, RunsModel
from studio.training.trainer import Trainer
from studio.workspace import Workspace

PAUSE_MS = 300
EMPTY = (
    "No runs yet.\n\nEvery training is kept as a run beside the document, with its curves and its weights."
)
BUTTONS = (
    ("use", "&Use these weights", "check", "Let the document start from the weights and delays of this run"),
    ("pin", "&Pin", "pin", "Keep this run at the top, or no longer"),
    ("copy", "&Copy command", "copy", "Copy the command line that repeats this run"),
    ("folder", "Open &folder", "folder", "Show the files of this run"),
    ("delete", "&Delete", "delete", "Move this run to the trash"),
)


@panel("runs", "Runs", area="bottom", icon="runs", order=3)
class Runs(QWidget):
    """A table of runs; several selected ones are drawn over each other in the training panel."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.trainer: Trainer | None = None
        self.model = RunsModel()
        self.table = self._make_table()
        self.words = QLabel(EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.buttons = {name: self._button(name, *rest) for name, *rest in BUTTONS}
        self.question = self._make_question()
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self.refresh)
        self._arrange()
        theme.changed.connect(self._dress)
        workspace.current_changed.connect(self._show)
        self._dress()
        self._show(workspace.current)

    def sizeHint(self) -> QSize:
        """Room for some rows."""
        return QSize(900, 240)

    # --- how it looks

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setShowGrid(False)
        table.setStyleSheet("QTableView::item { padding: 0 8px; }")
        table.setAlternatingRowColors(True)
        table.setTabKeyNavigation(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(COLUMNS.index("Protocol"), QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        table.selectionModel().selectionChanged.connect(self._on_selected)
        table.doubleClicked.connect(self._open_training)
        return table

    def _button(self, name: str, title: str, icon: str, tip: str) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(tip)
        button.clicked.connect(getattr(self, f"_{name}"))
        return button

    def _make_question(self) -> QFrame:
        bar = QFrame()
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 4, 8, 6)
        self.asked = QLabel()
        self.yes, self.no = QPushButton("Delete"), QPushButton("Keep")
        self.yes.clicked.connect(self._delete_really)
        self.no.clicked.connect(self._keep)
        row.addWidget(self.asked, 1)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        bar.hide()
        return bar

    def _arrange(self) -> None:
        middle = QWidget()
        self.stack = QStackedLayout(middle)
        self.stack.addWidget(self.words)
        self.stack.addWidget(self.table)
        self.table.setMinimumHeight(60)
        self.words.setMinimumHeight(60)
        self.row = QWidget()
        row = QHBoxLayout(self.row)
        row.setContentsMargins(8, 4, 8, 6)
        row.setSpacing(6)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch(1)
        self.hint = QLabel("Select several runs to compare their curves.")
        row.addWidget(self.hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(middle, 1)
        column.addWidget(self.question)
        column.addWidget(self.row)

    def _dress(self) -> None:
        for name, _, icon, _ in BUTTONS:
            self.buttons[name].setIcon(theme.icon(icon))
        palette = self.hint.palette()
        palette.setColor(self.hint.foregroundRole(), theme.colour("muted"))
        self.hint.setPalette(palette)

    # --- what it shows

    def _show(self, session: Session | None) -> None:
        if self.trainer is not None:
            self.trainer.shelf.changed.disconnect(self.refresh)
            self.trainer.shown.disconnect(self.refresh)
            self.trainer.session.edited.disconnect(self._timer.start)
        self.trainer = Trainer.of(session) if session else None
        if self.trainer is not None:
            self.trainer.shelf.changed.connect(self.refresh)
            self.trainer.shown.connect(self.refresh)
            self.trainer.session.edited.connect(self._timer.start)
        self._keep()
        self.refresh()

    def refresh(self) -> None:
        """Show the runs as they are now."""
        chosen = {run.id for run in self.chosen()}
        self.model.show(self.trainer, self.trainer.shelf.runs if self.trainer else [])
        self.stack.setCurrentWidget(self.table if self.model.runs else self.words)
        if chosen != {run.id for run in self.chosen()}:
            self.select(chosen)
        self._enable()

    def chosen(self) -> list[Run]:
        """The selected runs."""
        rows = self.table.selectionModel().selectedRows()
        return [self.model.runs[index.row()] for index in rows if index.row() < len(self.model.runs)]

    def select(self, ids: set[str]) -> None:
        """Select runs."""
        select = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row, run in enumerate(self.model.runs):
            if run.id in ids:
                self.table.selectionModel().select(self.model.index(row, 0), select)

    def _on_selected(self) -> None:
        if self.trainer is not None:
            chosen = self.chosen()
            self.trainer.shelf.compare(tuple(run.id for run in chosen))
            if len(chosen) == 1:
                self.trainer.show(chosen[0].id)
        self._keep()
        self._enable()

    def _enable(self) -> None:
        chosen = self.chosen()
        one = chosen[0] if len(chosen) == 1 else None
        for name in ("copy", "folder"):
            self.buttons[name].setEnabled(one is not None)
        self.buttons["use"].setEnabled(one is not None and one.weights.exists())
        self.buttons["pin"].setEnabled(bool(chosen))
        self.buttons["pin"].setText("Un&pin" if chosen and all(run.pinned for run in chosen) else "&Pin")
        self.buttons["delete"].setEnabled(bool(chosen) and all(run.status != "running" for run in chosen))

    # --- what the buttons do

    def _use(self) -> None:
        if self.trainer is not None and self.chosen():
            self.trainer.use_weights(self.chosen()[0])

    def _pin(self) -> None:
        chosen = self.chosen()
        pinned = not all(run.pinned for run in chosen)
        for run in chosen:
            if self.trainer is not None:
                self.trainer.shelf.pin(run, pinned)

    def _copy(self) -> None:
        if self.trainer is not None and self.chosen():
            command = self.trainer.again(self.chosen()[0])
            QGuiApplication.clipboard().setText(command)
            self.workspace.message.emit(f"Copied: {command}")

    def _folder(self) -> None:
        if self.chosen():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.chosen()[0].folder)))

    def _open_training(self) -> None:
        if self.trainer is not None and self.chosen():
            self.trainer.show(self.chosen()[0].id)

    def _delete(self) -> None:
        self._ask("Move {} to the trash?", "Move to the trash")

    def _ask(self, question: str, answer: str) -> None:
        chosen = self.chosen()
        size = sum(run.bytes for run in chosen) / 1e6
        what = f"run {chosen[0].word}" if len(chosen) == 1 else f"{len(chosen)} runs"
        used = any(self.trainer and self.trainer.starts_from() == f"run {run.word}" for run in chosen)
        warning = " The document starts from its weights." if used else ""
        self.asked.setText(question.format(f"{what} ({size:.1f} MB)") + warning)
        self.yes.setText(answer)
        self.row.hide()
        self.question.show()
        self.no.setFocus()

    def _keep(self) -> None:
        self.question.hide()
        self.row.show()

    def _delete_really(self) -> None:
        if self.trainer is None:
            return
        shelf = self.trainer.shelf
        remove = shelf.to_trash if self.yes.text() == "Move to the trash" else shelf.delete
        left = [run for run in self.chosen() if not remove(run)]
        self._keep()
        if left and remove == shelf.to_trash:
            self._ask("There is no trash for this folder. Delete {} for good?", "Delete for good")
        elif left:
            self.workspace.message.emit(f"{left[0].folder} cannot be deleted")
