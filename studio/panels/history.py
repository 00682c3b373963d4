"""The steps done so far and those taken back; a click goes to any of them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont, QShowEvent
from PySide6.QtWidgets import QTableView, QVBoxLayout, QWidget

from studio.made import made
from studio.panels import panel
from studio.session import Session
from studio.theme import theme
from studio.workspace import Workspace

ROW = 26

Index = QModelIndex | QPersistentModelIndex


class Steps(QAbstractListModel):
    """A row for the beginning and one for each step, read from the session's history when they are drawn."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._count = self._marked = 0

    @property
    def current(self) -> int:
        """The row of how things are now."""
        return len(self._session.history.done) if self._session else 0

    def follow(self, session: Session | None) -> None:
        """Show another session's steps."""
        self.beginResetModel()
        self._session, self._count = session, self._length(session)
        self._marked = self.current
        self.endResetModel()

    def update(self) -> None:
        """The history has changed: rows at the end come or go, and another is the current one."""
        before, now = self._count, self._length(self._session)
        if now > before:
            self.beginInsertRows(QModelIndex(), before, now - 1)
            self._count = now
            self.endInsertRows()
        elif now < before:
            self.beginRemoveRows(QModelIndex(), now, before - 1)
            self._count = now
            self.endRemoveRows()
        first, last = sorted((self._marked, self.current))
        self._marked = self.current
        self.dataChanged.emit(self.index(first), self.index(min(last, self._count - 1)))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # as Qt declares it
        """The beginning and every step."""
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A step's label; steps taken back are grey, the current one is marked."""
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            mark = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE} " if row == self.current else "   "
            return mark + self.label(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{'Redo up to' if row > self.current else 'Go back to'} \N{LEFT DOUBLE QUOTATION MARK}" \
                f"{self.label(row)}\N{RIGHT DOUBLE QUOTATION MARK}"  # fmt: skip
        if role == Qt.ItemDataRole.ForegroundRole and row > self.current:
            return theme.colour("disabled")
        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setBold(row == self.current)
            font.setItalic(row > self.current)
            return font
        return None

    def label(self, row: int) -> str:
        """What a step is called."""
        if self._session is None or row == 0:
            return "Opened"
        history = self._session.history
        done = len(history.done)
        return history.done[row - 1].label if row <= done else history.undone[done - row].label

    @staticmethod
    def _length(session: Session | None) -> int:
        return 1 + len(session.history.done) + len(session.history.undone) if session else 0


@panel("history", "History", area="bottom", icon="history", order=80, shown=False)
class History(QWidget):
    """The list of steps of the session in front."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session: Session | None = None
        self.steps = Steps(self)
        # A list view lays out all rows at every change, a table only those one sees.
        self.view = made(QTableView(showGrid=False), toolTip="Click a step to go back or forward to it")
        self.view.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.view.setTabKeyNavigation(False)
        self.view.horizontalHeader().hide()
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(ROW)
        self.view.horizontalHeader().setStretchLastSection(True)
        self.view.setAccessibleName("Undo steps")
        self.view.setModel(self.steps)
        self.view.clicked.connect(self._go)
        self.view.activated.connect(self._go)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        workspace.current_changed.connect(self._follow)
        self._follow(workspace.current)

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            self._session.history_changed.disconnect(self._update)
        self._session = session
        self.steps.follow(session)
        if session is not None:
            session.history_changed.connect(self._update)
        self._show_current()

    def _update(self) -> None:
        self.steps.update()
        self._show_current()

    def showEvent(self, event: QShowEvent) -> None:
        """Go where the present is."""
        super().showEvent(event)
        self._show_current()

    def _show_current(self) -> None:
        if self.isVisible():
            self.view.setCurrentIndex(self.steps.index(self.steps.current))

    def _go(self, index: QModelIndex) -> None:
        if self._session is not None and index.row() != self.steps.current:
            self._session.go_to(index.row())
