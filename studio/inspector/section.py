"""A heading that opens and closes what is below it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Section(QWidget):
    """``build`` makes the content, a child of what it is given, when the section is first opened.

    ``names``: the parameters that can be found in it.
    """

    def __init__(
        self,
        title: str,
        build: Callable[[QWidget], QWidget],
        opened: bool,
        parent: QWidget | None = None,
        names: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self.names = names
        self._build = build
        self.opened = False
        self.content: QWidget | None = None
        self.heading = QToolButton(self)
        self.heading.setText(title)
        self.heading.setToolTip(f"Show or hide: {title.lower()}")
        self.heading.setAutoRaise(True)
        self.heading.setAccessibleName(title)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.heading.clicked.connect(lambda: self.open(not self.opened))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(self.heading)
        self.open(opened)

    def open(self, opened: bool) -> None:
        """Show or hide the content."""
        self.opened = opened
        self.heading.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        if opened and self.content is None:
            self.content = self._build(self)
            self._column.addWidget(self.content)
        if self.content:
            self.content.setVisible(opened)
