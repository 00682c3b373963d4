"""The page of one node, or of what several nodes have in common."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.compile import Diagnostic
from engine.document.ops import set_op
from nodes.spec import Param, Spec
from studio.inspector import words
from studio.inspector.conventions import CONVENTIONAL, Conventions
from studio.inspector.equation_block import EquationBlock
from studio.inspector.facts import facts
from studio.inspector.form import Form
from studio.inspector.glyph import role_icon
from studio.inspector.meaning import becomes, equations
from studio.inspector.mode_line import ModeLine
from studio.inspector.name_line import NameLine
from studio.inspector.note import Note
from studio.inspector.page import Page, quiet
from studio.inspector.page import words as label_of
from studio.inspector.places import NodeParams
from studio.inspector.problem_lines import ProblemLines
from studio.inspector.section import Section
from studio.session import Session

LEARNING = ("train_weights", "learn", "train", "surrogate", "alpha", "detach_reset")


class NodePage(Page):
    """Made once for a type (or a set of types) and bound to one selection after the other."""

    def __init__(self, specs: Sequence[Spec], many: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.specs, self.many = list(specs), many
        self.ids: list[str] = []
        self.presets: Conventions | None = None
        self._lines: list[str] = []
        self.params = ordered(common(specs))
        self._head()
        self.problems = ProblemLines(self)
        self.column.addWidget(self.problems)
        self._parameters()
        self._rest()
        self.column.addStretch(1)

    def _head(self) -> None:
        spec = self.specs[0]
        row = QHBoxLayout()
        row.setSpacing(8)
        icon = QLabel(self)
        icon.setPixmap(
            role_icon(spec.role if len({s.role for s in self.specs}) == 1 else "node").pixmap(QSize(24, 24))
        )
        row.addWidget(icon)
        self.name = NameLine("Name of the node", self)
        self.title = label_of("", self)
        for widget in (self.name, self.title):
            row.addWidget(widget, 1)
        self.name.setVisible(not self.many)
        self.title.setVisible(self.many)
        self.name.renamed.connect(self._rename)
        self.column.addLayout(row)
        self.mode = ModeLine(self)
        self.column.addWidget(self.mode)
        self.kind = quiet("", self)
        self.column.addWidget(self.kind)
        if len(self.specs) == 1:
            self.kind.setText(f"{spec.label} · {spec.category}")
            doc = label_of(words.summary(spec) + ".", self)
            doc.setToolTip(_paragraphs(words.documentation(spec)))
            self.column.addWidget(doc)

    def _parameters(self) -> None:
        apart = {*CONVENTIONAL, *LEARNING}
        main = {name: param for name, param in self.params.items() if name not in apart}
        learning = {name: self.params[name] for name in LEARNING if name in self.params}
        conventions = {name: param for name, param in self.params.items() if name in CONVENTIONAL}
        if main:
            self.column.addWidget(self._form(main, self))
        if not self.params:
            self.column.addWidget(quiet("No parameters in common." if self.many else "It has no parameters."))
        if learning:
            self._section("Learning", lambda parent: self._form(learning, parent), not main, learning)
        if conventions:
            self._section(
                "Conventions", lambda parent: self._conventions(conventions, parent), False, conventions
            )

    def _rest(self) -> None:
        if self.many:
            return
        self.block, self.facts = EquationBlock(self), label_of("", self)
        self.equations = self._section("Update per step", lambda parent: self.block, True)
        self.counts = self._section("Shapes and counts", lambda parent: self.facts, True)
        self.note = Note(self)
        self.note.written.connect(self._write_note)
        self._section("Note", lambda parent: self.note, True)

    def _section(self, title: str, build: Any, opened: bool, names: Collection[str] = ()) -> Section:
        section = Section(title, build, opened, self, names)
        self.column.addWidget(section)
        return section

    def _form(self, params: dict[str, Param], parent: QWidget) -> Form:
        form = Form(params, parent=parent)
        if self.session:
            form.bind(self.session, NodeParams(self.session, self.ids), self._meaning)
        return form

    def _conventions(self, params: dict[str, Param], parent: QWidget) -> QWidget:
        content = QWidget(parent)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        if all(getattr(spec, "presets", None) for spec in self.specs):
            self.presets = Conventions(self.specs, self)
            column.addWidget(self.presets)
        column.addWidget(self._form(params, content))
        return content

    def bind(self, session: Session) -> None:
        """Show the selected nodes of this session."""
        self.commit()
        self.session = session
        self.ids = sorted(session.selection & session.document.nodes.keys())
        self._trace()
        for form in self.forms():
            form.bind(session, NodeParams(session, self.ids), self._meaning)
        self._show()
        self.show_problems()

    def here(self) -> bool:
        """Whether all nodes are still there."""
        return self.session is not None and all(id in self.session.document.nodes for id in self.ids)

    def commit(self) -> None:
        """Take what is being typed."""
        super().commit()
        self.name.commit()
        if not self.many:
            self.note.commit()

    def refresh(self) -> None:
        """Show the document as it is now."""
        if self.here():
            self._trace()
            for form in self.forms():
                form.refresh()
            self._show()

    def _trace(self) -> None:
        """The equations with the node's own values, which rows quote too."""
        assert self.session
        record = self.session.document.nodes[self.ids[0]]
        alone = not self.many
        self._lines = equations(self.specs[0], record.params, self._dt()) if alone else []

    def _dt(self) -> float:
        assert self.session
        return float(self.session.document.meta.get("dt_ms", 1.0))

    def _meaning(self, name: str, param: Param, value: Any) -> str:
        return becomes(name, param, value, self._dt(), self._lines)

    def _show(self) -> None:
        assert self.session
        if self.presets:
            self.presets.refresh()
        nodes = self.session.document.nodes
        self.mode.show_nodes(self.session, self.ids)
        if self.many:
            counted = Counter(nodes[id].type for id in self.ids)
            self.title.setText(f"{len(self.ids)} nodes")
            self.kind.setText(", ".join(f"{counted[spec.type]} {spec.label}" for spec in self.specs))
            return
        record = nodes[self.ids[0]]
        self.name.show_name(record.name)
        self.note.show_text(str(record.extra.get("note", "")))
        self.block.show_lines(self._lines)
        self.equations.setVisible(bool(self._lines))

    def show_problems(self) -> None:
        """The problems, shapes and counts that the newest check found."""
        if self.session is None:
            return
        found: list[Diagnostic] = []
        for id in self.ids:
            found += [d for d in self.session.problems.by_node.get(id, ()) if d not in found]
        self.problems.show_problems(self.session, found)
        worst = {d.at: d.severity for d in reversed(found)}
        for form in self.forms():
            form.mark(worst)
        if not self.many:
            lines = facts(self.session.problems.program, self.ids[0], self.specs[0])
            self.facts.setText("\n".join(lines))

    def _rename(self, name: str) -> None:
        assert self.session
        self.session.edit(f"Rename to {name}", [set_op(["nodes", self.ids[0], "name"], name)])

    def _write_note(self, text: str) -> None:
        assert self.session
        path = ["nodes", self.ids[0], "note"]
        had = "note" in self.session.document.nodes[self.ids[0]].extra
        if text or had:
            op = set_op(path, text) if text else {"op": "unset", "path": path}
            self.session.edit("Change the note", [op])


def common(specs: Sequence[Spec]) -> dict[str, Param]:
    """The parameters that all have in the same way, as the first one declares them."""
    first, *others = specs
    return {
        name: param
        for name, param in first.params.items()
        if all(_alike(param, other.params.get(name)) for other in others)
    }


def _alike(a: Param, b: Param | None) -> bool:
    return b is not None and (a.kind, a.unit, a.choices) == (b.kind, b.unit, b.choices)


def ordered(params: dict[str, Param]) -> dict[str, Param]:
    """The size first, then what can be learned, then the rest as declared."""
    ranks = {name: 0 if name == "size" else 1 if param.trainable else 2 for name, param in params.items()}
    return dict(sorted(params.items(), key=lambda item: ranks[item[0]]))


def _paragraphs(text: str) -> str:
    return "<p>" + "</p><p>".join(html.escape(part) for part in text.split("\n\n")) + "</p>"
