"""A column of rows bound to one place of the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QVBoxLayout, QWidget

from nodes.spec import Param
from studio.fields import MIXED
from studio.inspector.places import Place
from studio.inspector.row import Row
from studio.inspector.words import plain
from studio.session import Session

LABEL, WIDEST = 96, 130
"""Width of the names of parameters, and how wide it may get for a long one (pixels)."""

Meaning = Callable[[str, Param, Any], str]


class Form(QWidget):
    """Rows for some parameters; every change is one edit of the session, a scrub one step."""

    def __init__(
        self,
        params: Mapping[str, Param],
        titles: Mapping[str, str] | None = None,
        parent: QWidget | None = None,
        label: int = LABEL,
    ) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._place: Place | None = None
        self._meaning: Meaning = lambda name, param, value: ""
        self.rows: dict[str, Row] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for name, param in params.items():
            row = self.rows[name] = Row(name, param, (titles or {}).get(name, ""), self)
            row.wanted.connect(self._write)
            row.released.connect(self._release)
            row.learning_wanted.connect(self._learn)
            column.addWidget(row)
        self._align(titles or {}, label)

    def _align(self, titles: Mapping[str, str], least: int) -> None:
        """All editors begin at the same place, in every form alike unless a name is too long for that."""
        font = self.font()
        font.setBold(True)
        advance = QFontMetrics(font).horizontalAdvance
        width = max((advance(titles.get(name, plain(name))) for name in self.rows), default=0) + 4
        for row in self.rows.values():
            row.label.setFixedWidth(min(max(width, least), WIDEST))
            row.label.setWordWrap(width > WIDEST)
            row.reset.setFixedSize(QSize(24, 24))

    def bind(self, session: Session, place: Place, meaning: Meaning | None = None) -> None:
        """Show and write this place from now on; what was typed for the last one is taken there first."""
        self.commit()
        self._session, self._place = session, place
        if meaning:
            self._meaning = meaning
        for row in self.rows.values():
            row.set_folder(session.folder)
        self.refresh()

    def refresh(self) -> None:
        """Show what the document holds now."""
        if self._place is None:
            return
        learned = self._place.read("train") if "train" in self._all() else []
        for name, row in self.rows.items():
            value = self._place.read(name)
            meaning = "" if value is MIXED else self._meaning(name, row.param, value)
            row.show_value(value, meaning, learned is not MIXED and name in learned)

    def _all(self) -> set[str]:
        return {"train"} if any(row.learn for row in self.rows.values()) else set()

    def mark(self, severities: Mapping[str, str]) -> None:
        """Show which parameters have problems, and how severe they are."""
        for name, row in self.rows.items():
            row.mark(severities.get(name, ""))

    def commit(self) -> None:
        """Take what is being typed."""
        for row in self.rows.values():
            row.editor.commit()

    def give_up(self) -> None:
        """Forget what is being typed."""
        for row in self.rows.values():
            row.editor.restore()

    def _write(self, name: str, value: Any, more: bool) -> None:
        if self._session and self._place:
            merge = f"{self._place.key} {name}" if more else None
            self._session.edit(self._place.label(name, value), self._place.write(name, value), merge)

    def _release(self) -> None:
        if self._session:
            self._session.end_merge()

    def _learn(self, name: str, on: bool) -> None:
        """Add a parameter to those that are learned, or take it out."""
        if self._place is None:
            return
        now = self._place.read("train")
        learned = [] if now is MIXED else list(now)
        self._write("train", [*learned, name] if on else [n for n in learned if n != name], False)
