"""The library: everything that can stand on a canvas, to search, drag and add."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QVBoxLayout, QWhatsThis, QWidget

from engine.document import Edit
from nodes import registry
from nodes.spec import Spec
from studio import search
from studio.library.shelf import Shelf
from studio.library.tree import LibraryTree, by_category, help_text
from studio.panels import panel
from studio.session import Session
from studio.settings import Settings
from studio.theme import theme
from studio.workspace import Workspace

FAVOURITES, RECENT, FOUND = "Favourites", "Recently used", "Found"


@panel("library", "Library", area="left", icon="library", order=1)
class Library(QWidget):
    """Categories while nothing is searched, the best matches first while something is."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._session: Session | None = None
        self.shelf = Shelf(Settings(), self)
        self.search, self.tree = self._search_field(), LibraryTree()
        self.empty = QLabel("No node is called that.")
        self.empty.setMargin(10)
        self.empty.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 0)
        column.setSpacing(6)
        for widget in (self.search, self.tree, self.empty):
            column.addWidget(widget)
        if registry.problems():
            column.addWidget(_what_is_missing())
        self.tree.wanted.connect(self.add)
        self.tree.customContextMenuRequested.connect(self._menu)
        self.shelf.changed.connect(self.refresh)
        workspace.current_changed.connect(self._follow)
        theme.changed.connect(self.refresh)
        self.setFocusProxy(self.search)
        self.refresh()
        self._follow(workspace.current)

    def _search_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText("Search nodes")
        field.setClearButtonEnabled(True)
        field.setToolTip(
            "Find a node by name, keyword or category; Down goes to the list, Enter adds the first"
        )
        field.setAccessibleName("Search nodes")
        field.textChanged.connect(self.refresh)
        field.installEventFilter(self)
        return field

    def refresh(self) -> None:
        """Show what matches the search, or everything."""
        query = self.search.text().strip()
        groups = {FOUND: search.found(query)} if query else self._all()
        groups = {title: specs for title, specs in groups.items() if specs}
        self.tree.show_groups(groups, self.shelf.favourites, opened=bool(query))
        if query:
            self.tree.first()
        self.tree.setVisible(bool(groups))
        self.empty.setVisible(not groups)

    def _all(self) -> dict[str, list[Spec]]:
        def specs(types: list[str]) -> list[Spec]:
            return [spec for type in types if (spec := registry.get(type))]

        first = {FAVOURITES: specs(self.shelf.favourites), RECENT: specs(self.shelf.recent)}
        return first | by_category(list(registry.all().values()))

    def add(self, type: str) -> None:
        """Ask for a node in the middle of what is seen of the document in front."""
        if self._session is None:
            self.workspace.message.emit("Open or make a document first: a node needs a canvas to stand on.")
        else:
            self._session.node_wanted.emit(type)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field, Down goes to the list, Enter adds and Esc clears."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down:
                self.tree.setFocus()
                return True
            if (
                event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
                and self.search.text()
                and self.tree.chosen()
            ):
                self.add(self.tree.chosen())
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            self._session.edited.disconnect(self._on_edited)
        self._session = session
        if session is not None:
            session.edited.connect(self._on_edited)

    def _on_edited(self, edit: Edit) -> None:
        if not edit.label.startswith(("Undo ", "Redo ")):
            self.shelf.note(edit)

    def _menu(self, at: QPoint) -> None:
        item = self.tree.itemAt(at)
        if item is not None:
            self.tree.setCurrentItem(item)
        spec = registry.get(self.tree.chosen())
        if spec is not None:
            menu = self.menu_for(spec, self.tree.viewport().mapToGlobal(at))
            menu.exec(self.tree.viewport().mapToGlobal(at))
            menu.deleteLater()

    def menu_for(self, spec: Spec, at: QPoint) -> QMenu:
        """What can be done with a type."""
        menu = QMenu(self)
        starred = spec.type in self.shelf.favourites
        menu.addAction(theme.icon("add"), "Add to the canvas", lambda: self.add(spec.type))
        text = "Remove from favourites" if starred else "Add to favourites"
        menu.addAction(theme.icon("star"), text, lambda: self.shelf.toggle(spec.type))
        menu.addAction(theme.icon("help"), "Help", lambda: QWhatsThis.showText(at, help_text(spec), self))
        return menu


def _what_is_missing() -> QLabel:
    """One line about node types whose package cannot be loaded; the reasons as a tooltip."""
    found = registry.problems()
    owners = sorted({problem.owner for problem in found})
    label = QLabel(f"Nodes of {', '.join(owners)} are missing: the package cannot be loaded.")
    label.setWordWrap(True)
    label.setMargin(6)
    label.setToolTip("\n".join(f"{problem.what}: {problem.reason}" for problem in found))
    return label
