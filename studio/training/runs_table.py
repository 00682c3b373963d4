"""The runs of a document as a table."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from studio.theme import theme
from studio.training.run import Run
from studio.training.trainer import Trainer
from studio.training.words import percent

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Run", "When", "State", "Epochs", "Held-out", "Chance", "Seed", "Protocol", "Drawing")
TIPS = {
    "Held-out": "Accuracy on the held-out split with rounded delays; in brackets where it is not final",
    "Chance": "Held-out accuracy of always giving the most frequent label",
    "Drawing": "Whether the network on the canvas is another than when the run began",
}
RIGHT = ("Epochs", "Held-out", "Chance", "Seed")


class RunsModel(QAbstractTableModel):
    """Follows the shelf of a trainer."""

    def __init__(self) -> None:
        super().__init__()
        self.trainer: Trainer | None = None
        self.runs: list[Run] = []
        self._changed: dict[str, bool] = {}

    def show(self, trainer: Trainer | None, runs: list[Run]) -> None:
        """Show these runs."""
        changed = {run.id: trainer.changed_since(run) for run in runs} if trainer else {}
        same = trainer is self.trainer and [run.id for run in runs] == [run.id for run in self.runs]
        self.trainer = trainer
        if same:
            self.runs, self._changed = runs, changed
            if runs:
                self.dataChanged.emit(self.index(0, 0), self.index(len(runs) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.runs, self._changed = runs, changed
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One for each run."""
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """See COLUMNS."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(COLUMNS[section])
        return TIPS.get(COLUMNS[section]) if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, alignment, and the sign of a pinned run."""
        run, name = self.runs[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(run, name)
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(run.folder) if name == "Run" else self.text(run, name)
        if role == Qt.ItemDataRole.DecorationRole and name == "Run" and run.pinned:
            return theme.icon("pin")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(name)
        if role == Qt.ItemDataRole.FontRole and run.status == "running":
            bold = QFont()
            bold.setBold(True)
            return bold
        return None

    def text(self, run: Run, name: str) -> str:
        """What a cell says."""
        match name:
            case "Run":
                return run.word
            case "When":
                return when(run)
            case "State":
                return run.status
            case "Epochs":
                return f"{run.epochs} of {run.planned}"
            case "Held-out":
                shown = percent(run.accuracy)
                return shown if not shown or "result" in run.record else f"({shown})"
            case "Chance":
                return percent(run.chance)
            case "Seed":
                return str(run.record.get("seed", ""))
            case "Protocol":
                return str(run.record.get("protocol", ""))
        return "changed since" if self._changed.get(run.id) else "unchanged"


def alignment(name: str) -> int:
    """Numbers to the right, words to the left."""
    side = Qt.AlignmentFlag.AlignRight if name in RIGHT else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def when(run: Run) -> str:
    """When a run began, from its name or its record."""
    day, _, rest = run.id.partition("-")
    time = rest[:6]
    if len(day) == 8 and day.isdigit() and time.isdigit():
        return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}"
    return str(run.record.get("started", ""))[:16].replace("T", " ")
