"""The pages of wires, groups, frames and comments, unknown nodes, and of several different things."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QGridLayout, QLabel, QPlainTextEdit, QToolButton, QWidget

from engine.compile.passes.expand_groups import chained
from engine.document import Document
from engine.document.ops import set_op
from engine.document.records import End
from engine.program import Program
from nodes import registry
from nodes.spec import Param
from studio.edits import grouping
from studio.edits.ports import Ports
from studio.inspector.facts import cross
from studio.inspector.form import Form
from studio.inspector.mode_line import ModeLine
from studio.inspector.name_line import NameLine
from studio.inspector.note import Note
from studio.inspector.page import Page, quiet, words
from studio.inspector.places import Entry
from studio.inspector.problem_lines import ProblemLines
from studio.inspector.section import Section
from studio.session import Ops, Session
from studio.theme import theme

COLOURS = ("accent", "muted", "good", "warning", "error", "kind.delays", "kind.potential")
GROUP = {
    "repeat": Param(
        1,
        low=1,
        high=10_000,
        doc="how many copies of its nodes stand one behind the other, each with weights of its own",
    )
}
NOTE = {"colour": Param("accent", choices=COLOURS, doc="the role whose colour it has")}


class WirePage(Page):
    """Where a wire begins and ends, and what it carries."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ends = words()
        self.ends.setTextFormat(Qt.TextFormat.RichText)
        self.ends.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self.ends.linkActivated.connect(self._go)
        self.carries = quiet()
        for widget in (heading("Wire"), self.ends, self.carries):
            self.column.addWidget(widget)
        self.column.addStretch(1)

    def refresh(self) -> None:
        """Show the wire as it is now."""
        assert self.session
        wire = self.session.document.wires.get(next(iter(self.session.selection), ""))
        if wire is None:
            return
        rows = [self._end("From", wire.source, "out"), self._end("To", wire.target, "in")]
        self.ends.setText("<br><br>".join(rows))
        shape = self._shape(wire.source) or self._shape(wire.target)
        self.carries.setText(
            f"Shape: {shape}" if shape else "Its shape is known once the drawing has no errors."
        )

    show_problems = refresh

    def _end(self, word: str, end: End, side: str) -> str:
        assert self.session
        node = self.session.document.nodes[end.node]
        spec = registry.get(node.type)
        port = (spec.outputs if side == "out" else spec.inputs).get(end.port) if spec else None
        carried = Ports(self.session.document).kind(end) if side == "out" else None
        colour = theme.colour("accent").name()
        name = html.escape(node.name or node.type)
        kinds = f" ({html.escape(carried or ' or '.join(port.kinds))})" if port else ""
        doc = f"<br>{html.escape(port.doc)}" if port and port.doc else ""
        link = f'<a href="{end.node}" style="color:{colour}">{name}</a>'
        return f"{word} <b>{link}</b>, port {html.escape(end.port)}{kinds}{doc}"

    def _shape(self, end: End) -> str:
        assert self.session
        program = self.session.problems.program
        op = program.ops.get(end.node) if isinstance(program, Program) else None
        shape = op.shapes.get(end.port) if op else None
        return cross(shape) if shape else ""

    def _go(self, node: str) -> None:
        assert self.session
        self.session.reveal(node)


