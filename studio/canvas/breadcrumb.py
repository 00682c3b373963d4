"""Where one is: the groups entered, above the canvas, each a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from engine.document.groups import ancestors
from studio.theme import theme

if TYPE_CHECKING:
    from studio.canvas.view import CanvasView

EDGE = 12


class Breadcrumb(QFrame):
    """``Document > outer > inner`` in the corner of a canvas, shown only inside of a group."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._session = view.session
        self.setAccessibleName("Groups entered")
        self.setObjectName("breadcrumb")
        self.move(EDGE, EDGE)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 4, 8, 4)
        self._row.setSpacing(4)
        view.session.scope_changed.connect(self._fill)
        view.session.edited.connect(self._fill)
        view.session.path_changed.connect(self._fill)
        theme.changed.connect(self._restyle)
        self._shown: list[tuple[str | None, str]] = []
        self._restyle()
        self._fill()

    def _fill(self) -> None:
        path = self._path()
        self.setVisible(len(path) > 1)
        if path == self._shown:
            return
        self._shown = path
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for group, name in path[:-1]:
            self._append(self._way_back(group, name))
            self._append(QLabel("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"))
        here = QLabel(path[-1][1])
        here.setObjectName("here")
        self._append(here)
        self.resize(self._row.sizeHint())

    def _append(self, widget: QWidget) -> None:
        """Add a widget that counts at once, not only when the layout shows it."""
        self._row.addWidget(widget)
        widget.show()
        widget.ensurePolished()
        widget.setMinimumWidth(widget.sizeHint().width() + 4)  # Fusion's flat button is a little short

    def _path(self) -> list[tuple[str | None, str]]:
        """The groups from the outermost to the one entered, after the document itself."""
        groups, scope = self._session.document.groups, self._session.scope
        line = ancestors(groups, scope)[::-1] if scope in groups else []
        return [(None, self._session.title), *((group, groups[group]["name"]) for group in line)]

    def _way_back(self, group: str | None, name: str) -> QPushButton:
        button = QPushButton(name, flat=True)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setToolTip(f"Back to {name}  (Backspace: one level up)")
        button.clicked.connect(lambda: self._session.enter(group))
        return button

    def _restyle(self) -> None:
        roles = ("panel", "border", "text", "accent")
        panel, border, text, link = (theme.colour(role).name() for role in roles)
        self.setStyleSheet(
            f"#breadcrumb {{ background: {panel}; border: 1px solid {border}; border-radius: 6px; }}"
            f"#breadcrumb QPushButton {{ border: none; padding: 2px 4px; color: {link}; }}"
            f"#breadcrumb QPushButton:focus {{ text-decoration: underline; }}"
            f"#breadcrumb QLabel {{ color: {text}; }} #breadcrumb #here {{ font-weight: 600; }}"
        )
