"""Undo and redo of whatever is edited, and whether the document differs from what was saved."""

from __future__ import annotations

from engine.document.document import Document, Edit
from engine.document.records import Json


class History:
    """The edits of a document since this history was made; every ``document.edit`` is one undo step."""

    def __init__(self, document: Document) -> None:
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self._document = document
        self._saved: int | None = 0
        self._merging = False
        self._replaying = False
        self.close = document.subscribe(self._record)

    @property
    def dirty(self) -> bool:
        """Whether the document differs from its last saved state."""
        return self._saved != len(self.done)

    def mark_saved(self) -> None:
        """The document is now as saved."""
        self._saved = len(self.done)
        self._merging = False

    def mark_unsaved(self) -> None:
        """No state of this history is saved: a document recovered from a journal."""
        self._saved = None

    def end_merge(self) -> None:
        """The next edit is a new undo step whatever its merge key: the slider was released."""
        self._merging = False

    def undo(self) -> Edit | None:
        """Take back the last edit; None if there is none."""
        if not self.done:
            return None
        edit = self.done.pop()
        self._replay(f"Undo {edit.label}", edit.inverse)
        self.undone.append(edit)
        return edit

    def redo(self) -> Edit | None:
        """Repeat the edit last taken back; None if there is none."""
        if not self.undone:
            return None
        edit = self.undone.pop()
        self._replay(f"Redo {edit.label}", edit.ops)
        self.done.append(edit)
        return edit

    def _replay(self, label: str, ops: list[Json]) -> None:
        self._merging = False
        self._replaying = True
        try:
            self._document.edit(label, ops)
        finally:
            self._replaying = False

    def _record(self, edit: Edit) -> None:
        if self._replaying:
            return
        if self._saved is not None and self._saved > len(self.done):
            self._saved = None  # The saved state was among the undone edits, which are given up here.
        self.undone.clear()
        if self._merging and edit.merge is not None and edit.merge == self.done[-1].merge:
            edit = merged(self.done.pop(), edit)
        self.done.append(edit)
        self._merging = True


def merged(first: Edit, second: Edit) -> Edit:
    """Two edits as one; of repeated writes to the same places only the last is kept."""
    if _places(first.ops) is not None and _places(first.ops) == _places(second.ops):
        return Edit(second.label, second.ops, first.inverse, second.merge)
    return Edit(second.label, first.ops + second.ops, second.inverse + first.inverse, second.merge)


def _places(ops: list[Json]) -> list[object] | None:
    """The paths that are written, or None if anything else is done."""
    return [op["path"] for op in ops] if all(op["op"] == "set" for op in ops) else None
