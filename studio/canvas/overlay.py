"""Editing in place: one editor above a value or name that is painted on a node."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGraphicsView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from engine.document.ops import set_op
from nodes import registry
from nodes.spec import Param
from studio.canvas import style
from studio.canvas.face import ROW, Face
from studio.canvas.words import quantity, symbol
from studio.fields import FieldEditor, editor_for
from studio.session import Session

NAME = ""
"""Stands for the name of a node, which is no parameter."""
NAMING = Param("", kind="str", doc="name of the node")
WIDTH, WIDE = 160, 250
"""Least width of an editor in pixels: of a name, of a parameter."""
BETWEEN = " · "

Spot = tuple[str, QRectF]


def spots(face: Face, type: str, params: dict[str, Any]) -> list[Spot]:
    """The name and values painted on a node, with the rectangle of each (scene units from its corner)."""
    spec = registry.get(type)
    found: list[Spot] = []
    for line in face.lines:
        area = QRectF(line.x, line.y, line.width, ROW)
        if line.style == "title":
            found.append((NAME, area))
        elif line.style == "info" and spec is not None:
            found += _values(line.text, area, spec.params, params)
    return found


def _values(text: str, area: QRectF, declared: dict[str, Param], params: dict[str, Any]) -> list[Spot]:
    """The parts of a line that are values, each with its part of the line."""
    found, left = [], area.left()
    for part in text.split(BETWEEN):
        width = style.metrics("info").horizontalAdvance(part)
        name = _shown(part, declared, params)
        if name is not None:
            found.append((name, QRectF(left - 3, area.top(), width + 6, area.height())))
        left += width + style.metrics("info").horizontalAdvance(BETWEEN)
    return found


def _shown(part: str, declared: dict[str, Param], params: dict[str, Any]) -> str | None:
    """The parameter whose value a part of a line is."""
    for name, param in declared.items():
        value = params.get(name, param.default)
        if param.kind == "shape" and value and part == "×".join(map(str, value)):
            return name
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and part == f"{symbol(name)} {quantity(value, param.unit)}":
            return name
    return None


def value_at(face: Face, type: str, params: dict[str, Any], at: QPointF) -> str | None:
    """The parameter (or NAME) that is painted at a place on the node; None if nothing is."""
    return next((name for name, area in spots(face, type, params) if area.contains(at)), None)


class Overlay(QFrame):
    """An editor on the viewport of a canvas.  Enter or leaving takes what is typed, Esc does not."""

    def __init__(self, view: QGraphicsView, session: Session, node: str, name: str, area: QRectF) -> None:
        super().__init__(view.viewport())
        self._view, self._session, self._node, self._name, self._area = view, session, node, name, area
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.editor = self._make_editor()
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        if name != NAME:
            row.addWidget(QLabel(symbol(name)))
        row.addWidget(self.editor, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 4, 4)
        column.addLayout(row)
        column.addWidget(self.problem)
        self._connect()
        self._follow()
        self.show()
        self.raise_()
        self.editor.setFocus(Qt.FocusReason.PopupFocusReason)
        self._select()

    def _make_editor(self) -> FieldEditor:
        record = self._session.document.nodes[self._node]
        spec = registry.get(record.type)
        named = self._name == NAME or spec is None
        editor = editor_for(NAMING if named or spec is None else spec.params[self._name])
        editor.folder = self._session.folder
        editor.show_value(self._value())
        return editor

    def _value(self) -> Any:
        record = self._session.document.nodes[self._node]
        spec = registry.get(record.type)
        if self._name == NAME or spec is None:
            return record.name
        return record.params.get(self._name, spec.params[self._name].default)

    def _connect(self) -> None:
        self.editor.changed.connect(self._write)
        self.editor.finished.connect(self._session.end_merge)
        self.editor.refused.connect(self._complain)
        self._session.edited.connect(self._on_edited)
        self._session.scope_changed.connect(self.close_editor)
        for bar in (self._view.horizontalScrollBar(), self._view.verticalScrollBar()):
            bar.valueChanged.connect(self._follow)
        for widget in (self.editor, *self.editor.findChildren(QWidget)):
            widget.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]

    def _follow(self) -> None:
        """Lie over the value, wherever the view shows it now."""
        corner = self._view.mapFromScene(self._area.topLeft())
        wide = round(self._area.width() * self._view.transform().m11())
        self.setFixedWidth(max(WIDTH if self._name == NAME else WIDE, wide))
        self.adjustSize()
        self.move(corner - QPoint(4, 4))

    def _select(self) -> None:
        line = self.editor.findChild(QLineEdit)
        if line is not None:
            line.selectAll()

    def _write(self, value: Any, more: bool) -> None:
        name = self._session.document.nodes[self._node].name
        path: list[Any] = ["nodes", self._node, *(["params", self._name] if self._name else ["name"])]
        label = f"Set {self._name} of {name}" if self._name else f"Rename {name}"
        self._session.edit(
            label, [set_op(path, value)], f"in place {self._node} {self._name}" if more else None
        )

    def _complain(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.adjustSize()

    def _on_edited(self, edit: object) -> None:
        if self._node not in self._session.document.nodes:
            self.close_editor()
        else:
            self.editor.show_value(self._value())

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        """Leaving takes what is typed; a list that drops down is still inside."""
        if new is not None and new is not self and not self.isAncestorOf(new) and not _is_popup(new):
            self.take()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter takes what is typed, Esc gives it up; neither reaches the canvas."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.close_editor()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.take(stay=True)
                return True
        return super().eventFilter(watched, event)

    def take(self, stay: bool = False) -> None:
        """Take what is typed and close; with ``stay`` an editor that says why it cannot stays open."""
        self.editor.commit()
        if not (stay and self.problem.text()):
            self.close_editor()

    def close_editor(self) -> None:
        """Go, and give the keys back to the canvas."""
        if self.isHidden():
            return
        self.editor.restore()
        QApplication.instance().focusChanged.disconnect(self._on_focus)  # type: ignore[union-attr]
        self._session.edited.disconnect(self._on_edited)
        had_focus = self.isAncestorOf(QApplication.focusWidget() or self._view)
        self.hide()
        self.deleteLater()
        if had_focus:
            self._view.setFocus()


def _is_popup(widget: QWidget) -> bool:
    return widget.window().windowType() == Qt.WindowType.Popup
