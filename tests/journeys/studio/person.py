"""A person at the studio's window: everything by events of mouse and keyboard."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from studio.canvas.search import Search
from studio.canvas.view import CanvasView
from studio.inspector.row import Row
from studio.session import Session
from studio.window import MainWindow

LEFT, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier


class Person:
    """Sees the window, clicks and types."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self.qtbot = window, qtbot

    @property
    def session(self) -> Session:
        session = self.window.workspace.current
        assert session is not None
        return session

    @property
    def view(self) -> CanvasView:
        assert self.window.canvas is not None
        return self.window.canvas

    def look(self) -> None:
        """To the canvas, with the keys; off screen, a menu that has closed stays the active window."""
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)
        self.view.setFocus()

    def keys(self, key: Qt.Key, modifier: Qt.KeyboardModifier = PLAIN, on: QWidget | None = None) -> None:
        target = on or self.view.viewport()
        QTest.keyClick(target, key, modifier)
        QApplication.processEvents()

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        QTest.mouseClick(widget, LEFT, PLAIN, at or widget.rect().center())
        QApplication.processEvents()

    def double_click(self, at: QPoint) -> None:
        viewport = self.view.viewport()
        QTest.mouseClick(viewport, LEFT, PLAIN, at)
        QTest.mouseDClick(viewport, LEFT, PLAIN, at)
        QApplication.processEvents()

    def add(self, words: str, at: QPoint) -> str:
        """Double click on the empty canvas, type, Enter; the new node's id."""
        before = set(self.session.document.nodes)
        self.double_click(at)
        popup = QApplication.activePopupWidget()
        assert isinstance(popup, Search), "no search has opened"
        QTest.keyClicks(popup.field, words)
        QTest.keyClick(popup.field, Qt.Key.Key_Return)
        QApplication.processEvents()
        (made,) = set(self.session.document.nodes) - before
        return made

    def drag(self, start: QPoint, end: QPoint) -> None:
        viewport = self.view.viewport()
        QTest.mousePress(viewport, LEFT, PLAIN, start)
        for at in (start + (end - start) / 3, start + (end - start) * 2 / 3, end):
            QTest.mouseMove(viewport, at)
            QApplication.processEvents()
        QTest.mouseRelease(viewport, LEFT, PLAIN, end)
        QApplication.processEvents()

    def pixel(self, at: QPointF) -> QPoint:
        return self.view.mapFromScene(at)

    def wire(self, source: str, out: str, target: str, into: str) -> None:
        """Drag from one port to another."""
        place = self.view.canvas.port_pos
        before = len(self.session.document.wires)
        self.drag(self.pixel(place(source, out, "out")), self.pixel(place(target, into, "in")))
        assert len(self.session.document.wires) == before + 1, f"no wire {source}.{out} to {target}.{into}"

    def choose(self, node: str) -> None:
        """Click on a node, off its ports."""
        rect = self.view.canvas.node_rect(node)
        at = QPointF(rect.left() + 0.3 * rect.width(), rect.center().y())
        self.click(self.view.viewport(), self.pixel(at))
        assert self.session.selection == {node}

    def type_into(self, name: str, text: str) -> None:
        """Write a value into a row of the inspector."""
        page: Any = self.window.panel("inspector")
        QApplication.processEvents()
        row = next(found for found in page.page.findChildren(Row) if found.name == name)
        line = row.findChild(QLineEdit)
        assert line is not None, f"{name} has no field"
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, text)
        QTest.keyClick(line, Qt.Key.Key_Return)
        QApplication.processEvents()

    def button(self, text: str) -> QPushButton:
        """The visible button with this text."""
        found = [b for b in self.window.findChildren(QPushButton) if b.isVisible() and b.text() == text]
        assert found, f"there is no button {text}"
        return found[0]

    def press_fix(self) -> None:
        """Click the button of the first problem that has one."""
        panel: Any = self.window.panel("problems")
        QApplication.processEvents()
        problems = panel.model.problems
        row = next(n for n, problem in enumerate(problems) if problem.fix)
        index, option = panel.model.index(row, 0), QStyleOptionViewItem()
        option.rect = panel.list.visualRect(index)
        self.click(panel.list.viewport(), panel.delegate.button_rect(option, index).center())

    def wait(self, condition: Any, seconds: float = 30.0) -> None:
        self.qtbot.waitUntil(condition, timeout=int(1000 * seconds))
