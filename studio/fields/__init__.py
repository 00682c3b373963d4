"""Editors of one parameter each.  An editor is a widget in a module of this package::

@field("int", "float")
class NumberField(FieldEditor): ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from nodes.spec import Param
from studio import discovery

MIXED: Final = object()
"""What an editor shows for several nodes whose values differ."""


class FieldEditor(QWidget):
    """Shows one value of a parameter and says how the user wants it.  It writes nothing itself."""

    changed = Signal(object, bool)
    """The value wanted, and whether more of the same movement follows (a scrub)."""
    finished = Signal()
    """A scrub is over."""
    refused = Signal(str)
    """Why what is typed cannot stand here; empty once it can."""

    scrubs = False
    """Whether dragging its label changes the value (see ``NumberField``)."""
    folder: Path = Path()
    """Where relative paths begin."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.param = param
        self.value: Any = param.default
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(6)

    def show_value(self, value: Any) -> None:
        """Show what the document holds, or MIXED; what is being typed stays unless the value is another."""
        raise NotImplementedError

    def commit(self) -> None:
        """Take what is typed, as Enter does."""

    def restore(self) -> None:
        """Give up what is typed, as Esc does."""

    def problem(self, value: Any) -> str:
        """Why a value cannot stand here, or nothing."""
        return "" if value is MIXED else self.param.problem(value) or ""


F = TypeVar("F", bound=type[FieldEditor])
_found: dict[str, type[FieldEditor]] = {}


def field(*kinds: str) -> Callable[[F], F]:
    """Declare the decorated widget the editor of these kinds of ``Param``; ValueError if one is taken."""

    def declare(editor: F) -> F:
        for kind in kinds:
            if kind in _found:
                raise ValueError(f"two editors for parameters of kind {kind}")
            _found[kind] = editor
        return editor

    return declare


@cache
def table() -> dict[str, type[FieldEditor]]:
    """Every editor by kind."""
    import studio.fields as package

    discovery.load_all(package)
    return _found


def editor_for(param: Param, parent: QWidget | None = None) -> FieldEditor:
    """A new editor for a parameter."""
    return table()[param.kind](param, parent)