class UnknownPage(Page):
    """A node whose type nobody declares: it is kept, and its parameters can be read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.mode = heading(""), ModeLine()
        self.about, self.problems = words(), ProblemLines()
        self.params = QPlainTextEdit()
        self.params.setReadOnly(True)
        self.params.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.params.setToolTip("The node's parameters as they are saved; they can be read, not changed")
        for widget in (self.name, self.mode, self.about, self.problems, self.params):
            self.column.addWidget(widget)

    def refresh(self) -> None:
        """Show the node as it is now."""
        assert self.session
        node = self.session.document.nodes.get(next(iter(self.session.selection), ""))
        if node is None:
            return
        self.name.setText(node.name or node.type)
        self.mode.show_nodes(self.session, list(self.session.selection))
        self.about.setText(
            f"The node type {node.type} is not installed. The node is kept as it is, "
            "and is whole again once the package that declares it is installed."
        )
        self.params.setPlainText(json.dumps(node.params, indent=2, sort_keys=True, ensure_ascii=False))
        self.show_problems()

    def show_problems(self) -> None:
        """The problems that the newest check found."""
        assert self.session
        found = self.session.problems.by_node.get(next(iter(self.session.selection), ""), [])
        self.problems.show_problems(self.session, found)


class GroupPage(Page):
    """Name, repetition and exposed ports of a group."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = NameLine("Name of the group")
        self.name.renamed.connect(self._rename)
        self.counts, self.form = quiet(), Form(GROUP)
        self.ports = QWidget()
        self.grid = QGridLayout(self.ports)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self._shown: object = None
        self.group = ""
        for widget in (self.name, self.counts, self.form):
            self.column.addWidget(widget)
        self.column.addWidget(Section("Exposed ports", lambda parent: self.ports, True))
        self.fixed = quiet("While it repeats it can show no other ports: set repeat to 1 first.")
        self.column.addWidget(self.fixed)
        self.column.addStretch(1)

    def bind(self, session: Session) -> None:
        """Show the selected group."""
        self.session, self.group = session, next(iter(session.selection))
        place = Entry(session, ["groups", self.group], "the group", {"repeat": 1})
        self.form.bind(session, place, self._meaning)
        self.refresh()

    def refresh(self) -> None:
        """Show the group as it is now."""
        assert self.session
        group = self.session.document.groups.get(self.group)
        if group is None:
            return
        self.name.show_name(group["name"])
        self.counts.setText(f"Group of {len(group['nodes'])} nodes")
        self.form.refresh()
        ports = [
            (side, name, tuple(end))
            for side in ("in", "out")
            for name, end in group["ports"].get(side, {}).items()
        ]
        self.fixed.setVisible(group.get("repeat", 1) > 1)
        if self._shown != (self.group, ports):
            self._shown = (self.group, ports)
            self._list(ports)

    def _meaning(self, name: str, param: Param, value: Any) -> str:
        """What repeating this group comes to."""
        assert self.session
        if not isinstance(value, int) or value < 2:
            return ""
        pairs = chained(self.session.document.groups[self.group]["ports"])
        if not pairs:
            return "It needs an exposed input and an exposed output to chain its copies by."
        feeds = ", ".join(f"{out} of each feeds {into} of the next" for out, into in pairs)
        return f"= {value:,} copies in a row: {feeds}; what leaves comes from the last."

    def here(self) -> bool:
        """Whether the group is still there."""
        return self.session is not None and self.group in self.session.document.groups

    def commit(self) -> None:
        """Take what is being typed."""
        super().commit()
        self.name.commit()

    def _list(self, ports: list[tuple[str, str, tuple[str, ...]]]) -> None:
        while (item := self.grid.takeAt(0)) is not None:
            item.widget().deleteLater()  # type: ignore[union-attr]
        if not ports:
            text = (
                "It shows no ports of its members. Wires that cross its border expose them when it is made."
            )
            self.grid.addWidget(quiet(text), 0, 0)
        for row, (side, name, end) in enumerate(ports):
            line = NameLine(f"Name of this {'input' if side == 'in' else 'output'}")
            line.show_name(name)
            line.renamed.connect(lambda new, side=side, name=name: self._rename_port(side, name, new))
            self.grid.addWidget(QLabel("in" if side == "in" else "out"), row, 0)
            self.grid.addWidget(line, row, 1)
            self.grid.addWidget(quiet(f"{self._node(end[0])}.{end[1]}"), row, 2)
            self.grid.addWidget(self._remover(side, name), row, 3)

    def _node(self, id: str) -> str:
        assert self.session
        return self.session.document.nodes[id].name or id

    def _remover(self, side: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon("close", "muted"))
        button.setAutoRaise(True)
        button.setToolTip(f"Expose {name} no longer")
        button.setAccessibleName(button.toolTip())
        button.clicked.connect(lambda: self._unexpose(side, name))
        return button

    def _unexpose(self, side: str, name: str) -> None:
        self._do(f"Expose {name} no longer", lambda of: grouping.unexpose(of, self.group, side, name))

    def _rename_port(self, side: str, old: str, new: str) -> None:
        self._do(f"Rename port {old}", lambda of: grouping.rename_port(of, self.group, side, old, new))

    def _do(self, label: str, ops: Callable[[Document], Ops]) -> None:
        session = self.session
        assert session
        session.attempt(lambda: session.edit(label, ops(session.document)))

    def _rename(self, name: str) -> None:
        assert self.session
        self.session.edit(f"Rename group to {name}", [set_op(["groups", self.group, "name"], name)])


class NotePage(Page):
    """Title or text of a frame or comment, and its colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.text, self.form = heading(""), Note(), Form(NOTE)
        self.id = ""
        self.text.written.connect(self._write)
        for widget in (self.title, self.text, self.form):
            self.column.addWidget(widget)
        self.column.addStretch(1)

    def bind(self, session: Session) -> None:
        """Show the selected frame or comment."""
        self.commit()
        self.session, self.id = session, next(iter(session.selection))
        self.key = "frame" if "frame" in session.document.layout[self.id] else "comment"
        self.title.setText(self.key.capitalize())
        self.form.bind(session, Entry(session, ["layout", self.id], f"the {self.key}", {"colour": "accent"}))
        self.refresh()

    def refresh(self) -> None:
        """Show it as it is now."""
        assert self.session
        place = self.session.document.layout.get(self.id)
        if place is not None:
            self.text.show_text(str(place.get(self.key, "")))
            self.form.refresh()

    def here(self) -> bool:
        """Whether the frame or comment is still there."""
        return self.session is not None and self.id in self.session.document.layout

    def commit(self) -> None:
        """Take what is being typed."""
        super().commit()
        self.text.commit()

    def _write(self, text: str) -> None:
        assert self.session
        self.session.edit(f"Change the {self.key}", [set_op(["layout", self.id, self.key], text)])


class SeveralPage(Page):
    """Different things are selected: how many of each."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.counts = quiet()
        self.column.addWidget(heading("Several things"))
        self.column.addWidget(self.counts)
        self.column.addStretch(1)

    def refresh(self) -> None:
        """Count them."""
        assert self.session
        document, chosen = self.session.document, self.session.selection
        parts = [
            f"{n} {word}{'' if n == 1 else 's'}"
            for word, all_ids in (
                ("node", document.nodes),
                ("group", document.groups),
                ("wire", document.wires),
            )
            if (n := len(chosen & all_ids.keys()))
        ]
        self.counts.setText(", ".join(parts) or f"{len(chosen)} frames and comments")


def heading(text: str) -> QLabel:
    """A line in bold."""
    label = words(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
