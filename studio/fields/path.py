"""Files and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from nodes.spec import Param
from studio.fields import field
from studio.fields._line import LineField
from studio.theme import theme


@field("path")
class PathField(LineField):
    """A path to type or to choose; one below ``folder`` is kept relative to it."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self.browse = QToolButton(self)
        self.browse.setIcon(theme.icon("folder"))
        self.browse.setToolTip("Choose a file or folder")
        self.browse.setAccessibleName("Choose a file or folder")
        self.browse.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.browse)
        menu.addAction("Choose a file…", self._choose_file)
        menu.addAction("Choose a folder…", self._choose_folder)
        self.browse.setMenu(menu)
        self.row.addWidget(self.browse)

    def parse(self, text: str) -> Any:
        """The text without the blanks around it."""
        return text.strip()

    def text_of(self, value: Any) -> str:
        """The path as it is."""
        return str(value)

    def empty_text(self) -> str:
        """What an empty path means."""
        return super().empty_text() or "none"

    def _choose_file(self) -> None:
        self._take(QFileDialog.getOpenFileName(self, "Choose a file", str(self.folder))[0])

    def _choose_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, "Choose a folder", str(self.folder)))

    def _take(self, chosen: str) -> None:
        if not chosen:
            return
        path, folder = Path(chosen), self.folder.resolve()
        inside = folder != Path().resolve() and path.is_relative_to(folder)
        self.changed.emit(path.relative_to(folder).as_posix() if inside else str(path), False)
