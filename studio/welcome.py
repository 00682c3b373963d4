"""The welcome page."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from studio.files import Files


class Welcome(QWidget):
    """Gallery, New, Open, Recent."""

    def __init__(self, files: Files) -> None:
        super().__init__()
        self.files = files
