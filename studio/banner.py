"""One line above the canvas: what is wrong with the network that runs, and the button that mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from engine.document import Edit
from studio.made import made
from studio.session import Session
from studio.theme import theme

ORDER = ("error", "warning", "info")
STRIPE = 4
KEPT = ("layout", "views", "recipes")
"""What can be edited without the network becoming another one."""


@dataclass(frozen=True)
class Item:
    """Something to say; ``do``: what the main button is called, its tooltip, and what it does."""

    severity: str
    text: str
    node: str = ""
    do: tuple[str, str, Callable[[], None]] | None = None


class Line(QLabel):
    """A sentence on one line, cut with dots where there is no room; the tooltip has all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def say(self, text: str) -> None:
        """Show another sentence."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._cut()

    def minimumSizeHint(self) -> QSize:
        """It may be cut to nothing."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))


class Banner(QFrame):
    """Shows the most severe of what the runner of a session has said, with a fix; hidden when all is well."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.items: dict[str, Item] = {}
        self._shown = ""
        self.setObjectName("banner")
        self._lay_out()
        runner = session.runner
        runner.diagnosed.connect(self._on_diagnosed)
        runner.stale_changed.connect(self._on_stale)
        runner.failed.connect(self._on_failed)
        runner.started.connect(self._on_started)
        session.edited.connect(self._on_edited)
        theme.changed.connect(self._show)
        self._show()

    @property
    def item(self) -> Item | None:
        """What is on show."""
        return self.items.get(self._shown)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(STRIPE + 10, 4, 8, 4)
        row.setSpacing(8)
        self.icon, self.line, self.count = QLabel(), Line(), QLabel()
        self.fix = QPushButton("Fi&x")
        self.fix.setDefault(True)
        self.fix.clicked.connect(self._on_fix)
        self.more = self._button("Next message", self._on_next)
        self.reveal = self._button("Show node: select it and bring it into view", self._on_reveal)
        self.dismiss = self._button("Dismiss this message", self._on_dismiss)
        row.addWidget(self.icon)
        row.addWidget(self.line, 1)
        for widget in (self.fix, self.reveal, self.count, self.more, self.dismiss):
            row.addWidget(widget)

    def _button(self, tip: str, run: Callable[[], None]) -> QToolButton:
        button = made(QToolButton(), toolTip=tip, accessibleName=tip)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(run)
        return button

    # --- what there is to say

    def _on_diagnosed(self, message: dict[str, Any]) -> None:
        key = f"{message['code']} {message['node']}"
        if message["resolved"]:
            self._drop(key)
            return
        text = message["text"] + (f": {message['hint']}" if message["hint"] else "")
        self._put(key, Item(message["severity"], text, message["node"], self._fix_of(message["fix"])))

    def _fix_of(self, fix: dict[str, Any] | None) -> tuple[str, str, Callable[[], None]] | None:
        if fix is None:
            return None
        label, ops = fix["label"], fix["ops"]
        return "Fi&x", f"{label} (can be undone)", lambda: self._mend(label, ops)

    def _mend(self, label: str, ops: list[dict[str, Any]]) -> None:
        self.session.end_merge()
        self.session.edit(label, ops)

    def _on_stale(self, stale: bool) -> None:
        if stale:
            text = "The drawing has changed: the run goes on with the old network"
            do = ("Re&start", "Run the network as it is drawn now", self.session.runner.play)
            self._put("stale", Item("info", text, "", do))
        else:
            self._drop("stale")

    def _on_failed(self, text: str, node: str) -> None:
        if not any(text.startswith(item.text) for item in self.items.values()):
            self._put("failed", Item("error", text, node))

    def _on_started(self) -> None:
        self.items.clear()
        self._show()

    def _on_edited(self, edit: Edit) -> None:
        """A changed network is watched afresh: what was wrong with it is said again if it still is."""
        if any(op.get("path", [""])[0] not in KEPT for op in edit.ops):
            self.items = {key: item for key, item in self.items.items() if key == "stale"}
            self._show()

    # --- what is on show

    def _put(self, key: str, item: Item) -> None:
        self.items.pop(key, None)
        self.items[key] = item
        shown = self.item
        if shown is None or _rank(item) <= _rank(shown):
            self._shown = key
        self._show()

    def _drop(self, key: str) -> None:
        self.items.pop(key, None)
        self._show()

    def _show(self) -> None:
        if self._shown not in self.items:
            self._shown = min(self.items, key=lambda key: _rank(self.items[key]), default="")
        item = self.item
        self.setVisible(item is not None)
        if item is None:
            return
        self.icon.setPixmap(theme.icon(item.severity, item.severity).pixmap(18, 18))
        for button, name in ((self.more, "right"), (self.reveal, "eye"), (self.dismiss, "close")):
            button.setIcon(theme.icon(name))
        self.icon.setToolTip(item.severity.capitalize())
        self.line.say(item.text)
        self.fix.setVisible(item.do is not None)
        if item.do:
            self.fix.setText(item.do[0])
            self.fix.setToolTip(item.do[1])
        self.reveal.setVisible(item.node in self.session.document.nodes)
        many = len(self.items) > 1
        self.count.setVisible(many)
        self.more.setVisible(many)
        self.count.setText(f"{list(self.items).index(self._shown) + 1} of {len(self.items)}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A stripe in the colour of what is said, beside its icon."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("panel"))
        item = self.item
        if item is not None:
            painter.fillRect(0, 0, STRIPE, self.height(), theme.colour(item.severity))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.colour("border"))

    # --- the buttons

    def _on_fix(self) -> None:
        item = self.item
        if item is None or item.do is None:
            return
        self._drop(self._shown)
        item.do[2]()

    def _on_reveal(self) -> None:
        if self.item is not None:
            self.session.reveal(self.item.node)

    def _on_next(self) -> None:
        keys = list(self.items)
        self._shown = keys[(keys.index(self._shown) + 1) % len(keys)]
        self._show()

    def _on_dismiss(self) -> None:
        self._drop(self._shown)


def _rank(item: Item) -> int:
    """The most severe first."""
    return ORDER.index(item.severity) if item.severity in ORDER else len(ORDER)
