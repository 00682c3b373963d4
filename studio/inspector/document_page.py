"""The page of the document itself: its settings and recipes, shown while nothing is selected."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from engine.document import Document
from engine.recipe import RUN, TRAIN
from nodes import registry
from nodes.spec import Param
from studio.inspector.form import WIDEST, Form
from studio.inspector.meaning import becomes
from studio.inspector.page import Page, quiet, words
from studio.inspector.places import Entry, Place, Recipe
from studio.inspector.problem_lines import ProblemLines
from studio.inspector.section import Section
from studio.session import Session

META = {
    "title": Param("", kind="str", doc="what the document is called"),
    "dt_ms": Param(1.0, "ms", low=1e-6, high=1e4, doc="length of one time step"),
    "seed": Param(
        0, low=0, high=2**31, doc="draws weights, delays and noise; the same seed, the same network"
    ),
}
TITLES = {"dt_ms": "time step"}


def trains(document: Document) -> bool:
    """Whether there is a data set or a loss."""
    found = {spec.role for node in document.nodes.values() if (spec := registry.get(node.type))}
    return not found.isdisjoint(("dataset", "loss"))


class DocumentPage(Page):
    """Title, time step and seed, then how to train and how to run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = words("Document")
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self.counts = quiet()
        self.problems = ProblemLines()
        self.meta = Form(META, TITLES, self, WIDEST)
        for widget in (title, self.counts, self.problems, self.meta):
            self.column.addWidget(widget)
        self.training = Section(
            "Training", lambda parent: self._recipe("train", TRAIN, parent), False, self, TRAIN
        )
        self.why = quiet("Nothing to train yet: there is neither a data set nor a loss.")
        self.running = Section("Running", lambda parent: self._recipe("run", RUN, parent), True, self, RUN)
        self._trains: tuple[Session, bool] | None = None
        for part in (self.training, self.why, self.running):
            self.column.addWidget(part)
        self.column.addStretch(1)

    def _recipe(self, kind: str, params: dict[str, Param], parent: QWidget) -> Form:
        form = Form(params, parent=parent, label=WIDEST)
        form.setObjectName(kind)
        if self.session:
            form.bind(self.session, self._place(form), self._meaning)
        return form

    def _place(self, form: Form) -> Place:
        assert self.session
        if form is self.meta:
            return Entry(self.session, ["meta"], "the document", {k: p.default for k, p in META.items()})
        return Recipe(self.session, form.objectName())

    def bind(self, session: Session) -> None:
        """Show this session's document."""
        self.commit()
        self.session = session
        for form in self.forms():
            form.bind(session, self._place(form), self._meaning)
        self._show()
        self.show_problems()

    def refresh(self) -> None:
        """Show the document as it is now."""
        for form in self.forms():
            form.refresh()
        self._show()

    def show_problems(self) -> None:
        """Problems that belong to no node."""
        if self.session:
            found = [d for d in self.session.problems.diagnostics if not d.nodes]
            self.problems.show_problems(self.session, found)

    def _show(self) -> None:
        """How much there is, and settings of training where there is something to train."""
        if self.session:
            document = self.session.document
            self.counts.setText(f"{len(document.nodes):,} nodes, {len(document.wires):,} wires")
            now = (self.session, trains(document))
            if now != self._trains:  # else it stays open or closed as the user left it
                self._trains = now
                self.training.open(now[1])
                self.why.setVisible(not now[1])

    def _meaning(self, name: str, param: Param, value: Any) -> str:
        assert self.session
        if name == "dt_ms":
            return (
                f"= {1000 / value:,.6g} steps a second"
                if isinstance(value, (int, float)) and value > 0
                else ""
            )
        return becomes(name, param, value, float(self.session.document.meta.get("dt_ms", 1.0)), [])
