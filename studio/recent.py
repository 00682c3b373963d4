"""The submenu of recent files, filled whenever it opens."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from studio.files import Files


class RecentMenu(QMenu):
    """A line for each file opened or saved last; those that are gone are greyed."""

    def __init__(self, files: Files, parent: QWidget) -> None:
        super().__init__("Open &recent", parent)
        self.setToolTipsVisible(True)
        self.files = files
        self.aboutToShow.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for number, path in enumerate(self.files.recent, start=1):
            self._add(number, path)
        if self.isEmpty():
            self.addAction("Nothing yet").setEnabled(False)
            return
        self.addSeparator()
        self.addAction("Forget these", self.files.forget_recent)

    def _add(self, number: int, path: Path) -> None:
        there = path.is_file()
        name = path.name.replace("&", "&&")
        line = self.addAction(f"&{number} {name}" if number < 10 else name)
        line.setToolTip(str(path) if there else f"{path} is not there any more")
        line.setEnabled(there)
        line.triggered.connect(lambda: self.files.open(path))
