"""A line above the canvas that says something about the document and offers what to do; it never blocks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget


class Notice(QFrame):
    """A sentence and a button for each choice; any of them, or ``dismiss``, ends the notice."""

    def __init__(
        self, text: str, choices: dict[str, Callable[[], None]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        self.label = QLabel(text, wordWrap=True)
        row.addWidget(self.label, 1)
        for title, run in choices.items():
            button = QPushButton(title)
            button.clicked.connect(lambda _=False, run=run: self._choose(run))
            row.addWidget(button)

    def dismiss(self) -> None:
        """Take the notice away."""
        self.hide()
        self.setParent(None)
        self.deleteLater()

    def _choose(self, run: Callable[[], None]) -> None:
        self.dismiss()
        run()
