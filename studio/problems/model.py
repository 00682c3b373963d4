"""The problems of a session as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from engine.compile import Diagnostic
from engine.compile.diagnostics import CODES, SEVERITIES
from engine.document import Document

PROBLEM = int(Qt.ItemDataRole.UserRole)
WHERE = PROBLEM + 1
FAILED = "run"
"""The code of what went wrong in a run: no check of the drawing finds that."""

Index = QModelIndex | QPersistentModelIndex


class ProblemModel(QAbstractListModel):
    """One row a problem, the worst first; rows of equal severity as ``myelin check`` lists them."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[Diagnostic] = []
        self._where: list[str] = []

    def show(self, problems: Sequence[Diagnostic], document: Document | None) -> bool:
        """Show these; False if they are shown already."""
        ranked = sorted(problems, key=lambda d: SEVERITIES.index(d.severity))
        where = [", ".join(_names(d, document)) for d in ranked]
        if ranked == self.problems and where == self._where:
            return False
        self.beginResetModel()
        self.problems, self._where = ranked, where
        self.endResetModel()
        return True

    def rowCount(self, parent: Index | None = None) -> int:
        """How many problems there are."""
        return 0 if parent is not None and parent.isValid() else len(self.problems)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The line of ``myelin check``, the problem itself, the names of its nodes, or help for its code."""
        problem = self.problems[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return str(problem)
            case Qt.ItemDataRole.ToolTipRole:
                return _help(problem)
        return {PROBLEM: problem, WHERE: self._where[index.row()]}.get(role)


def _names(problem: Diagnostic, document: Document | None) -> list[str]:
    """The names of its nodes; of several copies of one, once."""
    origins = dict.fromkeys(id.partition("~")[0] for id in problem.nodes)
    nodes = document.nodes if document else {}
    return [nodes[id].name or nodes[id].type for id in origins if id in nodes]


def _help(problem: Diagnostic) -> str:
    found = CODES.get(problem.code)
    lines = [f"{problem.code}: {found.meaning}" if found else "The last run reported this"]
    lines += ["An error keeps the drawing from running"] if problem.severity == "error" and found else []
    return "\n".join([*lines, "Enter or a click shows the node"])
