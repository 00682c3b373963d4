"""The equivalence report: a sentence, a table, and the signals side by side."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.deploy.badges import badge_of
from studio.deploy.rasters import Rasters
from studio.made import made
from studio.theme import theme

EMPTY = "Not verified yet.\n\nVerify runs the same stimulus through our engine and through the export."
COLUMNS = ("Signal", "Compared", "Values", "Differing", "First difference", "Largest", "Spikes")
PAIRS = {"artefact": "export and its reference", "cost": "drawing and export"}
TIPS = {
    "artefact": "What ran in the target's software against what our own reference of the export says",
    "cost": "What the conversions change: our engine's run of the drawing against the export",
}


class ReportPage(QWidget):
    """Empty until something was verified."""

    def __init__(self) -> None:
        super().__init__()
        self.report: dict[str, Any] = {}
        self.signals: dict[str, Any] = {}
        self.icon, self.sentence = QLabel(), QLabel(EMPTY, wordWrap=True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts = made(QLabel(), wordWrap=True, objectName="muted")
        self.table = _table()
        self.which = made(QComboBox(), toolTip="Which signal to look at", accessibleName="Signal")
        self.which.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.rasters = Rasters()
        self._lay_out()
        self.which.currentIndexChanged.connect(self._draw)
        self.show_report({}, {})

    def show_report(self, report: dict[str, Any], signals: dict[str, Any]) -> None:
        """Show what a verification found, or that there was none."""
        self.report, self.signals = report, signals
        self.icon.setVisible(bool(report))
        self.middle.setVisible(bool(report))
        self.facts.setVisible(bool(report))
        self.sentence.setText(_sentence(report) if report else EMPTY)
        if not report:
            return
        badge = badge_of(report)
        self.icon.setPixmap(theme.icon(badge.icon, badge.role).pixmap(20, 20))
        self.icon.setAccessibleName(badge.word)
        self.facts.setText(_facts(report))
        self._fill()
        names = list(dict.fromkeys(name.partition("/")[2] for name in signals))
        self.which.blockSignals(True)
        self.which.clear()
        self.which.addItems(names)
        self.which.blockSignals(False)
        self.pictures.setVisible(bool(names))
        self._draw()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.sentence, 1)
        self.pictures = QWidget()
        below = QVBoxLayout(self.pictures)
        below.setContentsMargins(0, 6, 0, 0)
        below.addWidget(self.which, 0, Qt.AlignmentFlag.AlignLeft)
        below.addWidget(self.rasters, 1)
        self.middle = QSplitter(Qt.Orientation.Vertical)
        self.middle.addWidget(self.table)
        self.middle.addWidget(self.pictures)
        self.middle.setSizes([190, 320])
        self.middle.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(head)
        column.addWidget(self.facts)
        column.addWidget(self.middle, 1)
        column.addStretch(0)

    def _fill(self) -> None:
        rows = [(pair, one) for pair in PAIRS for one in self.report[pair]]
        self.table.setRowCount(len(rows))
        for row, (pair, one) in enumerate(rows):
            for column, text in enumerate(_cells(pair, one)):
                item = QTableWidgetItem(text)
                item.setToolTip(TIPS[pair])
                if one["differing"] and column == COLUMNS.index("Differing"):
                    item.setForeground(theme.colour("error" if pair == "artefact" else "warning"))
                self.table.setItem(row, column, item)

    def _draw(self) -> None:
        name = self.which.currentText()
        ours = self.signals.get(f"ours/{name}")
        theirs = self.signals.get(f"artefact/{name}", self.signals.get(f"reference/{name}"))
        if ours is None or theirs is None:
            return
        ran = f"artefact/{name}" in self.signals
        steps = min(len(ours), len(theirs))
        other = self.report["label"] if ran else f"{self.report['label']} (our reference of it)"
        titles = ("as drawn, in Myelin", other)
        self.rasters.show_signals(ours[:steps], theirs[:steps], titles)


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    table.setHorizontalHeaderLabels(COLUMNS)
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.setAlternatingRowColors(True)
    table.setAccessibleName("Comparison of every signal")
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    return table


def _cells(pair: str, one: dict[str, Any]) -> list[str]:
    first = one["first"]
    where = f"step {first[0]}, neuron {first[1]}" if first else "none"
    spikes = f"{one['ours']:,.0f} and {one['theirs']:,.0f}" if one["spikes"] else ""
    return [
        one["signal"],
        PAIRS[pair],
        f"{one['values']:,}",
        f"{one['differing']:,}",
        where,
        f"{one['largest']:.3g}",
        spikes,
    ]


def _sentence(report: dict[str, Any]) -> str:
    text = str(report["message"])
    return f"{text[:1].upper()}{text[1:]}."


def _facts(report: dict[str, Any]) -> str:
    samples = f" in {report['samples']} samples" if report["samples"] > 1 else ""
    lines = [f"{report['stimulus']}; {report['steps']:,} steps{samples}"]
    lines += [f"{name}: {value}" for name, value in report["figures"].items() if not isinstance(value, dict)]
    return "   \N{MIDDLE DOT}   ".join(lines)
