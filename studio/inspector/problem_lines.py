"""The problems of what is selected, with a button for each fix."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.compile import Diagnostic
from studio.inspector.page import words
from studio.session import Session
from studio.theme import theme


class ProblemLines(QWidget):
    """One line a problem; made anew only when the problems are others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Diagnostic, ...] | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.hide()

    def show_problems(self, session: Session, problems: Sequence[Diagnostic]) -> None:
        """Show these."""
        if self._shown == tuple(problems):
            return
        self._shown = tuple(problems)
        while (item := self._column.takeAt(0)) is not None:
            item.widget().deleteLater()  # type: ignore[union-attr]
        for problem in problems:
            self._column.addWidget(_line(session, problem))
        self.setVisible(bool(problems))


def _line(session: Session, problem: Diagnostic) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(_icon(problem.severity), 0, Qt.AlignmentFlag.AlignTop)
    text = words(problem.message + (f"\n{problem.hint}" if problem.hint else ""))
    text.setToolTip(str(problem))
    column = QVBoxLayout()
    column.setSpacing(4)
    column.addWidget(text)
    row.addLayout(column, 1)
    if problem.fix:
        column.addWidget(_button(session, problem), 0, Qt.AlignmentFlag.AlignLeft)
    return line


def _icon(severity: str) -> QLabel:
    icon = QLabel()
    icon.setPixmap(theme.icon(severity, severity).pixmap(QSize(18, 18)))
    icon.setAccessibleName(severity)
    return icon


def _button(session: Session, problem: Diagnostic) -> QPushButton:
    assert problem.fix is not None
    fix = problem.fix
    button = QPushButton(fix.label)
    button.setToolTip(f"Fix this problem: {fix.label}")
    button.clicked.connect(lambda: session.edit(fix.label, fix.ops))
    return button
