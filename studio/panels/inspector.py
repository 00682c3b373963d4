"""The inspector: everything about the selection, or about the document while nothing is selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication, QDockWidget, QFrame, QLabel, QScrollArea, QStackedLayout, QWidget

from nodes import registry
from studio.canvas.shown import is_note
from studio.inspector.document_page import DocumentPage
from studio.inspector.node_page import NodePage
from studio.inspector.other_pages import GroupPage, NotePage, SeveralPage, UnknownPage, WirePage
from studio.inspector.page import Page, quiet
from studio.inspector.row import Row
from studio.panels import panel
from studio.session import Session
from studio.theme import theme
from studio.workspace import Workspace

KEPT = 16
"""Pages that are kept for the next selection of the same kind."""
IDLE_MS = 60
"""Between two pages that are made ahead."""

Key = tuple[str, ...]


@panel("inspector", "Inspector", area="right", icon="inspector", order=1)
class Inspector(QWidget):
    """Keeps a page for each kind of selection and binds the right one to the session in front."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setMinimumWidth(260)
        self._session: Session | None = None
        self._pages: dict[Key, Page] = {}
        self._scrolls: dict[Page, QScrollArea] = {}
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._nothing())
        self.page: Page | None = None
        self._row: Row | None = None
        self._idle = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._idle.timeout.connect(self._prepare)
        workspace.current_changed.connect(self._follow)
        theme.changed.connect(self._rebuild)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]
        self._follow(workspace.current)

    def _nothing(self) -> QLabel:
        label = quiet("Open or make a document to see its settings here.")
        label.setMargin(12)
        label.setAlignment(label.alignment().AlignTop)
        return label

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            for signal, slot in self._wiring(self._session):
                signal.disconnect(slot)
        self._session = session
        if session is not None:
            for signal, slot in self._wiring(session):
                signal.connect(slot)
        self._turn()

    def _wiring(self, session: Session) -> Iterable[tuple[SignalInstance, Callable[..., None]]]:
        return (
            (session.selection_changed, self._turn),
            (session.travelling, self._leave),
            (session.pointed, self._point),
            (session.edited, self._on_edited),
            (session.checked, self._on_checked),
        )

    def _turn(self) -> None:
        """To the page of what is selected now."""
        if self.page is not None:
            self.page.leave()
        if self._session is None:
            self.page = None
            self._stack.setCurrentIndex(0)
            return
        key = page_key(self._session)
        page = self._pages.pop(key, None) or self._new_page(key)
        self._pages[key] = page  # the newest last
        self.page = page
        page.bind(self._session)
        self._stack.setCurrentWidget(self._scrolls[page])
        self._forget()

    def _leave(self) -> None:
        if self.page is not None:
            self.page.leave()

    def _new_page(self, key: Key) -> Page:
        scroll = QScrollArea(self)  # everything is made where it stays: Qt styles anew what is moved
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        self._stack.addWidget(scroll)
        page = _MAKERS[key[0]](key, scroll.viewport())
        scroll.setWidget(page)
        self._scrolls[page] = scroll
        return page

    def _forget(self) -> None:
        """Let go of the page that was not needed for longest."""
        while len(self._pages) > KEPT:
            self._drop(self._pages.pop(next(iter(self._pages))))

    def _drop(self, page: Page) -> None:
        scroll = self._scrolls.pop(page)
        self._stack.removeWidget(scroll)
        scroll.deleteLater()

    def _rebuild(self) -> None:
        """Another theme: colours are painted into texts and icons."""
        pages, self._pages, self.page = self._pages, {}, None
        for page in pages.values():
            self._drop(page)
        self._turn()

    def _on_edited(self, edit: object) -> None:
        if self.page and self._session:
            if self._pages.get(page_key(self._session)) is self.page:
                self.page.refresh()
            else:
                self._turn()

    def _on_checked(self, checked: object) -> None:
        if self.page:
            self.page.show_problems()
        self._idle.start()

    def _point(self, node: str, name: str) -> None:
        """Come to the front with a parameter, ready to be changed; a port is the canvas's to show."""
        row = self.page.row(name) if self.page else None
        if row is None or self.page is None:
            return
        dock, scroll = self.parentWidget(), self._scrolls[self.page]
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()
        row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, row, lambda: scroll.ensureWidgetVisible(row))  # once it has its place

    def _prepare(self) -> None:
        """Make a page ahead for a type of the document: the first click on a node need not wait for it."""
        if self._session is None or len(self._pages) >= KEPT or not self.isVisible():
            return
        types = dict.fromkeys(node.type for node in self._session.document.nodes.values())
        wanted = (("node", type) for type in types if registry.get(type))
        key = next((key for key in wanted if key not in self._pages), None)
        if key is not None:
            self._pages = {key: self._new_page(key)} | self._pages  # the first to be forgotten
            self._idle.start()

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        """The row with the focus shows its help."""
        found: QWidget | None = new
        while found is not None and not isinstance(found, Row):
            found = found.parentWidget()
        if found is self._row:
            return
        if self._row is not None:
            self._row.set_focused(False)
        self._row = found
        if found is not None:
            found.set_focused(True)


def page_key(session: Session) -> Key:
    """What kind of page the selection needs."""
    document, chosen = session.document, session.selection
    nodes = chosen & document.nodes.keys()
    if not chosen:
        return ("document",)
    if nodes == chosen:
        types = sorted({document.nodes[id].type for id in nodes})
        known = all(registry.get(type) for type in types)
        kind = "node" if len(nodes) == 1 else "nodes"
        return (kind, *types) if known else ("unknown",) if len(nodes) == 1 else ("several",)
    if len(chosen) == 1:
        (one,) = chosen
        found = [one in document.groups, one in document.wires, is_note(document, one)]
        return (("group", "wire", "note")[found.index(True)],) if any(found) else ("document",)
    return ("several",)


def _node_page(key: Key, parent: QWidget) -> Page:
    specs = [spec for type in key[1:] if (spec := registry.get(type))]
    return NodePage(specs, key[0] == "nodes", parent)


_MAKERS: dict[str, Callable[[Key, QWidget], Page]] = {
    "document": lambda key, parent: DocumentPage(parent),
    "node": _node_page,
    "nodes": _node_page,
    "wire": lambda key, parent: WirePage(parent),
    "group": lambda key, parent: GroupPage(parent),
    "note": lambda key, parent: NotePage(parent),
    "unknown": lambda key, parent: UnknownPage(parent),
    "several": lambda key, parent: SeveralPage(parent),
}
