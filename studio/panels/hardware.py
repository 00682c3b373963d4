"""Hardware: how much of the chip the network takes, and what an inference may cost there."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.export.hardware.budget import Budget, Row, budget
from engine.export.hardware.chips import ChipError, chip
from engine.program import Program
from studio.hardware import target_of
from studio.made import made
from studio.panels import panel
from studio.records import Records
from studio.session import Session
from studio.theme import theme
from studio.workspace import Workspace

COLUMNS = ("Resource", "Needed", "There is", "Part")
PART = COLUMNS.index("Part")
FRACTION = int(Qt.ItemDataRole.UserRole)
NODE = FRACTION + 1
EMPTY = "No chip is chosen.\n\nChoose one in the toolbar: the drawing is then checked against its limits."
BROKEN = "The drawing has errors; its needs are shown once it has none."

Index = QModelIndex | QPersistentModelIndex


@panel("hardware", "Hardware", area="bottom", icon="chip", order=5)
class Hardware(QWidget):
    """A row a resource; a click goes to the node that takes the most of it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session: Session | None = None
        self.table = _table()
        self.table.cellClicked.connect(self._on_row)
        self.energy = made(QLabel(), wordWrap=True, objectName="muted", minimumHeight=36)
        self.energy.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words = QLabel(EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.full = QWidget()
        column = QVBoxLayout(self.full)
        column.setContentsMargins(8, 6, 8, 8)
        column.addWidget(self.table, 1)
        column.addWidget(self.energy)
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.words)
        self.stack.addWidget(self.full)
        theme.changed.connect(self.table.viewport().update)
        workspace.current_changed.connect(self._follow)
        self._follow(workspace.current)

    def sizeHint(self) -> QSize:
        """Room for some rows."""
        return QSize(900, 240)

    def showEvent(self, event: QShowEvent) -> None:
        """What nobody looks at is not worked out."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show the budget of the network as it was last checked."""
        if not self.isVisible():
            return
        found = self._budget()
        self.stack.setCurrentWidget(self.words if isinstance(found, str) else self.full)
        if isinstance(found, str):
            self.words.setText(found)
            return
        self.table.setRowCount(len(found.rows))
        for number, row in enumerate(found.rows):
            self._show(number, row)
        self.energy.setText(_energy(found))

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            self._session.checked.disconnect(self._on_change)
            self._session.runner.state_changed.disconnect(self._on_change)
        self._session = session
        if session is not None:
            session.checked.connect(self._on_change)
            session.runner.state_changed.connect(self._on_change)
        self.refresh()

    def _on_change(self, what: object) -> None:
        self.refresh()

    def _budget(self) -> Budget | str:
        """The budget, or why there is none."""
        aimed = target_of(self._session)
        if self._session is None or not aimed:
            return EMPTY
        program = self._session.problems.program
        try:
            if not isinstance(program, Program):
                return BROKEN
            return budget(program, chip(aimed), measured(Records.of(self._session), program))
        except ChipError as error:
            return str(error)

    def _show(self, number: int, row: Row) -> None:
        there = "no limit known" if row.available is None else f"{row.available:,g}"
        part = "" if row.fraction is None else f"{100 * row.fraction:.1f} %"
        for column, text in enumerate((row.words, f"{row.used:,g}", there, part)):
            item = QTableWidgetItem(text)
            item.setToolTip(row.source or "The chip's file gives no such limit")
            item.setData(NODE, row.node)
            if column in (1, 2):
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if column == PART:
                item.setData(FRACTION, row.fraction)
            elif row.over:
                item.setForeground(theme.colour("limit"))
            self.table.setItem(number, column, item)

    def _on_row(self, row: int, column: int) -> None:
        item = self.table.item(row, column)
        node = item.data(NODE) if item else ""
        if self._session is not None and node in self._session.document.nodes:
            self._session.reveal(node)


def measured(records: Records, program: Program) -> dict[str, float]:
    """Spikes of a neuron in a step, by the id of its op, as the last run had them; of what it recorded."""
    found = {}
    for op in program.of_role("population"):
        rates = records.rate(op.id, "spikes", records.first, records.last)[1]
        if rates.size:
            found[op.id] = float(rates.mean()) * program.dt / 1000
    return found


class Bar(QStyledItemDelegate):
    """A part as a bar under its number; full and red where there is not enough."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell."""
        fraction = index.data(FRACTION)
        if fraction is not None:
            whole = option.rect.adjusted(4, 5, -4, -5)
            painter.fillRect(whole, theme.colour("field"))
            filled = QRect(whole.topLeft(), QSize(round(whole.width() * min(fraction, 1.0)), whole.height()))
            painter.fillRect(filled, theme.colour("limit", 150) if fraction > 1 else theme.colour("progress"))
        super().paint(painter, option, index)


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels(COLUMNS)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setAccessibleName("What the network takes of the chip")
    table.setItemDelegateForColumn(PART, Bar(table))
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(PART, QHeaderView.ResizeMode.Stretch)
    header.setHighlightSections(False)
    return table


def _energy(found: Budget) -> str:
    estimate = found.energy
    if estimate is None:
        return f"{found.title}: {found.note}."
    amount = _si(estimate.nanojoules)
    return (
        f"About {amount} for an inference of {estimate.steps:,} steps, an estimate: {estimate.assumed}. "
        f"Model: {estimate.model}."
    )


def _si(nanojoules: float) -> str:
    """Energy in a unit that people read."""
    value, units = nanojoules, ("nJ", "\N{MICRO SIGN}J", "mJ", "J")
    for unit in units:
        if value < 1000 or unit == units[-1]:
            return f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError
