"""Somebody who does anything at all to a window, by events of mouse and keys: each act is a few numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from engine.document import Document, dumps
from nodes import registry
from studio import actions
from studio.canvas import NODE_MIME
from studio.canvas.node import NodeItem
from studio.canvas.popup import Popup
from studio.canvas.view import CanvasView
from studio.canvas.wire import WireItem
from studio.plots.base import Plot
from studio.plots.menu import fill
from studio.session import Session
from studio.window import MainWindow

T = TypeVar("T")

LEFT = Qt.MouseButton.LeftButton
PLAIN, CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
MODIFIERS = (PLAIN, PLAIN, SHIFT, CTRL, ALT, CTRL | SHIFT)
WORDS = ("lif", "dense", "poisson", "delay", "probe", "sparse", "norm", "stdp", "cross", "spoken", "a", "zzz")
TEXTS = (
    "5", "0", "-1", "1e9", "0.5", "nonsense", "", "3, 4", "inf", "nan", "1/0", "ms", "12 ms", "0.1 s", "١٢",
    "a" * 90, "\N{SNOWMAN}", "2,5", "all", "0-3",
)  # fmt: skip
KEYS = (
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_F2, Qt.Key.Key_Return,
    Qt.Key.Key_Escape, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Home, Qt.Key.Key_F, Qt.Key.Key_B,
)  # fmt: skip
MODAL = ("file.", "help.", "run.", "train.", "window.", "view.export", "edit.find")
"""Actions that ask something, start a worker, or have nothing to do with drawing."""


def acts() -> dict[str, Callable[[Monkey, int, int, int], None]]:
    """What it can do, by name."""
    return {name[3:]: act for name, act in vars(Monkey).items() if name.startswith("do_")}


class Monkey:
    """Acts on the document in front of a window."""

    def __init__(self, window: MainWindow, document: Document) -> None:
        numbers = count()
        document.mint = lambda: f"n{next(numbers):03d}"
        self.window = window
        self.session = Session(document)
        window.workspace.add(self.session)
        self.settle()
        self.first = dumps(document)

    def leave(self) -> None:
        """Close the document."""
        self.window.workspace.close(self.session)
        self.settle()

    @property
    def view(self) -> CanvasView:
        assert self.window.canvas is not None
        return self.window.canvas

    def act(self, name: str, a: int, b: int, c: int) -> None:
        """Do one thing, close whatever has opened, and let the window come to rest."""
        acts()[name](self, a, b, c)
        self.settle()
        for _ in range(4):
            popup = QApplication.activePopupWidget()
            if popup is None:
                break
            popup.close()
            self.settle()

    def settle(self) -> None:
        """All events and deletions that wait."""
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()

    # --- what there is

    def something(self, n: int) -> str | None:
        return pick(sorted(self.view.canvas.items_by_id), n)

    def node(self, n: int) -> NodeItem | None:
        items = sorted(self.view.canvas.items_by_id.items())
        return pick([item for _, item in items if isinstance(item, NodeItem)], n)

    def place(self, n: int) -> QPoint:
        """Some pixel: of a port, on a node, on a wire, or anywhere."""
        items = self.view.canvas.items_by_id
        key, view = self.something(n // 4), self.view
        rect, item = view.viewport().rect(), items.get(key or "")
        if item is None or n % 4 == 3:
            return QPoint(7 * n % max(rect.width(), 1), 5 * n % max(rect.height(), 1))
        if isinstance(item, WireItem):
            return view.mapFromScene(item.path().pointAtPercent(0.2 + 0.2 * (n % 4)))
        if isinstance(item, NodeItem) and n % 4 < 2 and item.face.sockets:
            socket = item.face.sockets[n // 8 % len(item.face.sockets)]
            return view.mapFromScene(item.pos() + QPointF(socket.x, socket.y))
        area = item.area()
        return view.mapFromScene(area.topLeft() + QPointF(0.3 * area.width(), 12))

    def drag(self, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = PLAIN, drop: bool = True) -> None:
        viewport = self.view.viewport()
        QTest.mousePress(viewport, LEFT, keys, start)
        for at in (start + (end - start) / 2, end):
            QTest.mouseMove(viewport, at)
            QApplication.processEvents()
        if not drop:
            QTest.keyClick(viewport, Qt.Key.Key_Escape)
        QTest.mouseRelease(viewport, LEFT, keys, end)
        QApplication.processEvents()

    def choose(self, popup: QWidget | None, a: int, b: int) -> None:
        """Take something in what has popped up."""
        if isinstance(popup, Popup):
            QTest.keyClicks(popup.field, WORDS[a % len(WORDS)])
            for _ in range(b % 3):
                QTest.keyClick(popup.field, Qt.Key.Key_Down)
            QTest.keyClick(popup.field, Qt.Key.Key_Return)
        elif isinstance(popup, QMenu):
            entry = pick([e for e in entries(popup) if harmless(self.window, e)], a)
            if entry is not None:
                entry.trigger()
            popup.close()

    # --- what it can do

    def do_add(self, a: int, b: int, c: int) -> None:
        self.view.setFocus()
        QTest.mouseDClick(self.view.viewport(), LEFT, PLAIN, self.place(4 * a + 3))
        self.choose(QApplication.activePopupWidget(), b, c)

    def do_drop_from_library(self, a: int, b: int, c: int) -> None:
        kind = pick(sorted(registry.all()), a) or ""
        data = QMimeData()
        data.setData(NODE_MIME, kind.encode())
        action, at = Qt.DropAction.CopyAction, self.place(b)
        viewport = self.view.viewport()
        QApplication.sendEvent(viewport, QDragEnterEvent(at, action, data, LEFT, PLAIN))
        QApplication.sendEvent(viewport, QDropEvent(QPointF(at), action, data, LEFT, PLAIN))

    def do_drag(self, a: int, b: int, c: int) -> None:
        start = self.place(a)
        end = start + QPoint(3 * b % 400 - 200, 3 * c % 300 - 150)
        self.drag(start, end, MODIFIERS[(a + c) % len(MODIFIERS)], c % 7 != 0)

    def do_wire(self, a: int, b: int, c: int) -> None:
        first, second = self.node(a), self.node(b)
        if first is None or second is None or not (first.face.sockets and second.face.sockets):
            return
        one, two = pick(first.face.sockets, c), pick(second.face.sockets, c // 8)
        assert one is not None
        assert two is not None
        start, end = first.pos() + QPointF(one.x, one.y), second.pos() + QPointF(two.x, two.y)
        self.drag(self.view.mapFromScene(start), self.view.mapFromScene(end))
        self.choose(QApplication.activePopupWidget(), a, b)

    def do_loose_wire(self, a: int, b: int, c: int) -> None:
        self.drag(self.place(8 * a + a % 2), self.place(4 * b + 3))
        self.choose(QApplication.activePopupWidget(), c, b)

    def do_click(self, a: int, b: int, c: int) -> None:
        keys = MODIFIERS[b % len(MODIFIERS)]
        QTest.mouseClick(self.view.viewport(), LEFT, keys, self.place(a))

    def do_double_click(self, a: int, b: int, c: int) -> None:
        at = self.place(a)
        QTest.mouseClick(self.view.viewport(), LEFT, PLAIN, at)
        QTest.mouseDClick(self.view.viewport(), LEFT, PLAIN, at)
        QApplication.processEvents()
        self.write(b, c)

    def do_menu(self, a: int, b: int, c: int) -> None:
        at = self.place(a)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, self.view.viewport().mapToGlobal(at))
        QApplication.sendEvent(self.view.viewport(), event)
        self.choose(QApplication.activePopupWidget(), b, c)
        QApplication.processEvents()
        self.write(b, c)

    def do_select(self, a: int, b: int, c: int) -> None:
        """A box, or everything."""
        self.view.setFocus()
        if a % 2:
            QTest.keyClick(self.view.viewport(), Qt.Key.Key_A, CTRL)
        else:
            self.drag(QPoint(5, 5), self.place(b))

    def do_action(self, a: int, b: int, c: int) -> None:
        self.view.setFocus()
        table = actions.table()
        found = [id for id in table if not id.startswith(MODAL) and table[id].when(self.window)]
        self.window.run(found[a % len(found)])
        QApplication.processEvents()
        self.choose(QApplication.activePopupWidget(), b, c)
        self.write(b, c)

    def do_key(self, a: int, b: int, c: int) -> None:
        self.view.setFocus()
        QTest.keyClick(self.view.viewport(), KEYS[a % len(KEYS)], MODIFIERS[b % 4])
        QApplication.processEvents()
        self.write(b, c)

    def do_travel(self, a: int, b: int, c: int) -> None:
        for _ in range(a % 5):
            self.window.run("edit.undo")
        for _ in range(b % 5):
            self.window.run("edit.redo")

    def do_inspector(self, a: int, b: int, c: int) -> None:
        """Type into a line, choose in a list, or press a switch."""
        page: Any = self.window.panel("inspector")
        QApplication.processEvents()
        kind = (QLineEdit, QLineEdit, QPlainTextEdit, QComboBox, QAbstractButton)[a % 5]
        inside = [w for w in page.page.findChildren(kind) if w.isVisible() and w.isEnabled()]
        found = pick([w for w in inside if safe(w)], b)
        if isinstance(found, QLineEdit):
            found.setFocus()
            found.selectAll()
            write(found, TEXTS[c % len(TEXTS)])
            QTest.keyClick(
                found, (Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Up, Qt.Key.Key_Escape)[a % 4]
            )
        elif isinstance(found, QPlainTextEdit):
            found.setFocus()
            write(found, TEXTS[c % len(TEXTS)])
        elif isinstance(found, QComboBox) and found.count():
            found.setFocus()
            QTest.keyClick(found, (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_End)[c % 3])
        elif isinstance(found, QAbstractButton):
            QTest.mouseClick(found, LEFT)

    def do_add_plot(self, a: int, b: int, c: int) -> None:
        menu = QMenu()
        fill(menu, self.session)
        self.choose(menu, a, b)
        menu.deleteLater()

    def do_plot(self, a: int, b: int, c: int) -> None:
        """Close, pin, or choose in the menu of a plot."""
        found = pick([plot for plot in self.window.findChildren(Plot) if plot.isVisible()], a)
        if found is None:
            return
        if b % 3 == 0:
            QTest.mouseClick(found.header.close_button, LEFT)
        elif b % 3 == 1:
            QTest.mouseClick(found.header.pin, LEFT)
        else:
            menu = QMenu()
            found.fill_menu(menu)
            self.choose(menu, c, b)
            menu.deleteLater()

    def do_zoom(self, a: int, b: int, c: int) -> None:
        at = QPointF(self.place(a))
        screen = QPointF(self.view.viewport().mapToGlobal(at.toPoint()))
        turn = QPoint(0, 120 * (b % 7 - 3))
        none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(at, screen, QPoint(), turn, none, MODIFIERS[c % 3], phase, False)
        QApplication.sendEvent(self.view.viewport(), event)

    def do_hover(self, a: int, b: int, c: int) -> None:
        QTest.mouseMove(self.view.viewport(), self.place(a))
        self.view.canvas.tip_at(self.view.mapToScene(self.place(b)))

    def do_panel(self, a: int, b: int, c: int) -> None:
        """Press a button of the panel of problems or of history, or follow a line of it."""
        panel: Any = self.window.panel(("problems", "history")[a % 2])
        QApplication.processEvents()
        lists = [found for found in (getattr(panel, "list", None),) if found is not None]
        for shown in lists:
            rows = shown.model().rowCount()
            if rows:
                QTest.mouseClick(
                    shown.viewport(), LEFT, PLAIN, shown.visualRect(shown.model().index(b % rows, 0)).center()
                )
        button = pick([w for w in panel.findChildren(QPushButton) if w.isVisible() and w.isEnabled()], c)
        if button is not None and not lists:
            QTest.mouseClick(button, LEFT)

    def do_check(self, a: int, b: int, c: int) -> None:
        """Wait until the problems are those of the drawing as it is."""
        for _ in range(2000):
            if self.session.checker.settled:
                return
            QTest.qWait(5)

    def write(self, b: int, c: int) -> None:
        """Into the editor that has opened on the canvas, if there is one: text, then a key or nothing."""
        field = QApplication.focusWidget()
        if not isinstance(field, (QLineEdit, QPlainTextEdit)) or not self.view.isAncestorOf(field):
            return
        write(field, TEXTS[c % len(TEXTS)])
        if b % 3 == 0:
            QTest.keyClick(field, Qt.Key.Key_Return)
        elif b % 3 == 1:
            QTest.keyClick(field, Qt.Key.Key_Escape)


def pick(found: Sequence[T], n: int) -> T | None:
    return found[n % len(found)] if found else None


def write(field: QWidget, text: str) -> None:
    """Type any text: Qt's own help for it takes ASCII alone."""
    for sign in text:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(field, QKeyEvent(kind, 0, PLAIN, sign))


def entries(menu: QMenu) -> list[QAction]:
    """All that a menu offers, submenus included."""
    found: list[QAction] = []
    for entry in menu.actions():
        inner = entry.menu()
        found += entries(inner) if isinstance(inner, QMenu) else [] if entry.isSeparator() else [entry]
    return [entry for entry in found if entry.isEnabled()]


def harmless(window: MainWindow, entry: QAction) -> bool:
    """Whether an entry asks nothing in a dialog."""
    known = {id for id, one in window.menus.actions.items() if one is entry}
    return not any(id.startswith(MODAL) for id in known) and "Export" not in entry.text()


def safe(widget: QWidget) -> bool:
    """Whether a click on it opens no dialog of files."""
    return "…" not in (widget.text() if isinstance(widget, QAbstractButton) else "") and not any(
        word in widget.toolTip().lower() + widget.accessibleName().lower()
        for word in ("browse", "choose a f", "file")
    )
