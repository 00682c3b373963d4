"""The problems of the drawing and of the last run: where each is, and a click to mend it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.compile import Diagnostic
from engine.compile.diagnostics import SEVERITIES, Fix
from nodes import registry
from studio.panels import panel
from studio.problems.delegate import ProblemDelegate
from studio.problems.model import FAILED, PROBLEM, ProblemModel
from studio.session import Session
from studio.theme import theme
from studio.workspace import Workspace

SINGULARS = {"error": "error", "limit": "broken limit", "warning": "warning", "info": "note"}
PLURALS = {"error": "errors", "limit": "broken limits", "warning": "warnings", "info": "notes"}


class ProblemList(QListView):
    """A list whose rows are as high as their text at the width it has."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        self.setAccessibleName("Problems")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter shows the node."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


@panel("problems", "Problems", area="right", icon="problems", order=2)
class Problems(QWidget):
    """Follows the session in front: what ``myelin check`` would say now, and what the last run reported."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session: Session | None = None
        self._failures: dict[Session, list[Diagnostic]] = {}
        self.model, self.list = ProblemModel(), ProblemList()
        self.list.setModel(self.model)
        self.delegate = ProblemDelegate(self.list)
        self.list.setItemDelegate(self.delegate)
        self.filters = {severity: self._filter(severity) for severity in SEVERITIES}
        self.empty = QLabel()
        self._lay_out()
        self.list.clicked.connect(self.jump)
        self.list.activated.connect(self.jump)
        self.list.customContextMenuRequested.connect(self._menu)
        self.delegate.fix_wanted.connect(self.fix)
        workspace.session_opened.connect(self._watch)
        workspace.session_closed.connect(lambda session: self._failures.pop(session, None))
        workspace.current_changed.connect(self._follow)
        theme.changed.connect(self._repaint)
        for session in workspace.sessions:
            self._watch(session)
        self._follow(workspace.current)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 2)
        row.setSpacing(4)
        for button in self.filters.values():
            row.addWidget(button)
        row.addStretch(1)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.empty.setMargin(14)
        self.empty.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addLayout(self._stack, 1)

    def _filter(self, severity: str) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setChecked(True)
        button.setIcon(theme.icon(severity, severity))
        button.setIconSize(QSize(16, 16))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setToolTip(f"Show {PLURALS[severity]}")
        button.toggled.connect(lambda shown: self.refresh())
        return button

    # --- what is shown

    def _watch(self, session: Session) -> None:
        """Keep what a run reports until the next one, also while another session is in front."""
        self._failures[session] = []
        session.runner.failed.connect(lambda text, node: self._fail(session, text, node))
        session.runner.state_changed.connect(lambda state: self._on_state(session, state))

    def _fail(self, session: Session, text: str, node: str) -> None:
        self._failures[session].append(Diagnostic(FAILED, "error", (node,) if node else (), text))
        self.refresh()

    def _on_state(self, session: Session, state: str) -> None:
        if state == "loading" and self._failures.get(session):
            self._failures[session].clear()
            self.refresh()

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            self._session.checked.disconnect(self._on_checked)
        self._session = session
        if session is not None:
            session.checked.connect(self._on_checked)
        self.refresh()

    def _on_checked(self, checked: object) -> None:
        self.refresh()

    def all(self) -> list[Diagnostic]:
        """Every problem of the session in front, whatever is filtered."""
        if self._session is None:
            return []
        return [*self._failures.get(self._session, []), *self._session.problems.diagnostics]

    def refresh(self) -> None:
        """Show the problems there are now; the row chosen and the place in the list stay."""
        found = self.all()
        wanted = [problem for problem in found if self.filters[problem.severity].isChecked()]
        current, place = self.list.currentIndex().data(PROBLEM), self.list.verticalScrollBar().value()
        if self.model.show(wanted, self._session.document if self._session else None):
            if current in self.model.problems:
                self.list.setCurrentIndex(self.model.index(self.model.problems.index(current)))
            self.list.verticalScrollBar().setValue(place)
        self._count(found)
        self.empty.setText(self._words(found))
        self._stack.setCurrentIndex(0 if wanted else 1)

    def _count(self, found: list[Diagnostic]) -> None:
        counts = {severity: sum(d.severity == severity for d in found) for severity in SEVERITIES}
        for severity, button in self.filters.items():
            button.setText(str(counts[severity]))
            noun = (SINGULARS if counts[severity] == 1 else PLURALS)[severity]
            button.setAccessibleName(f"Show {counts[severity]} {noun}")
        serious = sum(counts[severity] for severity in SEVERITIES if severity != "info")
        self.setWindowTitle(f"Problems ({serious})" if serious else "Problems")

    def _words(self, found: list[Diagnostic]) -> str:
        if self._session is None:
            return "Open a document to see its problems here."
        return "All problems are of kinds that are not shown." if found else "No problems."

    def _repaint(self) -> None:
        for severity, button in self.filters.items():
            button.setIcon(theme.icon(severity, severity))
        self.list.viewport().update()

    # --- what can be done

    def jump(self, index: QModelIndex) -> None:
        """Select the node of a problem and bring it into view."""
        problem: Diagnostic = index.data(PROBLEM)
        if self._session is None:
            return
        known = [
            id for node in problem.nodes if (id := node.partition("~")[0]) in self._session.document.nodes
        ]
        if known:
            owners = [id for id in known if self._has(id, problem.at)]
            self._session.reveal((owners or known)[0], problem.at)
        elif not problem.nodes:
            self._session.select(())  # the inspector shows the document's own settings
            self._session.pointed.emit("", problem.at)

    def _has(self, node: str, name: str) -> bool:
        """Whether a node has a port or parameter of this name."""
        assert self._session
        spec = registry.get(self._session.document.nodes[node].type)
        return spec is not None and name in {*spec.inputs, *spec.outputs, *spec.params}

    def fix(self, problem: Diagnostic, repair: Fix | None = None) -> None:
        """Mend a problem in one step, by its first fix or by another of it."""
        chosen = repair or problem.fix
        if self._session and chosen:
            self._session.edit(chosen.label, chosen.ops)

    def _menu(self, at: QPoint) -> None:
        menu = self.menu_for(self.list.indexAt(at))
        menu.exec(self.list.viewport().mapToGlobal(at))
        menu.deleteLater()

    def menu_for(self, index: QModelIndex) -> QMenu:
        """What can be done with a row, and with all of them."""
        menu = QMenu(self)
        problem: Diagnostic | None = index.data(PROBLEM) if index.isValid() else None
        if problem:
            menu.addAction("Show the node", lambda: self.jump(index))
            for repair in filter(None, (problem.fix, *problem.alternatives)):
                menu.addAction(theme.icon("check"), repair.label, partial(self.fix, problem, repair))
            menu.addAction(theme.icon("copy"), "Copy", lambda: _copy([problem]))
        if self.model.problems:
            menu.addAction("Copy all", lambda: _copy(self.model.problems))
        return menu


def _copy(problems: list[Diagnostic]) -> None:
    QGuiApplication.clipboard().setText("\n".join(map(str, problems)))
