"""One open document: its edits, undo, selection, problems and runner, for whoever shows a part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.document import Document, Edit, EditError, History, Journal
from engine.document.groups import ancestors, members
from studio.checker import Checked, Checker
from studio.runner import Runner

Ops = list[dict[str, Any]]


class Session(QObject):
    """A document with what belongs to its being open.  The document changes by ``edit`` alone.

    ``folder``: where relative paths in the document begin.  ``path``: the file, None until first saved.
    """

    edited = Signal(object)
    """An Edit was made, whether by the user, by undo or by redo."""
    travelling = Signal()
    """Undo or redo is about to happen: who holds something typed writes it into the document now."""
    history_changed = Signal()
    """What can be undone or redone, or ``dirty``, is another."""
    selection_changed = Signal()
    scope_changed = Signal()
    """Another group is entered, or the top is."""
    revealed = Signal(str)
    """Something is to be brought into view: the id of a node, wire, group, frame or comment."""
    pointed = Signal(str, str)
    """A port or parameter is to be pointed out: the node's id (empty: the document itself) and its name."""
    path_changed = Signal()
    checked = Signal(object)
    """A Checked of the document as it is now."""
    node_wanted = Signal(str)
    """A node of this type is to be added in the middle of what is seen (a choice in the library)."""
    refused = Signal(str)
    """Something that was asked for cannot be done: the sentence why."""
    noticed = Signal(str)
    """Something worth a line in the status bar and the log."""

    def __init__(
        self,
        document: Document,
        path: Path | None = None,
        folder: Path | None = None,
        journal: Journal | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document, self.path, self.journal = document, path, journal
        self.folder = folder or (path.parent if path else Path())
        self.history = History(document)
        self._selection: frozenset[str] = frozenset()
        self._scope: str | None = None
        self._unsubscribe = document.subscribe(self._on_edit)
        self.checker = Checker(document, lambda: self.folder, self)
        self.checker.checked.connect(self.checked)
        self.runner = Runner(self)

    @property
    def title(self) -> str:
        """What the tab is called."""
        return self.path.stem if self.path else str(self.document.meta.get("title") or "Untitled")

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return self.history.dirty

    @property
    def problems(self) -> Checked:
        """The newest outcome of checking; it may be some edits behind."""
        return self.checker.latest

    def edit(self, label: str, ops: Iterable[dict[str, Any]], merge: str | None = None) -> bool:
        """Change the document in one undo step; False, after ``refused``, if that is not possible.

        Edits with the same ``merge`` key one right after the other are one step until ``end_merge``.
        """
        return self.attempt(lambda: self.document.edit(label, ops, merge))

    def attempt(self, change: Callable[[], Any]) -> bool:
        """Do what may raise a one-sentence error of ours; False, after ``refused``, if it did."""
        try:
            change()
        except (EditError, ValueError) as error:
            self.refused.emit(str(error))
            return False
        return True

    def end_merge(self) -> None:
        """The slider or mouse button was released: the next edit is a new step."""
        self.history.end_merge()

    def undo(self) -> None:
        """Take back the last step."""
        self._travel(self.history.undo)

    def redo(self) -> None:
        """Repeat the step last taken back."""
        self._travel(self.history.redo)

    def go_to(self, steps_done: int) -> None:
        """Undo or redo until ``steps_done`` steps are done (a click in the history panel)."""
        self.travelling.emit()
        while len(self.history.done) > steps_done and self.history.undo():
            pass
        while len(self.history.done) < steps_done and self.history.redo():
            pass
        self.history_changed.emit()

    def _travel(self, step: Callable[[], Edit | None]) -> None:
        self.travelling.emit()
        if step() is not None:
            self.history_changed.emit()

    def mark_saved(self, path: Path) -> None:
        """The document now lies in ``path`` as it is."""
        self.path, self.folder = path, path.parent
        self.history.mark_saved()
        self.path_changed.emit()
        self.history_changed.emit()

    @property
    def selection(self) -> frozenset[str]:
        """Ids of the selected nodes, wires, groups, frames and comments."""
        return self._selection

    def select(self, ids: Iterable[str], add: bool = False) -> None:
        """Select exactly these ids, or these too."""
        chosen = frozenset(ids) | (self._selection if add else frozenset())
        if chosen != self._selection:
            self._selection = chosen
            self.selection_changed.emit()

    @property
    def selected_nodes(self) -> list[str]:
        """Ids of the selected nodes, members of selected groups included, sorted."""
        inside = members(self.document.groups)
        within = {node for group in self._selection & inside.keys() for node in inside[group]}
        return sorted((self._selection & self.document.nodes.keys()) | within)

    @property
    def scope(self) -> str | None:
        """The group that is entered; None at the top."""
        return self._scope

    def enter(self, group: str | None) -> None:
        """Show the inside of a group, or the top."""
        if group != self._scope:
            self._scope = group
            self.select(())
            self.scope_changed.emit()

    def reveal(self, id: str, at: str = "") -> None:
        """Select something and bring it into view, entering the group that hides it.

        ``at``: the port or parameter of it that matters.
        """
        self.enter(self._scope_that_shows(id))
        self.select([id])
        self.revealed.emit(id)
        if at:
            self.pointed.emit(id, at)

    def _scope_that_shows(self, id: str) -> str | None:
        """The scope as it is if the node can be seen there, else the group it lies in, else the top."""
        groups, layout = self.document.groups, self.document.layout
        owner = next((key for key, group in groups.items() if id in group["nodes"]), None)
        around = ancestors(groups, owner) if owner else []
        inner = around[: around.index(self._scope)] if self._scope in around else around
        if any(layout.get(key, {}).get("collapsed") for key in inner):
            return owner
        return self._scope if self._scope in around else None

    def close(self) -> None:
        """Stop checking and running; nothing is saved."""
        self.runner.close()
        self.checker.close()
        self._unsubscribe()
        self.history.close()
        if self.journal:
            self.journal.close()

    def _on_edit(self, edit: Edit) -> None:
        if self._scope is not None and self._scope not in self.document.groups:
            self.enter(None)
        gone = {op["id"] for op in edit.ops if op["op"] in ("del_node", "del_wire")}
        gone |= {op["path"][1] for op in edit.ops if op["op"] == "unset" and len(op["path"]) == 2}
        document = self.document
        gone -= {*document.nodes, *document.wires, *document.groups}  # a wire may lose its points alone
        self.select(self._selection - gone)
        self.checker.ask()
        self.edited.emit(edit)
        self.history_changed.emit()
